// A model from a pack: a folder's files one after the other in memory. Arguments: a model's folder, names of its files.
#include "check.h"

enum { MOST = 32 };

int main(int argc, char **argv) {
  EXPECT(argc > 2 && argc - 2 <= MOST);
  uint8_t expected[PICTURE], found[PICTURE];
  sdxl_request request = new_request("a cat", 2);
  sdxl_pipeline from_disk = load(argv[1]);
  draw(from_disk, request, expected);

  uint8_t *pack = NULL;
  size_t size = 0, starts[MOST + 1] = {0};
  for (int i = 0; i < argc - 2; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", argv[1], argv[2 + i]);
    FILE *file = fopen(path, "rb");
    EXPECT(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size_t length = (size_t)ftell(file);
    rewind(file);
    pack = realloc(pack, size + length);
    EXPECT(pack != NULL && fread(pack + size, 1, length, file) == length);
    fclose(file);
    size += length;
    starts[i + 1] = size;
  }

  sdxl_pipeline_options options;
  sdxl_pipeline pipeline;
  OK(sdxl_pipeline_options_new_in_memory("painter", &options));
  isolate(options);
  // Without files there is no model, and a file of that name on the disk is none either.
  EXPECT_STATUS(SDXL_STATUS_IO, sdxl_pipeline_options_check(options));
  for (int i = 0; i < argc - 2; i++) {
    OK(sdxl_pipeline_options_add_file(options, argv[2 + i], pack + starts[i], starts[i + 1] - starts[i]));
  }
  OK(sdxl_pipeline_options_check(options));
  OK(sdxl_pipeline_load(options, &pipeline));
  // One that is cut off is named.
  OK(sdxl_pipeline_options_add_file(options, "unet/config.json", pack, 3));
  EXPECT(sdxl_pipeline_load(options, &from_disk) != SDXL_STATUS_OK);
  EXPECT(strstr(sdxl_last_error_message(), "unet/config.json") != NULL);
  OK(sdxl_pipeline_options_free(options));
  // The pipeline does not need the bytes.
  memset(pack, 0xFF, size);
  free(pack);
  draw(pipeline, request, found);
  EXPECT(memcmp(expected, found, PICTURE) == 0);
  char path[64];
  OK(sdxl_pipeline_path(pipeline, path, sizeof path, NULL));
  EXPECT(strcmp(path, "painter") == 0);
  OK(sdxl_pipeline_free(pipeline));
  OK(sdxl_request_free(request));
  puts("pack: good");
  return 0;
}
