// Base and refiner as in the paper: the base model takes the first 80 % of the steps, the refiner the rest.
//
//   ./refiner BASE REFINER PROMPT OUTPUT.png
#include "example.h"

static const double SWITCH_AT = 0.8;

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: refiner BASE REFINER PROMPT OUTPUT.png\n");
    return 2;
  }
  sdxl_request first = new_request(argv[3]), second = new_request(argv[3]);
  sdxl_job job;
  sdxl_latents latents;
  sdxl_image image;
  size_t count, draws;

  sdxl_pipeline base = load(argv[1]);
  TRY(sdxl_request_set_end_at(first, SWITCH_AT));
  TRY(sdxl_job_start(base, first, NULL, NULL, &job));
  TRY(sdxl_job_wait(job, -1));
  TRY(sdxl_job_latents(job, &latents));
  TRY(sdxl_job_draws(job, &draws));
  TRY(sdxl_job_free(job));
  // Its memory is the refiner's now.
  TRY(sdxl_pipeline_free(base));

  sdxl_pipeline refiner = load(argv[2]);
  TRY(sdxl_request_set_resume(second, latents, SWITCH_AT));
  // Samplers with fresh noise go on with that of the first stage.
  TRY(sdxl_request_set_skip_draws(second, (uint32_t)draws));
  TRY(sdxl_pipeline_generate(refiner, second, &image, 1, &count));
  TRY(sdxl_image_save_png(image, argv[4]));

  TRY(sdxl_image_free(image));
  TRY(sdxl_latents_free(latents));
  TRY(sdxl_request_free(second));
  TRY(sdxl_request_free(first));
  TRY(sdxl_pipeline_free(refiner));
  return 0;
}
