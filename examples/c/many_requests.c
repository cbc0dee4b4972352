// Many prompts on one set of weights: all are started, and drawn one after the other on two clones at once.
//
//   ./many_requests MODEL OUTPUT PROMPT...      draws OUTPUT-0.png, OUTPUT-1.png, ...
#include "example.h"

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: many_requests MODEL OUTPUT PROMPT...\n");
    return 2;
  }
  int count = argc - 3;
  sdxl_pipeline pipelines[2];
  pipelines[0] = load(argv[1]);
  TRY(sdxl_pipeline_clone(pipelines[0], &pipelines[1]));
  sdxl_job *jobs = calloc((size_t)count, sizeof *jobs);
  if (jobs == NULL) return 1;
  for (int i = 0; i < count; i++) {
    sdxl_request request = new_request(argv[3 + i]);
    TRY(sdxl_job_start(pipelines[i % 2], request, NULL, NULL, &jobs[i]));
    TRY(sdxl_request_free(request));
  }
  for (int i = 0; i < count; i++) {
    char path[4096];
    sdxl_image image;
    size_t images;
    TRY(sdxl_job_wait(jobs[i], -1));
    TRY(sdxl_job_take_images(jobs[i], &image, 1, &images));
    snprintf(path, sizeof path, "%s-%d.png", argv[2], i);
    TRY(sdxl_image_save_png(image, path));
    puts(path);
    TRY(sdxl_image_free(image));
    TRY(sdxl_job_free(jobs[i]));
  }
  free(jobs);
  TRY(sdxl_pipeline_free(pipelines[0]));
  TRY(sdxl_pipeline_free(pipelines[1]));
  return 0;
}
