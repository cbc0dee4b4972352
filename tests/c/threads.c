// Sixteen threads use one pipeline, one request, one LoRA and one job, and each makes and frees objects of its own.
// Arguments: a tiny model, a LoRA.
#include <pthread.h>

#include "check.h"

enum { THREADS = 16, ROUNDS = 20 };

static sdxl_pipeline pipeline;
static sdxl_request request;
static sdxl_job job;
static sdxl_lora lora;
static uint8_t expected[PICTURE], styled[PICTURE];
static int frees;

static void *work(void *argument) {
  int number = *(int *)argument;
  uint8_t pixels[PICTURE];
  for (int round = 0; round < ROUNDS; round++) {
    sdxl_pipeline_info info = {.struct_size = sizeof info};
    OK(sdxl_pipeline_get_info(pipeline, &info));
    EXPECT(info.default_width == 64 && info.latent_factor == 8);
    // Every thread sets a value of its own; what another one sets is as good.
    OK(sdxl_request_set_seed(request, (uint64_t)number));
    EXPECT_STATUS(SDXL_STATUS_INVALID_VALUE, sdxl_request_set_steps(request, 0));
    // The message is this thread's.
    EXPECT_STATUS(SDXL_STATUS_INVALID_VALUE, sdxl_request_set_steps(request, 1000 + (uint32_t)number + 1));
    char text[64];
    snprintf(text, sizeof text, "steps is %d,", 1000 + number + 1);
    EXPECT(strncmp(sdxl_last_error_message(), text, strlen(text)) == 0);
    sdxl_request own = new_request("a cat", 2);
    if (round % 10 == 0) {
      draw(pipeline, own, pixels);
      EXPECT(memcmp(pixels, expected, PICTURE) == 0);
      sdxl_pipeline with;
      OK(sdxl_pipeline_with_loras(pipeline, &lora, 1, &with));
      draw(with, own, pixels);
      EXPECT(memcmp(pixels, styled, PICTURE) == 0);
      OK(sdxl_pipeline_free(with));
    }
    OK(sdxl_request_free(own));
    EXPECT_STATUS(SDXL_STATUS_INVALID_HANDLE, sdxl_request_free(own));
    poll_job(job);
    OK(sdxl_job_wait(job, -1));
  }
  return NULL;
}

static void *free_it(void *argument) {
  (void)argument;
  int32_t status = sdxl_request_free(request);
  EXPECT(status == SDXL_STATUS_OK || status == SDXL_STATUS_INVALID_HANDLE);
  if (status == SDXL_STATUS_OK) __atomic_add_fetch(&frees, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void run(void *(*body)(void *)) {
  pthread_t threads[THREADS];
  int numbers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    numbers[i] = i;
    EXPECT(pthread_create(&threads[i], NULL, body, &numbers[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

int main(int argc, char **argv) {
  EXPECT(argc == 3);
  pipeline = load(argv[1]);
  sdxl_request first = new_request("a cat", 2);
  draw(pipeline, first, expected);
  sdxl_pipeline with;
  OK(sdxl_lora_open(argv[2], &lora));
  OK(sdxl_pipeline_with_loras(pipeline, &lora, 1, &with));
  draw(with, first, styled);
  OK(sdxl_pipeline_free(with));
  EXPECT(memcmp(expected, styled, PICTURE) != 0);
  job = start(pipeline, first);
  request = new_request("shared", 3);
  run(work);
  // One of all wins.
  run(free_it);
  EXPECT(frees == 1);
  OK(sdxl_lora_free(lora));
  OK(sdxl_job_free(job));
  OK(sdxl_request_free(first));
  OK(sdxl_pipeline_free(pipeline));
  puts("threads: good");
  return 0;
}
