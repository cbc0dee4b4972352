// A picture with LoRAs on a model that is loaded once: each weight draws one, and 0 is the model's own.
//
//   ./lora MODEL LORA OUTPUT PROMPT WEIGHT...      draws OUTPUT-0.png, OUTPUT-1.png, ...
#include "example.h"

int main(int argc, char **argv) {
  if (argc < 6) {
    fprintf(stderr, "usage: lora MODEL LORA OUTPUT PROMPT WEIGHT...\n");
    return 2;
  }
  sdxl_pipeline base = load(argv[1]);
  sdxl_request request = new_request(argv[4]);
  sdxl_lora lora;
  TRY(sdxl_lora_open(argv[2], &lora));
  for (int i = 0; i < argc - 5; i++) {
    char path[4096];
    sdxl_pipeline styled;
    sdxl_image image;
    size_t count;
    TRY(sdxl_lora_set_weight(lora, atof(argv[5 + i])));
    // Instant: the weights of the model are shared, and not changed.
    TRY(sdxl_pipeline_with_loras(base, &lora, 1, &styled));
    TRY(sdxl_pipeline_generate(styled, request, &image, 1, &count));
    snprintf(path, sizeof path, "%s-%d.png", argv[3], i);
    TRY(sdxl_image_save_png(image, path));
    puts(path);
    TRY(sdxl_image_free(image));
    TRY(sdxl_pipeline_free(styled));
  }
  TRY(sdxl_lora_free(lora));
  TRY(sdxl_request_free(request));
  TRY(sdxl_pipeline_free(base));
  return 0;
}
