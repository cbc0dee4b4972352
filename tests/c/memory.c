// Rounds of load, adapt, generate and free leave the memory as it was. Arguments: a tiny model, the number of rounds, a
// LoRA, a textual inversion.
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

// One pipeline after the other with another weight, and one with new words.
static void adapt(sdxl_pipeline pipeline, sdxl_request request, char **files) {
  uint8_t pixels[PICTURE];
  sdxl_lora lora;
  sdxl_textual_inversion inversion;
  sdxl_pipeline with_lora, with_both;
  OK(sdxl_lora_open(files[0], &lora));
  OK(sdxl_textual_inversion_open(files[1], &inversion));
  for (int i = 0; i < 2; i++) {
    OK(sdxl_lora_set_weight(lora, i));
    OK((i == 0 ? sdxl_pipeline_with_loras : sdxl_pipeline_with_merged_loras)(pipeline, &lora, 1, &with_lora));
    OK(sdxl_pipeline_with_textual_inversions(with_lora, &inversion, 1, &with_both));
    OK(sdxl_pipeline_free(with_lora));
    draw(with_both, request, pixels);
    OK(sdxl_pipeline_free(with_both));
  }
  OK(sdxl_textual_inversion_free(inversion));
  OK(sdxl_lora_free(lora));
}

static void round_of(const char *model, char **files) {
  uint8_t pixels[PICTURE];
  sdxl_pipeline pipeline = load(model);
  sdxl_request request = new_request("a cat", 2);
  draw(pipeline, request, pixels);
  adapt(pipeline, request, files);
  sdxl_job job = start(pipeline, request);
  OK(sdxl_job_cancel(job));
  EXPECT(sdxl_job_wait(job, -1) != SDXL_STATUS_UNFINISHED);
  OK(sdxl_job_free(job));
  OK(sdxl_request_free(request));
  OK(sdxl_pipeline_free(pipeline));
}

int main(int argc, char **argv) {
  EXPECT(argc == 5);
  int rounds = atoi(argv[2]);
  for (int i = 0; i < rounds; i++) round_of(argv[1], argv + 3);
  size_t before = in_use();
  long resident = resident_kilobytes();
  for (int i = 0; i < rounds; i++) round_of(argv[1], argv + 3);
  long growth = (long)in_use() - (long)before;
  printf("memory: %zu kB in use after %d rounds, and %ld bytes more after as many again; resident %ld kB, then %ld kB\n",
         before / 1000, rounds, growth, resident, resident_kilobytes());
  EXPECT(growth < (long)before / 100);
  return 0;
}
