// What the short examples share: the first thing that goes wrong ends the program with its message.
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <sdxl.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call)                                                \
  do {                                                           \
    if ((call) != SDXL_STATUS_OK) fail(#call);                   \
  } while (0)

static inline void fail(const char *call) {
  fprintf(stderr, "%s: %s\n", call, sdxl_last_error_message());
  fflush(NULL);
  exit(1);
}

static inline sdxl_pipeline load(const char *model) {
  sdxl_pipeline_options options;
  sdxl_pipeline pipeline;
  TRY(sdxl_pipeline_options_new(model, &options));
  TRY(sdxl_pipeline_load(options, &pipeline));
  TRY(sdxl_pipeline_options_free(options));
  return pipeline;
}

static inline sdxl_request new_request(const char *prompt) {
  sdxl_conditioning conditioning;
  sdxl_request request;
  TRY(sdxl_conditioning_new(prompt, &conditioning));
  TRY(sdxl_request_new(conditioning, &request));
  TRY(sdxl_conditioning_free(conditioning));
  return request;
}

#endif
