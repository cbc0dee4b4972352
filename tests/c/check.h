// What the C tests share: checks that say where they failed, and a tiny model.
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sdxl.h>

#include "expect.h"

// The call ends with this status; a failure has a message.
#define EXPECT_STATUS(expected, call)                                                                   \
  do {                                                                                                  \
    int32_t found_ = (call);                                                                            \
    if (found_ != (expected)) {                                                                         \
      fprintf(stderr, "%s:%d: %s: %s, expected %s (%s)\n", __FILE__, __LINE__, #call,                   \
              sdxl_status_name(found_), sdxl_status_name(expected), sdxl_last_error_message());         \
      exit(1);                                                                                          \
    }                                                                                                   \
    EXPECT(found_ == SDXL_STATUS_OK || sdxl_last_error_message()[0] != 0);                              \
  } while (0)

#define OK(call) EXPECT_STATUS(SDXL_STATUS_OK, call)

// The same program serves for a pipeline in a process of its own.
static inline void isolate(sdxl_pipeline_options options) {
  const char *isolation = getenv("SDXL_TEST_ISOLATION");
  if (isolation != NULL) OK(sdxl_pipeline_options_set_isolation(options, isolation));
}

static inline sdxl_pipeline load(const char *model) {
  sdxl_pipeline_options options;
  sdxl_pipeline pipeline;
  OK(sdxl_pipeline_options_new(model, &options));
  isolate(options);
  OK(sdxl_pipeline_load(options, &pipeline));
  OK(sdxl_pipeline_options_free(options));
  return pipeline;
}

static inline sdxl_request new_request(const char *prompt, uint32_t steps) {
  sdxl_conditioning conditioning;
  sdxl_request request;
  OK(sdxl_conditioning_new(prompt, &conditioning));
  OK(sdxl_request_new(conditioning, &request));
  OK(sdxl_conditioning_free(conditioning));
  OK(sdxl_request_set_steps(request, steps));
  return request;
}

static inline sdxl_job start(sdxl_pipeline pipeline, sdxl_request request) {
  sdxl_job job;
  OK(sdxl_job_start(pipeline, request, NULL, NULL, &job));
  return job;
}

static inline sdxl_progress poll_job(sdxl_job job) {
  sdxl_progress progress = {.struct_size = sizeof progress};
  OK(sdxl_job_poll(job, &progress));
  return progress;
}

// The bytes of a picture of the tiny model, 64 x 64; the handle is freed.
enum { PICTURE = 64 * 64 * 3 };

static inline void pixels_of(sdxl_image image, uint8_t pixels[PICTURE]) {
  OK(sdxl_image_copy_pixels(image, NULL, pixels, PICTURE));
  OK(sdxl_image_free(image));
}

static inline void draw(sdxl_pipeline pipeline, sdxl_request request, uint8_t pixels[PICTURE]) {
  sdxl_image image;
  size_t count;
  OK(sdxl_pipeline_generate(pipeline, request, &image, 1, &count));
  EXPECT(count == 1);
  pixels_of(image, pixels);
}

#endif
