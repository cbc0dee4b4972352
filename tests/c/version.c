// The macros of the header are what the library says.
#include "check.h"

int main(void) {
  char text[32];
  EXPECT(sdxl_abi_version() == SDXL_ABI_VERSION);
  EXPECT(strcmp(sdxl_version(), SDXL_VERSION) == 0);
  snprintf(text, sizeof text, "%d.%d.%d", SDXL_VERSION_MAJOR, SDXL_VERSION_MINOR, SDXL_VERSION_PATCH);
  EXPECT(strncmp(text, SDXL_VERSION, strlen(text)) == 0);
  EXPECT(strcmp(sdxl_status_name(SDXL_STATUS_INVALID_HANDLE), "SDXL_STATUS_INVALID_HANDLE") == 0);
  EXPECT(strcmp(sdxl_status_name(-5), "unknown") == 0);
  EXPECT(sdxl_last_error_message()[0] == 0);
  // What C# and other languages count on.
  EXPECT(sizeof(sdxl_pipeline) == 8 && sizeof(sdxl_status) == 4 && sizeof(sdxl_progress) == 40);
  EXPECT(sizeof(sdxl_request_info) == 40 && sizeof(sdxl_lora_info) == 32);
  EXPECT(sizeof(sdxl_pipeline_info) == 32 && sizeof(sdxl_pixel_layout) == 24);
  EXPECT(offsetof(sdxl_progress, sigma) == 16 && offsetof(sdxl_pixel_layout, stride) == 16);
  puts("version: good");
  return 0;
}
