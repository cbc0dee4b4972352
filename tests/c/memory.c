// Rounds of load, generate and free leave the memory as it was. Arguments: a tiny model, the number of rounds.
#include <malloc.h>

#include "check.h"

// Bytes that were allocated and not freed. What the process holds beyond them is the allocator's to keep, and wavers.
static size_t in_use(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

static long resident_kilobytes(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  EXPECT(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
  fclose(file);
  return pages * 4;
}

static void round_of(const char *model) {
  uint8_t pixels[PICTURE];
  sdxl_pipeline pipeline = load(model);
  sdxl_request request = new_request("a cat", 2);
  draw(pipeline, request, pixels);
  sdxl_job job = start(pipeline, request);
  OK(sdxl_job_cancel(job));
  EXPECT(sdxl_job_wait(job, -1) != SDXL_STATUS_UNFINISHED);
  OK(sdxl_job_free(job));
  OK(sdxl_request_free(request));
  OK(sdxl_pipeline_free(pipeline));
}

int main(int argc, char **argv) {
  EXPECT(argc == 3);
  int rounds = atoi(argv[2]);
  for (int i = 0; i < rounds; i++) round_of(argv[1]);
  size_t before = in_use();
  long resident = resident_kilobytes();
  for (int i = 0; i < rounds; i++) round_of(argv[1]);
  long growth = (long)in_use() - (long)before;
  printf("memory: %zu kB in use after %d rounds, and %ld bytes more after as many again; resident %ld kB, then %ld kB\n",
         before / 1000, rounds, growth, resident, resident_kilobytes());
  EXPECT(growth < (long)before / 100);
  return 0;
}
