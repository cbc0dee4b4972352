// In a fork of a process that has used the library, calls are refused instead of hanging, and the process goes on drawing.
// Argument: a tiny model.
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

// Whether a fork ends by itself, with status 0.
static void forks(void (*child)(void), void (*leave)(int)) {
  pid_t pid = fork();
  if (pid == 0) {
    // One that hangs is ended.
    alarm(60);
    child();
    leave(0);
  }
  int status;
  EXPECT(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static sdxl_scheduler scheduler;
static sdxl_pipeline pipeline;
static sdxl_request request;
static sdxl_job job;

static void refused(void) {
  EXPECT_STATUS(SDXL_STATUS_FORKED, sdxl_scheduler_set_eta(scheduler, 0));
  EXPECT_STATUS(SDXL_STATUS_FORKED, sdxl_scheduler_free(scheduler));
}

static void refused_while_it_draws(void) {
  sdxl_image image;
  size_t count;
  EXPECT_STATUS(SDXL_STATUS_FORKED, sdxl_job_wait(job, -1));
  EXPECT_STATUS(SDXL_STATUS_FORKED, sdxl_job_cancel(job));
  EXPECT_STATUS(SDXL_STATUS_FORKED, sdxl_job_free(job));
  EXPECT_STATUS(SDXL_STATUS_FORKED, sdxl_pipeline_generate(pipeline, request, &image, 1, &count));
  EXPECT_STATUS(SDXL_STATUS_FORKED, sdxl_pipeline_free(pipeline));
}

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  OK(sdxl_scheduler_new("euler", &scheduler));
  forks(refused, _exit);
  OK(sdxl_scheduler_free(scheduler));

  uint8_t expected[PICTURE], found[PICTURE];
  pipeline = load(argv[1]);
  request = new_request("a cat", 40);
  draw(pipeline, request, expected);
  for (int round = 0; round < 4; round++) {
    job = start(pipeline, request);
    while (poll_job(job).step < (uint32_t)round * 4) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    forks(refused_while_it_draws, round % 2 == 0 ? _exit : exit);
    OK(sdxl_job_wait(job, -1));
    sdxl_image image;
    size_t count;
    OK(sdxl_job_take_images(job, &image, 1, &count));
    EXPECT(count == 1);
    pixels_of(image, found);
    EXPECT(memcmp(expected, found, PICTURE) == 0);
    OK(sdxl_job_free(job));
  }
  OK(sdxl_request_free(request));
  OK(sdxl_pipeline_free(pipeline));
  puts("fork: good");
  return 0;
}
