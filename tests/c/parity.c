// Everything that a request, a pipeline and pictures can be told, drawn into files that a Rust program compares with its
// own. Arguments: a tiny model, a folder with first.png, second.png, mask.png, lora.safetensors and mossy.safetensors.
#include "check.h"

static const char *folder;
static sdxl_pipeline base;
static uint8_t base_pixels[PICTURE], found[PICTURE];

static const char *path_of(const char *name) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static sdxl_image open_image(const char *name) {
  sdxl_image image;
  OK(sdxl_image_open(path_of(name), &image));
  return image;
}

static void save(sdxl_image image, const char *name) {
  OK(sdxl_image_save_png(image, path_of(name)));
  OK(sdxl_image_free(image));
}

// What the request draws, as NAME-0.png and so on. Both are freed.
static void draw_case(sdxl_pipeline pipeline, sdxl_request request, const char *name) {
  sdxl_image images[4];
  sdxl_request_info info = {.struct_size = sizeof info};
  size_t count;
  OK(sdxl_pipeline_generate(pipeline, request, images, 4, &count));
  OK(sdxl_request_get_info(request, &info));
  EXPECT(info.pictures == count);
  for (size_t i = 0; i < count; i++) {
    char file[64];
    snprintf(file, sizeof file, "%s-%d.png", name, (int)i);
    save(images[i], file);
  }
  OK(sdxl_request_free(request));
}

static sdxl_request fresh(void) {
  sdxl_request request = new_request("a cat", 4);
  OK(sdxl_request_set_seed(request, 5));
  return request;
}

static int is_base(sdxl_pipeline pipeline) {
  sdxl_request request = fresh();
  draw(pipeline, request, found);
  OK(sdxl_request_free(request));
  return memcmp(base_pixels, found, PICTURE) == 0;
}

static void settings_of_a_request(void) {
  sdxl_request request = fresh(), copy;
  OK(sdxl_request_clone(request, &copy));
  OK(sdxl_request_set_hires(copy, 1.5, 0.5, "latent", 6));
  draw_case(base, copy, "hires_latent");
  // The one that was copied is what it was.
  draw(base, request, found);
  EXPECT(memcmp(base_pixels, found, PICTURE) == 0);
  OK(sdxl_request_set_hires(request, 2., 0.7, "pixel", 0));
  draw_case(base, request, "hires_pixel");

  request = fresh();
  OK(sdxl_request_set_batch(request, 2));
  OK(sdxl_request_set_variation(request, 40, 0.3));
  uint64_t seeds[2];
  OK(sdxl_request_copy_seeds(request, seeds, 2, NULL));
  EXPECT(seeds[0] == 5 && seeds[1] == 5);
  draw_case(base, request, "variation");

  request = fresh();
  OK(sdxl_request_set_freeu(request, 0.9, 0.2, 1.3, 1.4));
  draw_case(base, request, "freeu");

  request = fresh();
  OK(sdxl_request_set_deep_cache(request, 2));
  draw_case(base, request, "deep_cache");

  request = fresh();
  OK(sdxl_request_set_perturbed_attention(request, 3., 0., NULL, 0));
  draw_case(base, request, "perturbed");
  request = fresh();
  const char *layers[] = {"down_blocks.1", "up_blocks.0.attentions.1"};
  OK(sdxl_request_set_guidance(request, 1.));
  OK(sdxl_request_set_perturbed_attention(request, 4., 0.002, layers, 2));
  draw_case(base, request, "perturbed_layers");
  // What the UNet does not have is found by the job.
  request = fresh();
  sdxl_image image;
  size_t count;
  layers[0] = "attic";
  OK(sdxl_request_set_perturbed_attention(request, 4., 0., layers, 1));
  EXPECT_STATUS(SDXL_STATUS_INVALID_VALUE, sdxl_pipeline_generate(base, request, &image, 1, &count));
  OK(sdxl_request_free(request));

  request = fresh();
  OK(sdxl_request_set_width(request, 96));
  draw_case(base, request, "width");
  request = fresh();
  OK(sdxl_request_set_height(request, 96));
  draw_case(base, request, "height");

  request = fresh();
  OK(sdxl_request_set_size(request, 256, 256));
  OK(sdxl_request_set_watermark(request, 1));
  draw_case(base, request, "watermark");

  request = fresh();
  uint64_t noise_seeds[] = {5};
  sdxl_latents noise;
  OK(sdxl_latents_new_noise(noise_seeds, 1, 4, 8, 8, 0, &noise));
  OK(sdxl_request_set_initial_noise(request, noise));
  draw(base, request, found);
  EXPECT(memcmp(base_pixels, found, PICTURE) == 0);
  OK(sdxl_request_free(request));
  OK(sdxl_latents_free(noise));
  request = fresh();
  OK(sdxl_latents_new_noise(noise_seeds, 1, 4, 8, 8, 2, &noise));
  OK(sdxl_request_set_skip_draws(request, 2));
  draw(base, request, found);
  EXPECT(memcmp(base_pixels, found, PICTURE) != 0);
  uint8_t skipped[PICTURE];
  memcpy(skipped, found, PICTURE);
  OK(sdxl_request_free(request));
  request = fresh();
  OK(sdxl_request_set_initial_noise(request, noise));
  draw(base, request, found);
  EXPECT(memcmp(skipped, found, PICTURE) == 0);
  OK(sdxl_request_free(request));
  OK(sdxl_latents_free(noise));
}

static void pictures_to_begin_with(void) {
  sdxl_image pictures[] = {open_image("first.png"), open_image("second.png")}, mask = open_image("mask.png");
  sdxl_image masks[] = {mask, mask};
  sdxl_request request = fresh();
  OK(sdxl_request_set_images(request, pictures, 2));
  OK(sdxl_request_set_strength(request, 0.6));
  draw_case(base, request, "images");

  request = fresh();
  OK(sdxl_request_set_inpaint_each(request, pictures, masks, 2, 1.5));
  draw_case(base, request, "inpaint_each");

  request = fresh();
  OK(sdxl_request_set_inpaint(request, pictures[0], mask, 2.));
  OK(sdxl_request_set_overlay(request, 1));
  draw_case(base, request, "overlay");
  request = fresh();
  OK(sdxl_request_set_inpaint(request, pictures[0], mask, 0.));
  OK(sdxl_request_set_padding_mask_crop(request, 4));
  EXPECT_STATUS(SDXL_STATUS_INVALID_VALUE, sdxl_request_set_overlay(request, 0));
  draw_case(base, request, "mask_crop");

  request = fresh();
  OK(sdxl_request_set_outpaint(request, pictures[0], 0, 8, 16, 0));
  OK(sdxl_request_set_strength(request, 0.9));
  draw_case(base, request, "outpaint");

  // Encoded once, a picture gives what it gives itself.
  uint64_t seeds[] = {5};
  sdxl_latents encoded;
  OK(sdxl_pipeline_encode_images(base, pictures, 1, seeds, 1, &encoded));
  request = fresh();
  OK(sdxl_request_set_image(request, pictures[0]));
  OK(sdxl_request_set_strength(request, 0.6));
  draw_case(base, request, "image");
  request = fresh();
  OK(sdxl_request_set_image_latents(request, encoded));
  OK(sdxl_request_set_strength(request, 0.6));
  OK(sdxl_request_set_skip_draws(request, 1));
  draw_case(base, request, "image_latents");

  // Decoded to numbers and to bytes.
  float *values = malloc(PICTURE * sizeof *values);
  size_t count = 0;
  OK(sdxl_pipeline_decode_values(base, encoded, NULL, 0, &count));
  EXPECT(count == PICTURE);
  OK(sdxl_pipeline_decode_values(base, encoded, values, PICTURE, &count));
  sdxl_image decoded;
  OK(sdxl_pipeline_decode(base, encoded, &decoded, 1, &count));
  pixels_of(decoded, found);
  for (int i = 0; i < PICTURE; i++) {
    float value = values[i % 3 * (PICTURE / 3) + i / 3] * 127.5f + 127.5f;
    value = value < 0.f ? 0.f : value > 255.f ? 255.f : value;
    float difference = value - (float)found[i];
    EXPECT(difference <= 0.501f && difference >= -0.501f);
  }
  free(values);
  OK(sdxl_latents_free(encoded));

  // Pictures made of pictures.
  sdxl_image made, made_mask;
  uint32_t width, height, region[4];
  OK(sdxl_image_resize(pictures[0], 40, 24, &made));
  save(made, "resized.png");
  OK(sdxl_image_file_size(path_of("resized.png"), &width, &height));
  EXPECT(width == 40 && height == 24);
  OK(sdxl_image_crop(pictures[0], 3, 5, 43, 29, &made));
  save(made, "cropped.png");
  OK(sdxl_image_blur_mask(mask, 2., &made));
  save(made, "blurred.png");
  OK(sdxl_image_mask_region(mask, 64, 32, 4, region));
  OK(sdxl_image_crop(mask, region[0], region[1], region[2], region[3], &made));
  save(made, "region.png");
  OK(sdxl_image_outpaint(pictures[0], 1, 2, 3, 4, &made, &made_mask));
  save(made, "canvas.png");
  save(made_mask, "new.png");
  OK(sdxl_image_add_text(pictures[0], "author", "me", &made));
  char text[64];
  OK(sdxl_image_copy_keywords(made, text, sizeof text, NULL));
  EXPECT(strcmp(text, "author") == 0);
  save(made, "texts.png");
  made = open_image("texts.png");
  OK(sdxl_image_copy_text(made, "author", text, sizeof text, NULL));
  EXPECT(strcmp(text, "me") == 0);
  OK(sdxl_image_free(made));
  OK(sdxl_image_copy_keywords(pictures[0], text, sizeof text, NULL));
  EXPECT(text[0] == 0);
  for (int i = 0; i < 2; i++) OK(sdxl_image_free(pictures[i]));
  OK(sdxl_image_free(mask));
}

static void strips(const char *model) {
  sdxl_pipeline_options options, copy;
  sdxl_pipeline pipeline;
  sdxl_pipeline_info info = {.struct_size = sizeof info};
  OK(sdxl_pipeline_options_new(model, &options));
  isolate(options);
  OK(sdxl_pipeline_options_get_info(options, &info));
  EXPECT(info.kind == SDXL_MODEL_KIND_BASE && info.default_width == 64 && info.latent_channels == 4);
  OK(sdxl_pipeline_options_clone(options, &copy));
  OK(sdxl_pipeline_options_set_vae_tiling(copy, 1));
  OK(sdxl_pipeline_options_set_stream_text_encoders(copy, 1));
  OK(sdxl_pipeline_load(copy, &pipeline));
  OK(sdxl_pipeline_options_free(copy));
  sdxl_request request = fresh();
  OK(sdxl_request_set_size(request, 128, 192));
  draw_case(pipeline, request, "strips");
  char device[16];
  OK(sdxl_pipeline_device(pipeline, device, sizeof device, NULL));
  EXPECT(strcmp(device, "cpu") == 0);
  OK(sdxl_pipeline_free(pipeline));
  // The options that were copied are without.
  OK(sdxl_pipeline_load(options, &pipeline));
  EXPECT(is_base(pipeline));
  OK(sdxl_pipeline_free(pipeline));
  OK(sdxl_pipeline_options_free(options));
}

static void loras(void) {
  sdxl_lora lora, listed;
  sdxl_pipeline with, again, without;
  sdxl_lora_info info = {.struct_size = sizeof info};
  size_t count;
  double weight, text_encoders_weight;
  char text[4096];
  OK(sdxl_lora_open(path_of("lora.safetensors"), &lora));
  OK(sdxl_lora_copy_looks_like(lora, text, sizeof text, NULL));
  EXPECT(strstr(text, "LoRA") != NULL);
  OK(sdxl_lora_path(lora, text, sizeof text, NULL));
  EXPECT(strcmp(text, path_of("lora.safetensors")) == 0);
  OK(sdxl_lora_set_weight(lora, 0.8));
  OK(sdxl_lora_set_text_encoders_weight(lora, 0.3));
  OK(sdxl_lora_set_block(lora, "mid_block", 0.5));
  OK(sdxl_pipeline_with_loras(base, &lora, 1, &with));
  draw_case(with, fresh(), "lora");
  EXPECT(!is_base(with) && is_base(base));

  // What the pipeline says of it; later changes of the handle are none of the pipeline's.
  OK(sdxl_lora_set_weight(lora, 2.));
  OK(sdxl_pipeline_lora_count(with, &count));
  OK(sdxl_pipeline_get_lora_info(with, 0, &info));
  EXPECT(count == 1 && info.merged == 0 && info.unmatched == 0);
  EXPECT(info.weight == 0.8 && info.text_encoders_weight == 0.3);
  OK(sdxl_pipeline_get_lora(with, 0, &listed));
  OK(sdxl_lora_weights(listed, &weight, &text_encoders_weight));
  EXPECT(weight == 0.8 && text_encoders_weight == 0.3);
  OK(sdxl_lora_copy_blocks(listed, text, sizeof text, NULL));
  EXPECT(strcmp(text, "mid_block 0.5") == 0);
  OK(sdxl_lora_free(listed));

  // Other weights on the pipeline that has it already; another handle of the same tensors; two add up.
  sdxl_lora both[2] = {lora};
  OK(sdxl_lora_clone(lora, &both[1]));
  OK(sdxl_lora_set_weight(both[1], -1.));
  OK(sdxl_pipeline_with_loras(with, both, 2, &again));
  draw_case(again, fresh(), "two_loras");
  OK(sdxl_pipeline_lora_count(again, &count));
  EXPECT(count == 2);
  OK(sdxl_pipeline_free(again));
  OK(sdxl_lora_free(both[1]));

  // Without weight, and taken away: the bits of the base.
  OK(sdxl_lora_set_weight(lora, 0.));
  OK(sdxl_lora_set_text_encoders_weight(lora, 0.));
  OK(sdxl_pipeline_with_loras(with, &lora, 1, &again));
  EXPECT(is_base(again));
  OK(sdxl_pipeline_free(again));
  OK(sdxl_pipeline_with_loras(with, NULL, 0, &without));
  EXPECT(is_base(without));
  OK(sdxl_pipeline_lora_count(without, &count));
  EXPECT(count == 0);
  EXPECT_STATUS(SDXL_STATUS_INVALID_VALUE, sdxl_pipeline_get_lora_info(without, 0, &info));
  OK(sdxl_pipeline_free(without));

  OK(sdxl_lora_set_weight(lora, 1.));
  OK(sdxl_lora_set_text_encoders_weight(lora, 1.));
  OK(sdxl_pipeline_with_merged_loras(base, &lora, 1, &again));
  draw_case(again, fresh(), "merged_lora");
  OK(sdxl_pipeline_get_lora_info(again, 0, &info));
  EXPECT(info.merged == 1);
  OK(sdxl_pipeline_with_merged_loras(again, NULL, 0, &without));
  EXPECT(is_base(without));
  OK(sdxl_pipeline_free(without));
  OK(sdxl_pipeline_free(again));
  OK(sdxl_lora_free(lora));
  OK(sdxl_pipeline_free(with));

  // One with a layer that the model does not have: named, or left out and listed.
  OK(sdxl_lora_open(path_of("misfit.safetensors"), &lora));
  EXPECT_STATUS(SDXL_STATUS_INVALID_LORA, sdxl_pipeline_with_loras(base, &lora, 1, &again));
  EXPECT(strstr(sdxl_last_error_message(), "attic") != NULL);
  OK(sdxl_lora_ignore_unmatched(lora));
  OK(sdxl_pipeline_with_loras(base, &lora, 1, &again));
  OK(sdxl_pipeline_get_lora_info(again, 0, &info));
  OK(sdxl_pipeline_copy_unmatched(again, 0, text, sizeof text, NULL));
  EXPECT(info.unmatched == 2 && strstr(text, "attic") != NULL && strchr(text, '\n') != NULL);
  EXPECT(strchr(strchr(text, '\n') + 1, '\n') == NULL);
  OK(sdxl_pipeline_free(again));
  // A block that the model does not have.
  OK(sdxl_lora_set_block(lora, "up_blocks.77", 0.5));
  EXPECT_STATUS(SDXL_STATUS_INVALID_VALUE, sdxl_pipeline_with_loras(base, &lora, 1, &again));
  OK(sdxl_lora_free(lora));
}

static sdxl_request of(const char *prompt) {
  sdxl_request request = new_request(prompt, 4);
  OK(sdxl_request_set_seed(request, 5));
  return request;
}

static void textual_inversions(void) {
  sdxl_textual_inversion inversion, listed;
  sdxl_pipeline with, without;
  char text[4096];
  size_t count;
  OK(sdxl_textual_inversion_open(path_of("mossy.safetensors"), &inversion));
  OK(sdxl_textual_inversion_copy_words(inversion, text, sizeof text, NULL));
  EXPECT(strcmp(text, "mossy") == 0);
  OK(sdxl_textual_inversion_path(inversion, text, sizeof text, NULL));
  EXPECT(strcmp(text, path_of("mossy.safetensors")) == 0);
  OK(sdxl_pipeline_with_textual_inversions(base, &inversion, 1, &with));
  draw_case(with, of("a mossy cat"), "mossy");
  EXPECT(is_base(with));
  OK(sdxl_pipeline_textual_inversion_count(with, &count));
  EXPECT(count == 1);

  const char *words[] = {"<one>", "<two>"};
  OK(sdxl_textual_inversion_set_words(inversion, words, 2));
  OK(sdxl_pipeline_with_textual_inversions(with, &inversion, 1, &without));
  draw_case(without, of("a <two> cat"), "named");
  OK(sdxl_pipeline_get_textual_inversion(without, 0, &listed));
  OK(sdxl_textual_inversion_copy_words(listed, text, sizeof text, NULL));
  EXPECT(strcmp(text, "<one>\n<two>") == 0);
  OK(sdxl_textual_inversion_free(listed));
  OK(sdxl_pipeline_free(without));

  // A LoRA on top keeps the words; taken away, they are characters again.
  sdxl_lora lora;
  sdxl_pipeline both;
  OK(sdxl_lora_open(path_of("lora.safetensors"), &lora));
  OK(sdxl_pipeline_with_loras(with, &lora, 1, &both));
  OK(sdxl_lora_free(lora));
  draw_case(both, of("a mossy cat"), "mossy_lora");
  OK(sdxl_pipeline_with_textual_inversions(with, NULL, 0, &without));
  uint8_t plain[PICTURE];
  sdxl_request request = of("a mossy cat");
  draw(base, request, plain);
  draw(without, request, found);
  EXPECT(memcmp(plain, found, PICTURE) == 0);
  draw(with, request, found);
  EXPECT(memcmp(plain, found, PICTURE) != 0);
  OK(sdxl_request_free(request));
  OK(sdxl_pipeline_free(both));
  OK(sdxl_pipeline_free(without));
  // A word that the tokenizer has.
  words[0] = "cat";
  OK(sdxl_textual_inversion_set_words(inversion, words, 1));
  EXPECT_STATUS(SDXL_STATUS_INVALID_VALUE, sdxl_pipeline_with_textual_inversions(base, &inversion, 1, &without));
  OK(sdxl_textual_inversion_free(inversion));
  OK(sdxl_pipeline_free(with));
}

// Looks at the job from its callback, and keeps what it saw last.
static sdxl_latents denoised;

static int32_t look(void *user_data, sdxl_job job, const sdxl_progress *progress) {
  (void)user_data;
  uint32_t width, height;
  OK(sdxl_job_size(job, &width, &height));
  EXPECT(width == 128 && height == 128);
  if (progress->step == 0) {
    EXPECT_STATUS(SDXL_STATUS_UNFINISHED, sdxl_job_denoised(job, &denoised));
  } else {
    if (denoised.id != 0) OK(sdxl_latents_free(denoised));
    OK(sdxl_job_denoised(job, &denoised));
  }
  return SDXL_FLOW_CONTINUE;
}

static void jobs(void) {
  sdxl_request request = fresh();
  sdxl_scheduler scheduler, copy;
  sdxl_job job;
  size_t count;
  OK(sdxl_request_set_size(request, 128, 128));
  OK(sdxl_scheduler_new("euler_a", &scheduler));
  OK(sdxl_scheduler_clone(scheduler, &copy));
  OK(sdxl_scheduler_set_name(scheduler, "euler"));
  OK(sdxl_request_set_scheduler(request, copy));
  OK(sdxl_job_start(base, request, look, NULL, &job));
  OK(sdxl_job_wait(job, -1));
  // The first noise, and one tensor for each step.
  OK(sdxl_job_draws(job, &count));
  EXPECT(count == 5);
  // At the end the prediction is the picture.
  sdxl_latents last;
  float a[4 * 16 * 16], b[4 * 16 * 16];
  OK(sdxl_job_latents(job, &last));
  OK(sdxl_latents_copy(last, a, 4 * 16 * 16, NULL));
  OK(sdxl_latents_copy(denoised, b, 4 * 16 * 16, NULL));
  for (int i = 0; i < 4 * 16 * 16; i++) EXPECT(a[i] - b[i] < 1e-4f && b[i] - a[i] < 1e-4f);
  EXPECT_STATUS(SDXL_STATUS_UNFINISHED, sdxl_job_denoised(job, &denoised));
  OK(sdxl_latents_free(last));
  OK(sdxl_latents_free(denoised));
  OK(sdxl_job_free(job));
  OK(sdxl_request_free(request));

  // The noise levels of a run; Rust compares them.
  double sigmas[8], timesteps[8];
  OK(sdxl_scheduler_copy_sigmas(scheduler, 6, sigmas, 8, &count));
  EXPECT(count == 7);
  OK(sdxl_scheduler_copy_timesteps(scheduler, 6, timesteps, 8, &count));
  FILE *file = fopen(path_of("levels.txt"), "w");
  EXPECT(file != NULL);
  for (int i = 0; i < 7; i++) fprintf(file, "%.17g %.17g\n", sigmas[i], timesteps[i]);
  fclose(file);
  OK(sdxl_scheduler_free(scheduler));
  OK(sdxl_scheduler_free(copy));
}

static void texts_and_lists(void) {
  sdxl_conditioning conditioning, copy;
  char text[4096];
  char prompt[1024] = "a cat";
  for (int i = 0; i < 100; i++) strcat(prompt, " cat");
  OK(sdxl_conditioning_new(prompt, &conditioning));
  OK(sdxl_conditioning_clone(conditioning, &copy));
  OK(sdxl_conditioning_set_prompt_syntax(copy, "a1111"));
  OK(sdxl_pipeline_copy_cut(base, conditioning, text, sizeof text, NULL));
  EXPECT(strstr(text, "cat cat") != NULL);
  OK(sdxl_pipeline_copy_cut(base, copy, text, sizeof text, NULL));
  EXPECT(text[0] == 0);
  OK(sdxl_conditioning_free(conditioning));
  OK(sdxl_conditioning_free(copy));

  OK(sdxl_copy_names("scheduler", text, sizeof text, NULL));
  int names = 0;
  for (char *name = strtok(text, "\n"); name != NULL; name = strtok(NULL, "\n"), names++) {
    sdxl_scheduler scheduler;
    OK(sdxl_scheduler_new(name, &scheduler));
    OK(sdxl_scheduler_free(scheduler));
  }
  EXPECT(names == 20);
  uint32_t buckets[80], width, height;
  OK(sdxl_copy_buckets(buckets, 80, NULL));
  EXPECT(buckets[0] == 2048 && buckets[1] == 512 && buckets[78] == 512 && buckets[79] == 2048);
  OK(sdxl_nearest_bucket(1920, 1080, &width, &height));
  EXPECT(width == 1344 && height == 768);
}

int main(int argc, char **argv) {
  EXPECT(argc == 3);
  folder = argv[2];
  base = load(argv[1]);
  sdxl_request request = fresh();
  draw(base, request, base_pixels);
  OK(sdxl_request_free(request));
  draw_case(base, fresh(), "base");
  settings_of_a_request();
  pictures_to_begin_with();
  strips(argv[1]);
  loras();
  textual_inversions();
  jobs();
  texts_and_lists();
  EXPECT(is_base(base));
  OK(sdxl_pipeline_free(base));
  puts("parity: good");
  return 0;
}
