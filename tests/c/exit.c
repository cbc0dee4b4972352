// How a process may end that has used the library. Arguments: what is done then, how, a tiny model. The exit status is 7.
#include <pthread.h>
#include <time.h>

#include "check.h"

static const char *how;

static void pause_for(long nanoseconds) {
  struct timespec pause = {.tv_nsec = nanoseconds};
  nanosleep(&pause, NULL);
}

// A job that has many steps to go, and has taken that many.
static sdxl_job under_way(const char *model, uint32_t steps) {
  sdxl_job job = start(load(model), new_request("a dog", 900));
  while (poll_job(job).step < steps) {
    EXPECT(poll_job(job).state < SDXL_JOB_STATE_FINISHED);
    pause_for(1000000);
  }
  return job;
}

static void *leave(void *argument) {
  (void)argument;
  exit(7);
}

// The process may end at any moment of these; what they call may fail from then on.
static void *load_again_and_again(void *model) {
  sdxl_pipeline_options options;
  sdxl_pipeline pipeline;
  OK(sdxl_pipeline_options_new(model, &options));
  isolate(options);
  for (;;) {
    if (sdxl_pipeline_load(options, &pipeline) == SDXL_STATUS_OK) sdxl_pipeline_free(pipeline);
  }
  return NULL;
}

static void *draw_again_and_again(void *model) {
  sdxl_pipeline pipeline = load(model);
  sdxl_request request = new_request("a dog", 3);
  for (;;) {
    sdxl_job drawing;
    if (sdxl_job_start(pipeline, request, NULL, NULL, &drawing) == SDXL_STATUS_OK) {
      sdxl_job_wait(drawing, -1);
      sdxl_job_free(drawing);
    }
  }
  return NULL;
}

static int32_t leave_at_the_third_step(void *user_data, sdxl_job drawing, const sdxl_progress *progress) {
  (void)user_data;
  (void)drawing;
  if (progress->step == 3) exit(7);
  return SDXL_FLOW_CONTINUE;
}

static int in_callback;

static int32_t take_long(void *user_data, sdxl_job drawing, const sdxl_progress *progress) {
  (void)user_data;
  (void)drawing;
  if (progress->step == 1) {
    __atomic_store_n(&in_callback, 1, __ATOMIC_SEQ_CST);
    pause_for(300000000);
  }
  return SDXL_FLOW_CONTINUE;
}

// What static objects of C++ do.
static sdxl_job job, behind;

static void wait_and_free(void) {
  EXPECT(sdxl_job_wait(job, -1) != SDXL_STATUS_UNFINISHED);
  OK(sdxl_job_free(job));
  if (behind.id != 0) {
    EXPECT_STATUS(SDXL_STATUS_CANCELLED, sdxl_job_wait(behind, -1));
    OK(sdxl_job_free(behind));
  }
}

static int end(void) {
  pthread_t thread;
  if (strcmp(how, "return") == 0) return 7;
  if (strcmp(how, "_Exit") == 0) _Exit(7);
  EXPECT(strcmp(how, "exit in a thread") == 0 && pthread_create(&thread, NULL, leave, NULL) == 0);
  pthread_join(thread, NULL);
  return 1;
}

int main(int argc, char **argv) {
  EXPECT(argc == 4);
  const char *what = argv[1];
  char *model = argv[3];
  how = argv[2];
  pthread_t thread;
  // Nothing is freed. With SDXL_TEST_ISOLATION the job runs in another process.
  if (strcmp(what, "started") == 0) {
    under_way(model, 0);
  } else if (strcmp(what, "drawing") == 0) {
    under_way(model, 1);
  } else if (strcmp(what, "drawing, freed at the end") == 0) {
    EXPECT(atexit(wait_and_free) == 0);
    job = under_way(model, 1);
  } else if (strcmp(what, "in a callback, freed at the end") == 0) {
    EXPECT(atexit(wait_and_free) == 0);
    sdxl_pipeline pipeline = load(model);
    sdxl_request request = new_request("a dog", 900);
    OK(sdxl_job_start(pipeline, request, take_long, NULL, &job));
    behind = start(pipeline, request);
    while (!__atomic_load_n(&in_callback, __ATOMIC_SEQ_CST)) pause_for(1000000);
  } else if (strcmp(what, "cancelled") == 0) {
    sdxl_job drawing = under_way(model, 1);
    OK(sdxl_job_cancel(drawing));
    EXPECT_STATUS(SDXL_STATUS_CANCELLED, sdxl_job_wait(drawing, -1));
  } else if (strcmp(what, "calling back") == 0) {
    sdxl_job started;
    OK(sdxl_job_start(load(model), new_request("a dog", 900), leave_at_the_third_step, NULL, &started));
    sdxl_job_wait(started, -1);
  } else {
    // This thread has never called the library.
    void *(*work)(void *) = strcmp(what, "loading") == 0 ? load_again_and_again : draw_again_and_again;
    EXPECT(pthread_create(&thread, NULL, work, model) == 0);
    pause_for(900000000);
  }
  return end();
}
