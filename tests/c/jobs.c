// Jobs: progress, cancelling at every step, callbacks that re-enter, freeing at any time. Argument: a tiny model.
#include <pthread.h>
#include <time.h>

#include "check.h"

enum { STEPS = 6 };

static uint8_t expected[PICTURE], found[PICTURE];

static void draws_the_same(sdxl_pipeline pipeline, sdxl_request request) {
  draw(pipeline, request, found);
  EXPECT(memcmp(expected, found, PICTURE) == 0);
}

// Watches a job, and cancels it at a step.
typedef struct {
  uint32_t calls, cancel_at, of;
  sdxl_progress last;
} watcher;

static int32_t watch(void *user_data, sdxl_job job, const sdxl_progress *progress) {
  watcher *self = user_data;
  EXPECT(progress->struct_size == sizeof *progress);
  EXPECT(progress->step == self->calls && progress->of == self->of);
  EXPECT(progress->state == SDXL_JOB_STATE_SAMPLING);
  EXPECT(poll_job(job).step == progress->step);
  self->calls++;
  self->last = *progress;
  return progress->step == self->cancel_at ? SDXL_FLOW_CANCEL : SDXL_FLOW_CONTINUE;
}

static void progress_is_told(sdxl_pipeline pipeline, sdxl_request request) {
  watcher self = {.cancel_at = 99, .of = STEPS};
  sdxl_job job;
  sdxl_image image;
  size_t count = 7;
  OK(sdxl_job_start(pipeline, request, watch, &self, &job));
  OK(sdxl_job_wait(job, -1));
  EXPECT(self.calls == STEPS + 1 && self.last.sigma == 0. && self.last.seconds > 0.);
  EXPECT(poll_job(job).state == SDXL_JOB_STATE_FINISHED && poll_job(job).seconds_left == 0.);
  EXPECT_STATUS(SDXL_STATUS_BUFFER_TOO_SMALL, sdxl_job_take_images(job, &image, 0, &count));
  OK(sdxl_job_image_count(job, &count));
  EXPECT(count == 1);
  OK(sdxl_job_take_images(job, &image, 1, &count));
  pixels_of(image, found);
  EXPECT(memcmp(expected, found, PICTURE) == 0);
  // They are given once.
  OK(sdxl_job_take_images(job, &image, 1, &count));
  EXPECT(count == 0);
  OK(sdxl_job_free(job));
}

// Cancels a request of so many steps at each of them; another one is then drawn as ever.
static void cancel_at_each_step(sdxl_pipeline pipeline, sdxl_request cancelled, uint32_t of, sdxl_request request) {
  for (uint32_t step = 0; step <= of; step++) {
    watcher self = {.cancel_at = step, .of = of};
    sdxl_job job;
    sdxl_image image;
    size_t count = 7;
    OK(sdxl_job_start(pipeline, cancelled, watch, &self, &job));
    EXPECT_STATUS(SDXL_STATUS_CANCELLED, sdxl_job_wait(job, -1));
    EXPECT(self.calls == step + 1 && poll_job(job).state == SDXL_JOB_STATE_CANCELLED);
    EXPECT_STATUS(SDXL_STATUS_CANCELLED, sdxl_job_take_images(job, &image, 1, &count));
    EXPECT(count == 7);
    OK(sdxl_job_cancel(job));
    OK(sdxl_job_free(job));
    draws_the_same(pipeline, request);
  }
}

static void cancelling_leaves_nothing_behind(sdxl_pipeline pipeline, sdxl_request request) {
  cancel_at_each_step(pipeline, request, STEPS, request);
  // In both runs of one that draws its pictures once more.
  sdxl_request larger;
  OK(sdxl_request_clone(request, &larger));
  OK(sdxl_request_set_hires(larger, 1.5, 0.5, "latent", 0));
  cancel_at_each_step(pipeline, larger, STEPS + STEPS / 2, request);
  OK(sdxl_request_free(larger));
  // At any moment, from another thread, also twice, also after the end.
  for (int moment = 0; moment < 40; moment++) {
    sdxl_job job = start(pipeline, request);
    struct timespec pause = {.tv_nsec = moment * 1000000L};
    nanosleep(&pause, NULL);
    OK(sdxl_job_cancel(job));
    OK(sdxl_job_cancel(job));
    int32_t status = sdxl_job_wait(job, -1);
    EXPECT(status == SDXL_STATUS_CANCELLED || status == SDXL_STATUS_OK);
    OK(sdxl_job_free(job));
  }
  draws_the_same(pipeline, request);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// Polls a job until it has taken so many of its steps, and knows how many there are.
static double when_taken(sdxl_job job, uint32_t steps) {
  for (sdxl_progress progress = poll_job(job); progress.of == 0 || progress.step < steps; progress = poll_job(job)) {
    struct timespec pause = {.tv_nsec = 200000};
    nanosleep(&pause, NULL);
  }
  return seconds();
}

// The step of a large picture takes its time, and a job ends within one of its layers.
static void a_job_ends_within_a_step(sdxl_pipeline pipeline) {
  sdxl_request large = new_request("a cat", 2);
  OK(sdxl_request_set_size(large, 768, 768));
  sdxl_job job = start(pipeline, large);
  double began = when_taken(job, 0), step = when_taken(job, 1) - began;
  struct timespec pause = {.tv_nsec = (long)(1e9 * (step < 1 ? step : 1) / 4)};
  nanosleep(&pause, NULL);
  began = seconds();
  OK(sdxl_job_cancel(job));
  EXPECT_STATUS(SDXL_STATUS_CANCELLED, sdxl_job_wait(job, -1));
  double ended = seconds() - began;
  printf("jobs: ended %.1f ms after it was cancelled, in a step of %.0f ms\n", 1e3 * ended, 1e3 * step);
  EXPECT(ended < step / 2);
  OK(sdxl_job_free(job));
  OK(sdxl_request_free(large));
}

static void jobs_wait_for_their_turn(sdxl_pipeline pipeline, sdxl_request request) {
  sdxl_request longer = new_request("a dog", 200);
  sdxl_job first = start(pipeline, longer), second = start(pipeline, request), third = start(pipeline, request);
  EXPECT(poll_job(second).state == SDXL_JOB_STATE_WAITING);
  EXPECT_STATUS(SDXL_STATUS_UNFINISHED, sdxl_job_wait(second, 0));
  EXPECT_STATUS(SDXL_STATUS_UNFINISHED, sdxl_job_wait(second, 1));
  // One that waits ends at once.
  OK(sdxl_job_cancel(second));
  EXPECT_STATUS(SDXL_STATUS_CANCELLED, sdxl_job_wait(second, 0));
  // A clone does not wait.
  sdxl_pipeline clone;
  OK(sdxl_pipeline_clone(pipeline, &clone));
  draws_the_same(clone, request);
  EXPECT_STATUS(SDXL_STATUS_UNFINISHED, sdxl_job_wait(first, 0));
  OK(sdxl_job_cancel(first));
  OK(sdxl_job_wait(third, -1));
  OK(sdxl_job_free(first));
  OK(sdxl_job_free(second));
  OK(sdxl_job_free(third));
  OK(sdxl_pipeline_free(clone));
  OK(sdxl_request_free(longer));
}

// A callback that uses the library as any other code may.
typedef struct {
  sdxl_pipeline pipeline;
  sdxl_request request;
  int calls;
} re_entrant;

static int32_t re_enter(void *user_data, sdxl_job job, const sdxl_progress *progress) {
  re_entrant *self = user_data;
  sdxl_image preview;
  uint32_t width, height;
  self->calls++;
  if (progress->step == 0) {
    EXPECT_STATUS(SDXL_STATUS_UNFINISHED, sdxl_job_preview(job, 0, &preview));
    return SDXL_FLOW_CONTINUE;
  }
  OK(sdxl_job_preview(job, 0, &preview));
  OK(sdxl_image_size(preview, &width, &height));
  EXPECT(width == 8 && height == 8);
  OK(sdxl_image_free(preview));
  EXPECT_STATUS(SDXL_STATUS_INVALID_VALUE, sdxl_job_preview(job, 9, &preview));
  // What would wait for this very thread gives the answer at once.
  EXPECT_STATUS(SDXL_STATUS_UNFINISHED, sdxl_job_wait(job, -1));
  sdxl_image image;
  size_t count;
  EXPECT_STATUS(SDXL_STATUS_UNFINISHED, sdxl_pipeline_generate(self->pipeline, self->request, &image, 1, &count));
  sdxl_job next = start(self->pipeline, self->request);
  OK(sdxl_job_free(next));
  if (progress->step == 2) {
    // Another pipeline of the same weights works meanwhile.
    sdxl_pipeline clone;
    OK(sdxl_pipeline_clone(self->pipeline, &clone));
    draws_the_same(clone, self->request);
    OK(sdxl_pipeline_free(clone));
  }
  if (progress->step == 3) {
    // Whether other work is wanted is another question than whether this job is.
    sdxl_pipeline clone;
    OK(sdxl_job_cancel(job));
    OK(sdxl_pipeline_clone(self->pipeline, &clone));
    draws_the_same(clone, self->request);
    OK(sdxl_pipeline_free(clone));
    sdxl_latents noise;
    OK(sdxl_latents_new_noise(&(uint64_t){5}, 1, 4, 8, 8, 0, &noise));
    sdxl_image decoded;
    OK(sdxl_pipeline_decode(self->pipeline, noise, &decoded, 1, &count));
    OK(sdxl_image_free(decoded));
    OK(sdxl_latents_free(noise));
    OK(sdxl_job_free(job));
    EXPECT_STATUS(SDXL_STATUS_INVALID_HANDLE, sdxl_job_cancel(job));
  }
  return SDXL_FLOW_CONTINUE;
}

static void callbacks_may_re_enter(sdxl_pipeline pipeline, sdxl_request request) {
  re_entrant self = {pipeline, request, 0};
  sdxl_job job;
  OK(sdxl_job_start(pipeline, request, re_enter, &self, &job));
  // It frees itself; the one behind it ends after it.
  sdxl_job behind = start(pipeline, request);
  OK(sdxl_job_wait(behind, -1));
  OK(sdxl_job_free(behind));
  EXPECT(self.calls == 4);
  EXPECT_STATUS(SDXL_STATUS_INVALID_HANDLE, sdxl_job_free(job));
}

// A slow callback: freeing its job waits for it, and it is not called again.
static int in_callback, calls_after_free, is_freed;

static int32_t slow(void *user_data, sdxl_job job, const sdxl_progress *progress) {
  (void)user_data, (void)job, (void)progress;
  if (__atomic_load_n(&is_freed, __ATOMIC_SEQ_CST)) calls_after_free++;
  __atomic_store_n(&in_callback, 1, __ATOMIC_SEQ_CST);
  struct timespec pause = {.tv_nsec = 20000000};
  nanosleep(&pause, NULL);
  __atomic_store_n(&in_callback, 0, __ATOMIC_SEQ_CST);
  return SDXL_FLOW_CONTINUE;
}

static void *wait_for(void *job) {
  return (void *)(intptr_t)sdxl_job_wait(*(sdxl_job *)job, -1);
}

static void everything_may_be_freed_while_it_runs(sdxl_pipeline pipeline, sdxl_request request) {
  for (int round = 0; round < 5; round++) {
    sdxl_job job;
    pthread_t waiter;
    void *status;
    is_freed = 0;
    OK(sdxl_job_start(pipeline, request, slow, NULL, &job));
    sdxl_job copy = job;
    EXPECT(pthread_create(&waiter, NULL, wait_for, &copy) == 0);
    while (!__atomic_load_n(&in_callback, __ATOMIC_SEQ_CST)) sched_yield();
    OK(sdxl_job_free(job));
    EXPECT(!__atomic_load_n(&in_callback, __ATOMIC_SEQ_CST));
    __atomic_store_n(&is_freed, 1, __ATOMIC_SEQ_CST);
    EXPECT_STATUS(SDXL_STATUS_INVALID_HANDLE, sdxl_job_free(job));
    pthread_join(waiter, &status);
    // It waited already, or came too late.
    EXPECT((intptr_t)status == SDXL_STATUS_CANCELLED || (intptr_t)status == SDXL_STATUS_INVALID_HANDLE);
  }
  draws_the_same(pipeline, request);
  EXPECT(calls_after_free == 0);

  // The pipeline and the request go, the job stays.
  sdxl_pipeline clone;
  sdxl_request own = new_request("a cat", STEPS);
  OK(sdxl_pipeline_clone(pipeline, &clone));
  sdxl_job job = start(clone, own);
  OK(sdxl_pipeline_free(clone));
  OK(sdxl_request_free(own));
  EXPECT_STATUS(SDXL_STATUS_INVALID_HANDLE, sdxl_pipeline_free(clone));
  OK(sdxl_job_wait(job, -1));
  OK(sdxl_job_free(job));
}

static void a_job_carries_its_own_error(sdxl_pipeline pipeline) {
  sdxl_request request = new_request("a cat", STEPS);
  // A multiple of 8, as requests need, but not of what this is too many steps for.
  sdxl_scheduler scheduler;
  double timesteps[] = {900, 500, 100};
  OK(sdxl_scheduler_from_pipeline(pipeline, &scheduler));
  OK(sdxl_scheduler_set_timesteps(scheduler, timesteps, 3));
  OK(sdxl_request_set_scheduler(request, scheduler));
  OK(sdxl_scheduler_free(scheduler));
  sdxl_job job = start(pipeline, request);
  for (int again = 0; again < 2; again++) {
    EXPECT_STATUS(SDXL_STATUS_INVALID_VALUE, sdxl_job_wait(job, -1));
    EXPECT(strstr(sdxl_last_error_message(), "steps is 6, expected 3") != NULL);
  }
  EXPECT(poll_job(job).state == SDXL_JOB_STATE_FAILED);
  OK(sdxl_job_free(job));
  OK(sdxl_request_free(request));
}

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  sdxl_pipeline pipeline = load(argv[1]);
  sdxl_request request = new_request("a cat", STEPS);
  OK(sdxl_request_set_seed(request, 5));
  draw(pipeline, request, expected);
  progress_is_told(pipeline, request);
  cancelling_leaves_nothing_behind(pipeline, request);
  a_job_ends_within_a_step(pipeline);
  jobs_wait_for_their_turn(pipeline, request);
  callbacks_may_re_enter(pipeline, request);
  everything_may_be_freed_while_it_runs(pipeline, request);
  a_job_carries_its_own_error(pipeline);
  draws_the_same(pipeline, request);
  OK(sdxl_request_free(request));
  OK(sdxl_pipeline_free(pipeline));
  puts("jobs: good");
  return 0;
}
