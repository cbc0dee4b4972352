// In a fork of a process that has used the library, calls are refused instead of hanging. No argument.
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

int main(void) {
  sdxl_scheduler scheduler;
  OK(sdxl_scheduler_new("euler", &scheduler));
  pid_t child = fork();
  if (child == 0) {
    EXPECT_STATUS(SDXL_STATUS_FORKED, sdxl_scheduler_set_eta(scheduler, 0));
    EXPECT_STATUS(SDXL_STATUS_FORKED, sdxl_scheduler_free(scheduler));
    _exit(0);
  }
  int status;
  EXPECT(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  OK(sdxl_scheduler_free(scheduler));
  puts("fork: good");
  return 0;
}
