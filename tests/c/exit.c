// How a process may end that has used the library. Arguments: how, a tiny model. The exit status is 7.
#include <pthread.h>
#include <time.h>

#include "check.h"

// A job that has taken a step and has many to go.
static sdxl_job under_way(sdxl_pipeline pipeline) {
  sdxl_job job = start(pipeline, new_request("a dog", 900));
  while (poll_job(job).step == 0) {
    EXPECT(poll_job(job).state < SDXL_JOB_STATE_FINISHED);
    struct timespec pause = {.tv_nsec = 1000000};
    nanosleep(&pause, NULL);
  }
  return job;
}

static void *leave(void *argument) {
  (void)argument;
  exit(7);
}

int main(int argc, char **argv) {
  EXPECT(argc == 3);
  const char *how = argv[1];
  // Nothing is freed. With SDXL_TEST_ISOLATION the job runs in another process.
  sdxl_job job = under_way(load(argv[2]));
  if (strcmp(how, "at once") == 0) exit(7);
  if (strcmp(how, "at once, without handlers") == 0) _Exit(7);
  OK(sdxl_job_cancel(job));
  EXPECT_STATUS(SDXL_STATUS_CANCELLED, sdxl_job_wait(job, -1));
  if (strcmp(how, "after waiting") == 0) return 7;
  pthread_t thread;
  EXPECT(strcmp(how, "from another thread") == 0 && pthread_create(&thread, NULL, leave, NULL) == 0);
  pthread_join(thread, NULL);
}
