// Valid objects of every type, for the generated test of invalid arguments.
#ifndef FIXTURES_H
#define FIXTURES_H

#include <pthread.h>

#include "check.h"

static const char *model_path;
static sdxl_pipeline the_pipeline;
static char scratch_path[4096], lora_path[4096], inversion_path[4096], scheduler_path[4096];

static int failures, checks;

// A call with one invalid argument: any status but success, and a message that is this call's.
#define REFUSED(call)                                                            \
  do {                                                                           \
    sdxl_status status_;                                                         \
    /* Another message first, so that an old one is not taken for a new one. */  \
    sdxl_check_device("marker");                                                 \
    status_ = (call);                                                            \
    checks++;                                                                    \
    if (status_ == SDXL_STATUS_OK || status_ == SDXL_STATUS_INTERNAL ||          \
        strcmp(sdxl_status_name(status_), "unknown") == 0 ||                     \
        sdxl_last_error_message()[0] == 0 ||                                     \
        strstr(sdxl_last_error_message(), "marker") != NULL) {                   \
      fprintf(stderr, "%s: %s, message: %s\n", #call, sdxl_status_name(status_), \
              sdxl_last_error_message());                                        \
      failures++;                                                                \
    }                                                                            \
  } while (0)

static inline sdxl_pipeline_options make_pipeline_options(void) {
  sdxl_pipeline_options options;
  OK(sdxl_pipeline_options_new(model_path, &options));
  isolate(options);
  return options;
}

static inline sdxl_pipeline_options make_options_in_memory(void) {
  sdxl_pipeline_options options;
  OK(sdxl_pipeline_options_new_in_memory("painter", &options));
  isolate(options);
  return options;
}

static inline sdxl_pipeline make_pipeline(void) {
  sdxl_pipeline pipeline;
  OK(sdxl_pipeline_clone(the_pipeline, &pipeline));
  return pipeline;
}

static inline sdxl_lora make_lora(void) {
  sdxl_lora lora;
  OK(sdxl_lora_open(lora_path, &lora));
  return lora;
}

static inline sdxl_textual_inversion make_textual_inversion(void) {
  sdxl_textual_inversion inversion;
  OK(sdxl_textual_inversion_open(inversion_path, &inversion));
  return inversion;
}

// One with a LoRA and a textual inversion.
static inline sdxl_pipeline make_adapted_pipeline(void) {
  sdxl_lora lora = make_lora();
  sdxl_textual_inversion inversion = make_textual_inversion();
  sdxl_pipeline with_lora, with_both;
  OK(sdxl_pipeline_with_loras(the_pipeline, &lora, 1, &with_lora));
  OK(sdxl_pipeline_with_textual_inversions(with_lora, &inversion, 1, &with_both));
  OK(sdxl_pipeline_free(with_lora));
  OK(sdxl_textual_inversion_free(inversion));
  OK(sdxl_lora_free(lora));
  return with_both;
}

static inline sdxl_conditioning make_conditioning(void) {
  sdxl_conditioning conditioning;
  OK(sdxl_conditioning_new("a cat", &conditioning));
  return conditioning;
}

static inline sdxl_request make_request(void) { return new_request("a cat", 1); }

static inline sdxl_scheduler make_scheduler(void) {
  sdxl_scheduler scheduler;
  OK(sdxl_scheduler_new("ddim", &scheduler));
  return scheduler;
}

static inline sdxl_scheduler make_karras_scheduler(void) {
  sdxl_scheduler scheduler;
  OK(sdxl_scheduler_new("euler", &scheduler));
  OK(sdxl_scheduler_set_spacing(scheduler, "karras"));
  return scheduler;
}

static inline sdxl_image make_image(void) {
  static const uint8_t pixels[PICTURE] = {1, 2, 3};
  sdxl_image image;
  OK(sdxl_image_new(64, 64, NULL, pixels, PICTURE, &image));
  return image;
}

static inline sdxl_request make_image_request(void) {
  sdxl_request request = make_request();
  sdxl_image image = make_image();
  OK(sdxl_request_set_image(request, image));
  OK(sdxl_image_free(image));
  return request;
}

static inline sdxl_request make_inpaint_request(void) {
  static uint8_t pixels[PICTURE];
  sdxl_request request = make_request();
  sdxl_image image = make_image(), mask;
  memset(pixels + PICTURE / 2, 255, 1000);
  OK(sdxl_image_new(64, 64, NULL, pixels, PICTURE, &mask));
  OK(sdxl_request_set_inpaint(request, image, mask, 0.));
  OK(sdxl_image_free(image));
  OK(sdxl_image_free(mask));
  return request;
}

static inline sdxl_latents make_latents(void) {
  static const float values[4 * 8 * 8] = {1.f};
  static const uint32_t shape[4] = {1, 4, 8, 8};
  sdxl_latents latents;
  OK(sdxl_latents_new(values, 4 * 8 * 8, shape, &latents));
  return latents;
}

static inline sdxl_embeddings make_embeddings(void) {
  static const float context[77 * 8] = {1.f}, pooled[4] = {1.f};
  sdxl_embeddings embeddings;
  OK(sdxl_embeddings_new(context, 77 * 8, pooled, 4, 1, 77, &embeddings));
  return embeddings;
}

static inline sdxl_conditioning make_conditioning_of_embeddings(void) {
  sdxl_embeddings embeddings = make_embeddings();
  sdxl_conditioning conditioning;
  OK(sdxl_conditioning_from_embeddings(embeddings, &conditioning));
  OK(sdxl_embeddings_free(embeddings));
  return conditioning;
}

// One that has finished.
static inline sdxl_job make_job(void) {
  sdxl_request request = make_request();
  sdxl_job job = start(the_pipeline, request);
  OK(sdxl_request_free(request));
  OK(sdxl_job_wait(job, -1));
  return job;
}

static pthread_mutex_t pause = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t paused = PTHREAD_COND_INITIALIZER;
static int is_paused, goes_on;

static int32_t pause_after_a_step(void *user_data, sdxl_job job, const sdxl_progress *progress) {
  (void)user_data, (void)job;
  if (progress->step == 0) return SDXL_FLOW_CONTINUE;
  pthread_mutex_lock(&pause);
  is_paused = 1;
  pthread_cond_broadcast(&paused);
  while (!goes_on) pthread_cond_wait(&paused, &pause);
  pthread_mutex_unlock(&pause);
  return SDXL_FLOW_CONTINUE;
}

// One that has taken its first step and waits.
static inline sdxl_job make_paused_job(void) {
  sdxl_request request = make_request();
  sdxl_job job;
  pthread_mutex_lock(&pause);
  is_paused = goes_on = 0;
  pthread_mutex_unlock(&pause);
  OK(sdxl_job_start(the_pipeline, request, pause_after_a_step, NULL, &job));
  OK(sdxl_request_free(request));
  pthread_mutex_lock(&pause);
  while (!is_paused) pthread_cond_wait(&paused, &pause);
  pthread_mutex_unlock(&pause);
  return job;
}

static inline void go_on(void) {
  pthread_mutex_lock(&pause);
  goes_on = 1;
  pthread_cond_broadcast(&paused);
  pthread_mutex_unlock(&pause);
}

#endif
