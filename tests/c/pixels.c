// Pictures in every format, stride and row order, in and out. No argument.
#include "check.h"

enum { WIDTH = 3, HEIGHT = 2 };

static const int32_t FORMATS[] = {SDXL_PIXEL_FORMAT_RGB8,  SDXL_PIXEL_FORMAT_RGBA8,   SDXL_PIXEL_FORMAT_BGRA8,
                                  SDXL_PIXEL_FORMAT_GRAY8, SDXL_PIXEL_FORMAT_RGBA16F, SDXL_PIXEL_FORMAT_RGBA32F};
static const size_t BYTES[] = {3, 4, 4, 1, 8, 16};

int main(void) {
  uint8_t pixels[WIDTH * HEIGHT * 3];
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 14 + 1);
  sdxl_image image;
  OK(sdxl_image_new(WIDTH, HEIGHT, NULL, pixels, sizeof pixels, &image));
  uint32_t width, height;
  OK(sdxl_image_size(image, &width, &height));
  EXPECT(width == WIDTH && height == HEIGHT);

  for (int i = 0; i < 6; i++) {
    for (int order = 0; order < 2; order++) {
      for (size_t gap = 0; gap < 20; gap += 5) {
        size_t row = WIDTH * BYTES[i], stride = row + gap, size = stride * (HEIGHT - 1) + row;
        sdxl_pixel_layout layout = {sizeof layout, FORMATS[i], order, 0, gap ? stride : 0};
        // Exactly as large as it must be: the sanitizer watches the byte behind it.
        uint8_t *buffer = malloc(size);
        memset(buffer, 0xAA, size);
        OK(sdxl_image_copy_pixels(image, &layout, buffer, size));
        for (size_t byte = row; byte < stride; byte++) EXPECT(buffer[byte] == 0xAA);
        EXPECT_STATUS(SDXL_STATUS_BUFFER_TOO_SMALL, sdxl_image_copy_pixels(image, &layout, buffer, size - 1));
        sdxl_image again;
        OK(sdxl_image_new(WIDTH, HEIGHT, &layout, buffer, size, &again));
        EXPECT_STATUS(SDXL_STATUS_INVALID_VALUE, sdxl_image_new(WIDTH, HEIGHT, &layout, buffer, size - 1, &image));
        uint8_t back[sizeof pixels];
        OK(sdxl_image_copy_pixels(again, NULL, back, sizeof back));
        if (FORMATS[i] == SDXL_PIXEL_FORMAT_GRAY8) {
          // ITU-R 601-2: of (1, 15, 29), 12.
          EXPECT(back[0] == 12 && back[1] == 12 && back[2] == 12);
        } else {
          EXPECT(memcmp(pixels, back, sizeof pixels) == 0);
        }
        OK(sdxl_image_free(again));
        free(buffer);
      }
    }
  }

  // The first bytes of some layouts, by hand.
  sdxl_pixel_layout layout = {sizeof layout, SDXL_PIXEL_FORMAT_BGRA8, SDXL_ROW_ORDER_BOTTOM_UP, 0, 0};
  uint8_t bgra[WIDTH * HEIGHT * 4];
  OK(sdxl_image_copy_pixels(image, &layout, bgra, sizeof bgra));
  const uint8_t lowest[] = {pixels[11], pixels[10], pixels[9], 255};
  EXPECT(memcmp(bgra, lowest, 4) == 0);
  layout.format = SDXL_PIXEL_FORMAT_RGBA32F;
  float rgba[WIDTH * HEIGHT * 4];
  OK(sdxl_image_copy_pixels(image, &layout, (uint8_t *)rgba, sizeof rgba));
  EXPECT(rgba[0] == (float)pixels[9] / 255.f && rgba[3] == 1.f);
  rgba[0] = 7.f, rgba[1] = -1.f, rgba[2] = 0.f / 0.f;
  sdxl_image strange;
  OK(sdxl_image_new(WIDTH, HEIGHT, &layout, (const uint8_t *)rgba, sizeof rgba, &strange));
  OK(sdxl_image_copy_pixels(strange, &layout, (uint8_t *)rgba, sizeof rgba));
  EXPECT(rgba[0] == 1.f && rgba[1] == 0.f && rgba[2] == 0.f);
  OK(sdxl_image_free(strange));

  // A PNG file in memory.
  size_t size;
  OK(sdxl_image_encode_png(image, NULL, 0, &size));
  uint8_t *png = malloc(size);
  OK(sdxl_image_encode_png(image, png, size, NULL));
  EXPECT(memcmp(png, "\x89PNG", 4) == 0);
  free(png);
  OK(sdxl_image_free(image));
  puts("pixels: good");
  return 0;
}
