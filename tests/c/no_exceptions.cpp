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
static_assert(moves_only<sdxl::Image> && moves_only<sdxl::Latents> && moves_only<sdxl::Embeddings>);

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
  std::puts("no_exceptions: good");
}
