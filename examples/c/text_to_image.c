// Text to image with progress; Ctrl-C cancels. The same program as text_to_image.rs,
// cpp/text_to_image.cpp and csharp/TextToImage.cs:
//
//   cc text_to_image.c $(pkg-config --cflags --libs sdxl) -o text_to_image
//   ./text_to_image MODEL "a lighthouse in a storm" lighthouse.png
#include <sdxl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile sig_atomic_t interrupted;

static void interrupt(int signal) {
  (void)signal;
  interrupted = 1;
}

// The objects of the program: freed in one place, whatever went wrong.
typedef struct {
  sdxl_pipeline_options options;
  sdxl_pipeline pipeline;
  sdxl_conditioning conditioning;
  sdxl_request request;
  sdxl_job job;
  sdxl_image image;
} objects;

#define TRY(call)                                     \
  do {                                                \
    sdxl_status status_ = (call);                     \
    if (status_ != SDXL_STATUS_OK) return status_;    \
  } while (0)

static sdxl_status draw(objects *o, const char *model, const char *prompt, const char *output, uint32_t steps) {
  TRY(sdxl_pipeline_options_new(model, &o->options));
  TRY(sdxl_pipeline_load(o->options, &o->pipeline));
  TRY(sdxl_conditioning_new(prompt, &o->conditioning));
  TRY(sdxl_request_new(o->conditioning, &o->request));
  TRY(sdxl_request_set_steps(o->request, steps));
  TRY(sdxl_request_set_seed(o->request, 42));
  TRY(sdxl_job_start(o->pipeline, o->request, NULL, NULL, &o->job));
  while (sdxl_job_wait(o->job, 100) == SDXL_STATUS_UNFINISHED) {
    sdxl_progress progress = {.struct_size = sizeof progress};
    TRY(sdxl_job_poll(o->job, &progress));
    printf("%u of %u, %.1f s left\n", progress.step, progress.of, progress.seconds_left);
    fflush(stdout);
    if (interrupted) TRY(sdxl_job_cancel(o->job));
  }
  size_t count;
  TRY(sdxl_job_take_images(o->job, &o->image, 1, &count));
  return sdxl_image_save_png(o->image, output);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: text_to_image MODEL PROMPT OUTPUT.png [STEPS]\n");
    return 2;
  }
  signal(SIGINT, interrupt);
  objects o = {0};
  uint32_t steps = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 50;
  sdxl_status status = draw(&o, argv[1], argv[2], argv[3], steps);
  if (status != SDXL_STATUS_OK) fprintf(stderr, "%s\n", sdxl_last_error_message());
  // Handles that were never made are zero; freeing one of those is refused, and harmless.
  sdxl_image_free(o.image);
  sdxl_job_free(o.job);
  sdxl_request_free(o.request);
  sdxl_conditioning_free(o.conditioning);
  sdxl_pipeline_free(o.pipeline);
  sdxl_pipeline_options_free(o.options);
  return status == SDXL_STATUS_OK ? 0 : 1;
}
