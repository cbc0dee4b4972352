// A pipeline in a process of its own, and what may happen to that process. Arguments: what to do, a tiny model, and what
// that needs.
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { MOST = 16 };

static uint8_t expected[PICTURE], found[PICTURE];

static void pause_for(long milliseconds) {
  struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
  nanosleep(&pause, NULL);
}

// The processes that this one has started, dead ones that nobody has waited for included.
static int children(pid_t pids[MOST]) {
  int count = 0;
  DIR *all = opendir("/proc");
  EXPECT(all != NULL);
  for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
    char path[300], stat[512] = {0};
    int pid = atoi(entry->d_name), parent = 0;
    if (pid <= 0) continue;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) continue;
    size_t length = fread(stat, 1, sizeof stat - 1, file);
    fclose(file);
    stat[length] = 0;
    const char *name_end = strrchr(stat, ')');
    if (name_end == NULL || sscanf(name_end + 1, " %*c %d", &parent) != 1 || parent != getpid()) continue;
    EXPECT(count < MOST);
    pids[count++] = pid;
  }
  closedir(all);
  return count;
}

static int descriptors(void) {
  int count = 0;
  DIR *all = opendir("/proc/self/fd");
  EXPECT(all != NULL);
  while (readdir(all) != NULL) count++;
  closedir(all);
  return count;
}

static int shared_files(void) {
  int count = 0;
  DIR *all = opendir("/dev/shm");
  if (all == NULL) return 0;
  while (readdir(all) != NULL) count++;
  closedir(all);
  return count;
}

static pid_t worker(void) {
  pid_t pids[MOST];
  EXPECT(children(pids) == 1);
  return pids[0];
}

static void expect_no_worker(void) {
  pid_t pids[MOST];
  // A job that was freed while it ran ends within a step.
  for (int i = 0; children(pids) != 0 && i < 500; i++) pause_for(10);
  EXPECT(children(pids) == 0);
}

static sdxl_pipeline load_with(const char *model, const char *program) {
  sdxl_pipeline_options options;
  sdxl_pipeline pipeline;
  OK(sdxl_pipeline_options_new(model, &options));
  OK(sdxl_pipeline_options_set_isolation(options, "process"));
  if (program != NULL) OK(sdxl_pipeline_options_set_worker(options, program));
  OK(sdxl_pipeline_load(options, &pipeline));
  OK(sdxl_pipeline_options_free(options));
  return pipeline;
}

static void draws_the_same(sdxl_pipeline pipeline, sdxl_request request) {
  draw(pipeline, request, found);
  EXPECT(memcmp(expected, found, PICTURE) == 0);
}

// A job that has taken a step and has many to go.
static sdxl_job under_way(sdxl_pipeline pipeline) {
  sdxl_request request = new_request("a dog", 400);
  sdxl_job job = start(pipeline, request);
  OK(sdxl_request_free(request));
  while (poll_job(job).step == 0) {
    EXPECT(poll_job(job).state < SDXL_JOB_STATE_FINISHED);
    pause_for(1);
  }
  return job;
}

static void ends_with(sdxl_job job, const char *message) {
  sdxl_image image;
  size_t count;
  EXPECT_STATUS(SDXL_STATUS_WORKER, sdxl_job_wait(job, -1));
  EXPECT(strstr(sdxl_last_error_message(), message) != NULL);
  EXPECT_STATUS(SDXL_STATUS_WORKER, sdxl_job_take_images(job, &image, 1, &count));
  EXPECT(poll_job(job).state == SDXL_JOB_STATE_FAILED);
  OK(sdxl_job_free(job));
}

static void killed(const char *model) {
  sdxl_pipeline in_process = load(model), pipeline = load_with(model, NULL);
  sdxl_request request = new_request("a cat", 3);
  draw(in_process, request, expected);
  OK(sdxl_pipeline_free(in_process));
  draws_the_same(pipeline, request);
  pid_t before = worker();
  for (int round = 0; round < 3; round++) {
    sdxl_job job = under_way(pipeline);
    sdxl_job behind = start(pipeline, request);
    EXPECT(kill(worker(), round == 2 ? SIGABRT : SIGKILL) == 0);
    ends_with(job, round == 2 ? "the worker process was ended by signal 6" : "the worker process was ended by signal 9");
    // The next one has a new process.
    OK(sdxl_job_wait(behind, -1));
    OK(sdxl_job_free(behind));
    draws_the_same(pipeline, request);
    EXPECT(worker() != before);
    before = worker();
  }
  // While it has nothing to do.
  EXPECT(kill(worker(), SIGKILL) == 0);
  pause_for(200);
  draws_the_same(pipeline, request);

  // With two jobs at once, and one of a pipeline that another was made of.
  sdxl_pipeline clone, without_loras;
  OK(sdxl_pipeline_clone(pipeline, &clone));
  OK(sdxl_pipeline_with_loras(pipeline, NULL, 0, &without_loras));
  sdxl_job jobs[] = {under_way(pipeline), under_way(clone), under_way(without_loras)};
  EXPECT(kill(worker(), SIGKILL) == 0);
  for (int i = 0; i < 3; i++) ends_with(jobs[i], "signal 9");
  draws_the_same(without_loras, request);
  draws_the_same(clone, request);
  draws_the_same(pipeline, request);
  worker();

  // One that hangs ends too.
  EXPECT(kill(worker(), SIGSTOP) == 0);
  OK(sdxl_pipeline_free(clone));
  OK(sdxl_pipeline_free(without_loras));
  OK(sdxl_pipeline_free(pipeline));
  expect_no_worker();
  OK(sdxl_request_free(request));
}

static void rounds(const char *model, int count) {
  int open = 0, files = 0;
  for (int round = 0; round <= count; round++) {
    sdxl_pipeline pipeline = load_with(model, NULL);
    sdxl_request request = new_request("a cat", 1 + round % 3);
    sdxl_job job = start(pipeline, request);
    // In any order, and at any time.
    if (round % 2 == 0) OK(sdxl_job_wait(job, -1));
    if (round % 3 == 0) OK(sdxl_job_free(job));
    OK(sdxl_pipeline_free(pipeline));
    if (round % 3 != 0) OK(sdxl_job_free(job));
    OK(sdxl_request_free(request));
    if (round == 0) {
      expect_no_worker();
      pause_for(200);
      open = descriptors();
      files = shared_files();
    }
  }
  expect_no_worker();
  // The last thing that a process leaves here.
  for (int i = 0; descriptors() != open && i < 500; i++) pause_for(10);
  EXPECT(descriptors() == open);
  EXPECT(shared_files() <= files);
}

// Prints the number of the worker's process, and ends while that works.
static void ends(const char *model, int by_signal) {
  sdxl_pipeline pipeline = load_with(model, NULL);
  under_way(pipeline);
  printf("%d\n", (int)worker());
  fflush(stdout);
  if (by_signal) raise(SIGKILL);
  _exit(0);
}

static void strange_signals(const char *model) {
  signal(SIGCHLD, SIG_IGN);
  signal(SIGPIPE, SIG_DFL);
  sdxl_pipeline pipeline = load_with(model, NULL);
  sdxl_request request = new_request("a cat", 2);
  draw(pipeline, request, expected);
  sdxl_job job = under_way(pipeline);
  kill(worker(), SIGKILL);
  // How it ended is told to nobody.
  ends_with(job, "the worker process ended");
  draws_the_same(pipeline, request);
  kill(worker(), SIGKILL);
  pause_for(200);
  draws_the_same(pipeline, request);
  OK(sdxl_pipeline_free(pipeline));
  expect_no_worker();
  signal(SIGPIPE, SIG_IGN);
  pipeline = load_with(model, NULL);
  draws_the_same(pipeline, request);
  OK(sdxl_pipeline_free(pipeline));
  OK(sdxl_request_free(request));
}

static void inherits_nothing(const char *model) {
  int ends[2];
  struct stat pipe_status, status;
  EXPECT(pipe(ends) == 0 && fstat(ends[0], &pipe_status) == 0);
  int high = fcntl(ends[1], F_DUPFD, 700);
  EXPECT(high >= 700);
  sdxl_pipeline pipeline = load_with(model, NULL);
  char path[300];
  snprintf(path, sizeof path, "/proc/%d/fd", (int)worker());
  DIR *all = opendir(path);
  EXPECT(all != NULL);
  for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
    int number = atoi(entry->d_name);
    // The standard streams are meant to be there.
    if (entry->d_name[0] == '.' || number == STDERR_FILENO) continue;
    snprintf(path, sizeof path, "/proc/%d/fd/%s", (int)worker(), entry->d_name);
    if (stat(path, &status) == 0) EXPECT(status.st_ino != pipe_status.st_ino || status.st_dev != pipe_status.st_dev);
  }
  closedir(all);
  OK(sdxl_pipeline_free(pipeline));
}

// With the worker of the environment, if that names one.
static void draws(const char *model) {
  sdxl_pipeline in_process = load(model), pipeline = load_with(model, NULL);
  sdxl_request request = new_request("a cat", 3);
  draw(in_process, request, expected);
  draws_the_same(pipeline, request);
  worker();
  OK(sdxl_request_free(request));
  OK(sdxl_pipeline_free(in_process));
  OK(sdxl_pipeline_free(pipeline));
  expect_no_worker();
}

// A program that is no worker of this version.
static void refuses(const char *model, const char *program, const char *message) {
  sdxl_pipeline_options options;
  sdxl_pipeline pipeline;
  OK(sdxl_pipeline_options_new(model, &options));
  OK(sdxl_pipeline_options_set_isolation(options, "process"));
  OK(sdxl_pipeline_options_set_worker(options, program));
  EXPECT_STATUS(SDXL_STATUS_WORKER, sdxl_pipeline_load(options, &pipeline));
  if (strstr(sdxl_last_error_message(), message) == NULL || strstr(sdxl_last_error_message(), program) == NULL) {
    fprintf(stderr, "%s, expected %s\n", sdxl_last_error_message(), message);
    exit(1);
  }
  EXPECT_STATUS(SDXL_STATUS_WORKER, sdxl_pipeline_options_check(options));
  expect_no_worker();
  // Without isolation the program does not matter.
  OK(sdxl_pipeline_options_set_isolation(options, "none"));
  OK(sdxl_pipeline_options_check(options));
  OK(sdxl_pipeline_options_free(options));
}

// Statuses and messages are those of a pipeline in this process.
static void same_errors(const char *model, const char *other) {
  static const char *isolations[] = {"none", "process"};
  char messages[2][3][4096];
  int32_t statuses[2][3];
  for (int i = 0; i < 2; i++) {
    const char *models[] = {"/nowhere/model", other, model};
    for (int j = 0; j < 3; j++) {
      sdxl_pipeline_options options;
      sdxl_pipeline pipeline;
      OK(sdxl_pipeline_options_new(models[j], &options));
      OK(sdxl_pipeline_options_set_isolation(options, isolations[i]));
      statuses[i][j] = sdxl_pipeline_load(options, &pipeline);
      if (j == 2) {
        OK(statuses[i][j]);
        // Of a job: more steps than there are timesteps.
        sdxl_request request = new_request("a cat", 5);
        sdxl_scheduler scheduler;
        OK(sdxl_scheduler_from_pipeline(pipeline, &scheduler));
        OK(sdxl_scheduler_set_timesteps(scheduler, (double[]){900, 500, 100}, 3));
        OK(sdxl_request_set_scheduler(request, scheduler));
        sdxl_job job = start(pipeline, request);
        statuses[i][j] = sdxl_job_wait(job, -1);
        OK(sdxl_job_free(job));
        OK(sdxl_request_free(request));
        OK(sdxl_scheduler_free(scheduler));
        OK(sdxl_pipeline_free(pipeline));
      }
      EXPECT(statuses[i][j] != SDXL_STATUS_OK);
      snprintf(messages[i][j], sizeof messages[i][j], "%s", sdxl_last_error_message());
      OK(sdxl_pipeline_options_free(options));
    }
  }
  for (int j = 0; j < 3; j++) {
    EXPECT(statuses[0][j] == statuses[1][j]);
    EXPECT(strcmp(messages[0][j], messages[1][j]) == 0);
  }
  expect_no_worker();
}

int main(int argc, char **argv) {
  EXPECT(argc >= 3);
  const char *what = argv[1], *model = argv[2];
  if (strcmp(what, "killed") == 0) killed(model);
  else if (strcmp(what, "rounds") == 0) rounds(model, atoi(argv[3]));
  else if (strcmp(what, "ends") == 0) ends(model, 0);
  else if (strcmp(what, "ends by a signal") == 0) ends(model, 1);
  else if (strcmp(what, "strange signals") == 0) strange_signals(model);
  else if (strcmp(what, "inherits nothing") == 0) inherits_nothing(model);
  else if (strcmp(what, "draws") == 0) draws(model);
  else if (strcmp(what, "refuses") == 0) refuses(model, argv[3], argv[4]);
  else if (strcmp(what, "same errors") == 0) same_errors(model, argv[3]);
  else EXPECT(!"a thing to do");
  return 0;
}
