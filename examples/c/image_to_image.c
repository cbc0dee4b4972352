// A picture from a picture, and with a mask a part of it repainted:
//
//   ./image_to_image MODEL INPUT.png PROMPT STRENGTH OUTPUT.png [MASK.png]
#include "example.h"

int main(int argc, char **argv) {
  if (argc < 6) {
    fprintf(stderr, "usage: image_to_image MODEL INPUT.png PROMPT STRENGTH OUTPUT.png [MASK.png]\n");
    return 2;
  }
  sdxl_pipeline pipeline = load(argv[1]);
  sdxl_request request = new_request(argv[3]);
  sdxl_image input, output;
  size_t count;
  TRY(sdxl_image_open(argv[2], &input));
  if (argc > 6) {
    sdxl_image mask;
    TRY(sdxl_image_open(argv[6], &mask));
    TRY(sdxl_request_set_inpaint(request, input, mask, 0));
    TRY(sdxl_image_free(mask));
  } else {
    TRY(sdxl_request_set_image(request, input));
  }
  TRY(sdxl_request_set_strength(request, strtod(argv[4], NULL)));
  TRY(sdxl_pipeline_generate(pipeline, request, &output, 1, &count));
  TRY(sdxl_image_save_png(output, argv[5]));
  TRY(sdxl_image_free(output));
  TRY(sdxl_image_free(input));
  TRY(sdxl_request_free(request));
  TRY(sdxl_pipeline_free(pipeline));
  return 0;
}
