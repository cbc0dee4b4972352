// sdxl.hpp in a program without exceptions and RTTI. Arguments: a tiny model, a folder to write to.
#include <sdxl.hpp>

#include <cstdio>
#include <cstring>
#include <type_traits>

#ifdef SDXL_EXCEPTIONS
#error "this program is to be built without exceptions"
#endif

#define EXPECT(condition)                                                                \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition,   \
                   sdxl_last_error_message());                                           \
      std::exit(1);                                                                      \
    }                                                                                    \
  } while (0)

template <typename T>
constexpr bool moves_only =
    std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> && !std::is_copy_constructible_v<T>;

static_assert(moves_only<sdxl::Pipeline> && moves_only<sdxl::PipelineOptions> && moves_only<sdxl::Job>);
static_assert(moves_only<sdxl::Request> && moves_only<sdxl::Conditioning> && moves_only<sdxl::Scheduler>);
static_assert(moves_only<sdxl::Lora> && moves_only<sdxl::TextualInversion>);
static_assert(moves_only<sdxl::Image> && moves_only<sdxl::Latents> && moves_only<sdxl::Embeddings>);

static std::vector<unsigned char> drawn(const sdxl::Pipeline &pipeline, const sdxl::Request &request) {
  auto images = pipeline.generate(request);
  EXPECT(images && !images->empty());
  const sdxl::Image &image = (*images)[0];
  std::vector<unsigned char> pixels(std::size_t{image.width()} * image.height() * 3);
  EXPECT(image.copy_pixels(pixels.data(), pixels.size()));
  return pixels;
}

// LoRAs and textual inversions of a pipeline that is there.
static void adapters(const sdxl::Pipeline &pipeline, const std::string &folder) {
  auto request = sdxl::Request::make("a cat");
  EXPECT(request && request->set_steps(3));
  const auto plain = drawn(pipeline, *request);
  auto lora = sdxl::Lora::open(folder + "/style.safetensors");
  EXPECT(lora && lora->set_weight(0.5) && !lora->set_weight(1000) && lora->set_block("mid_block", 0.25));
  EXPECT(lora->set_text_encoders_weight(0.75) && lora->looks_like()->find("LoRA") != std::string::npos);
  EXPECT(*lora->path() == folder + "/style.safetensors");
  auto second = lora->clone();
  EXPECT(second && second->set_weight(-1) && second->ignore_unmatched());
  auto with = pipeline.with_loras({*lora, *second});
  EXPECT(with && drawn(*with, *request) != plain);
  auto listed = with->loras();
  EXPECT(listed && listed->size() == 2 && (*listed)[0].weights()->first == 0.5 && (*listed)[0].weights()->second == 0.75);
  EXPECT((*listed)[0].blocks()->at(0) == "mid_block 0.25" && (*listed)[1].weights()->first == -1);
  EXPECT(with->lora_info(1)->merged == 0 && !with->lora_info(2) && with->unmatched(1)->empty());
  // A vector of them too; none is the model's own.
  auto merged = pipeline.with_merged_loras(*listed);
  EXPECT(merged && merged->lora_info(0)->merged == 1);
  auto without = with->with_loras({});
  EXPECT(without && without->loras()->empty() && drawn(*without, *request) == plain);

  auto inversion = sdxl::TextualInversion::open(folder + "/mossy.safetensors");
  EXPECT(inversion && inversion->words()->at(0) == "mossy" && inversion->set_words({"<a>", "<b>"}));
  EXPECT(*inversion->path() == folder + "/mossy.safetensors");
  auto prompted = pipeline.with_textual_inversions({*inversion});
  EXPECT(prompted && prompted->textual_inversions()->size() == 1);
  EXPECT(prompted->textual_inversions()->at(0).words()->at(1) == "<b>");
  auto worded = sdxl::Request::make("a <a> cat");
  EXPECT(worded->set_steps(3) && drawn(*prompted, *worded) != drawn(pipeline, *worded));
}

// What requests, pictures and lists have beyond the first picture.
static void settings(const sdxl::Pipeline &pipeline, const sdxl::Image &image, const std::string &folder) {
  auto request = sdxl::Request::make("a cat");
  EXPECT(request && request->set_steps(3) && request->set_width(64) && request->set_height(64));
  const auto plain = drawn(pipeline, *request);
  auto copy = request->clone();
  EXPECT(copy->set_freeu() && copy->set_deep_cache(2) && copy->set_perturbed_attention(3) && drawn(pipeline, *copy) != plain);
  EXPECT(copy->set_perturbed_attention(3, 0.001, {"down_blocks.1"}) && !copy->set_perturbed_attention(3, 0, {""}));
  copy = request->clone();
  EXPECT(copy->set_hires(2, 0.5, "pixel") && drawn(pipeline, *copy).size() == 128 * 128 * 3);
  copy = request->clone();
  EXPECT(copy->set_variation(9, 0.5) && copy->set_batch(2) && copy->info()->pictures == 2);
  EXPECT(copy->seeds()->at(1) == 0 && copy->info()->guidance == 5);

  auto mask = image.blur_mask(2);
  std::uint32_t region[4];
  EXPECT(mask && mask->mask_region(64, 64, 4, region) && region[2] > region[0]);
  copy = request->clone();
  EXPECT(copy->set_watermark(true) && copy->set_watermark(false));
  EXPECT(!copy->set_overlay(true) && copy->set_inpaint(image, *mask) && copy->set_overlay(true));
  EXPECT(copy->set_padding_mask_crop(4));
  EXPECT(copy->set_inpaint_each({image, *mask}, {*mask, *mask}, 1) && !copy->set_inpaint_each({image}, {}));
  copy = request->clone();
  EXPECT(copy->set_images({image, *mask}) && copy->set_strength(0.7) && copy->set_skip_draws(1));
  EXPECT(pipeline.generate(*copy)->size() == 2);
  // The canvas has a size of its own.
  EXPECT(!copy->set_outpaint(image, 8, 0, 0, 0));
  copy = sdxl::Request::make("a cat");
  EXPECT(copy->set_steps(2) && copy->set_outpaint(image, 8, 0, 0, 0) && drawn(pipeline, *copy).size() == 72 * 64 * 3);
  EXPECT(image.resize(8, 8)->width() == 8 && image.crop(0, 0, 4, 2)->height() == 2);
  auto canvas = image.outpaint(1, 0, 0, 0);
  EXPECT(canvas && canvas->first.width() == 65 && canvas->second.width() == 65);
  auto with_text = image.add_text("author", "me");
  EXPECT(with_text && with_text->keywords()->back() == "author" && with_text->save_png(folder + "/text.png"));
  EXPECT(sdxl::Image::file_size(folder + "/text.png")->first == 64);

  auto latents = pipeline.encode_images({image}, {1, 2});
  EXPECT(latents && latents->values()->size() == 2 * 4 * 8 * 8);
  EXPECT(pipeline.decode_values(*latents)->size() == 2 * 3 * 64 * 64);
  auto noise = sdxl::Latents::noise({0}, 4, 8, 8);
  EXPECT(noise && request->set_initial_noise(*noise) && drawn(pipeline, *request) == plain);
  auto job = pipeline.start(*request, [](sdxl_job, const sdxl_progress &) { return SDXL_FLOW_CONTINUE; });
  EXPECT(job->wait() && job->size()->first == 64 && *job->draws() == 0 && !job->denoised());

  std::string prompt = "a cat";
  for (int i = 0; i < 100; i++) prompt += " cat";
  auto conditioning = sdxl::Conditioning::make(prompt);
  EXPECT(conditioning->clone() && pipeline.cut(*conditioning)->size() == 2);
  EXPECT(*pipeline.device() == "cpu");
  auto scheduler = sdxl::Scheduler::make("euler");
  EXPECT(scheduler->clone()->sigmas(5)->size() == 6 && scheduler->timesteps(5)->at(0) > 700);
  EXPECT(!sdxl::Scheduler::open(folder + "/nothing.json"));
  EXPECT(sdxl::names("preset")->size() == 14 && !sdxl::names("colour"));
  EXPECT(sdxl::buckets()->size() == 80 && sdxl::nearest_bucket(1920, 1080)->first == 1344);
}

int main(int argc, char **argv) {
  EXPECT(argc == 3);
  const std::string folder = argv[2];

  auto missing = sdxl::Pipeline::load("/nowhere");
  EXPECT(!missing && missing.error().status == SDXL_STATUS_IO && !missing.error().message.empty());

  auto loaded = sdxl::Pipeline::load(argv[1]);
  EXPECT(loaded);
  sdxl::Pipeline pipeline = *std::move(loaded);
  auto info = pipeline.info();
  EXPECT(info && info->default_width == 64);
  EXPECT(*pipeline.path() == argv[1]);

  // An object is freed once, however it moves.
  auto request = sdxl::Request::make("a cat");
  EXPECT(request && request->set_steps(3) && !request->set_steps(0));
  sdxl_request handle = request->handle();
  {
    sdxl::Request moved = *std::move(request);
    EXPECT(moved && moved.handle().id == handle.id && moved.set_seed(3));
    sdxl::Request again;
    EXPECT(!again);
    again = std::move(moved);
    again = std::move(again);
    EXPECT(again.handle().id == handle.id);
  }
  EXPECT(sdxl_request_set_seed(handle, 1) == SDXL_STATUS_INVALID_HANDLE);

  // Embeddings, latents and pictures go round.
  auto conditioning = sdxl::Conditioning::make("a cat");
  EXPECT(conditioning && conditioning->set_negative_prompt("blurry"));
  auto encoded = pipeline.encode(*conditioning);
  EXPECT(encoded && encoded->first.save(folder + "/embeddings.safetensors"));
  auto opened = sdxl::Embeddings::open(folder + "/embeddings.safetensors");
  EXPECT(opened && *opened->context() == *encoded->first.context() && *opened->pooled() == *encoded->first.pooled());
  std::uint32_t shape[4];
  EXPECT(opened->shape(shape) && shape[0] == 1 && shape[1] == 77);
  auto by_prompt = sdxl::Request::make(*conditioning);
  auto from_embeddings = sdxl::Conditioning::from_embeddings(*opened);
  EXPECT(from_embeddings && from_embeddings->set_negative_embeddings(encoded->second));
  EXPECT(!from_embeddings->set_prompt_2("a dog"));
  auto by_embeddings = sdxl::Request::make(*from_embeddings);
  EXPECT(by_prompt->set_steps(3) && by_embeddings->set_steps(3));
  auto first = pipeline.generate(*by_prompt), second = pipeline.generate(*by_embeddings);
  EXPECT(first && second && first->size() == 1 && second->size() == 1);
  std::vector<unsigned char> a(64 * 64 * 4), b(64 * 64 * 4);
  sdxl::PixelLayout layout;
  layout.format = SDXL_PIXEL_FORMAT_RGBA8;
  layout.row_order = SDXL_ROW_ORDER_BOTTOM_UP;
  EXPECT((*first)[0].copy_pixels(a.data(), a.size(), layout) && (*second)[0].copy_pixels(b.data(), b.size(), layout));
  EXPECT(a == b);
  EXPECT((*first)[0].text("parameters")->rfind("a cat\nNegative prompt: blurry\n", 0) == 0);
  EXPECT((*first)[0].text("XML:com.adobe.xmp")->find("/trainedAlgorithmicMedia<") != std::string::npos);
  EXPECT(sdxl::Image::make(64, 64, a.data(), a.size(), layout));

  // A callback with state; the job and its latents.
  int calls = 0;
  auto job = pipeline.start(*by_prompt, [&calls](sdxl_job, const sdxl_progress &) {
    calls++;
    return SDXL_FLOW_CONTINUE;
  });
  EXPECT(job && job->wait() && calls == 4);
  auto latents = job->latents();
  EXPECT(latents && latents->values()->size() == 4 * 8 * 8 && latents->preview()->width() == 8);
  auto decoded = pipeline.decode(*latents);
  EXPECT(decoded && (*decoded)[0].copy_pixels(b.data(), b.size(), layout) && a == b);
  EXPECT(job->take_images()->size() == 1 && job->take_images()->empty());

  // A job that goes takes its callback along, also when another one takes its place.
  auto longer = sdxl::Request::make("a dog");
  EXPECT(longer->set_steps(500));
  for (int i = 0; i < 3; i++) {
    job = pipeline.start(*longer, [state = std::string(100, 'x')](sdxl_job, const sdxl_progress &) {
      return state.size() == 100 ? SDXL_FLOW_CONTINUE : SDXL_FLOW_CANCEL;
    });
    EXPECT(job && !job->wait(std::chrono::milliseconds(30)));
  }
  EXPECT(job->poll()->state < SDXL_JOB_STATE_FINISHED && job->cancel());
  EXPECT(job->wait().error().status == SDXL_STATUS_CANCELLED);

  auto scheduler = sdxl::Scheduler::from_pipeline(pipeline);
  EXPECT(scheduler && scheduler->set_name("dpmpp_2m") && scheduler->set_spacing("karras"));
  EXPECT(scheduler->config()->find("use_karras_sigmas") != std::string::npos);
  EXPECT(by_prompt->set_scheduler(*scheduler) && pipeline.generate(*by_prompt));
  auto options = sdxl::PipelineOptions::make(argv[1]);
  EXPECT(options && options->info()->default_width == 64 && options->set_vae_tiling(true));
  EXPECT(options->set_stream_text_encoders(true));
  EXPECT(sdxl::Pipeline::load(*options->clone()));
  settings(pipeline, (*first)[0], folder);
  adapters(pipeline, folder);
  std::puts("no_exceptions: good");
}
