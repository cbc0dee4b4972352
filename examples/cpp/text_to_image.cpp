// Text to image with progress; Ctrl-C cancels. The same program as text_to_image.rs,
// c/text_to_image.c and csharp/TextToImage.cs:
//
//   c++ -std=c++17 text_to_image.cpp $(pkg-config --cflags --libs sdxl) -o text_to_image
//   ./text_to_image MODEL "a lighthouse in a storm" lighthouse.png
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sdxl.hpp>

static volatile std::sig_atomic_t interrupted;

static void draw(const char *model, const char *prompt, const char *output, std::uint32_t steps) {
  auto pipeline = sdxl::Pipeline::load(model).or_throw();
  auto request = sdxl::Request::make(prompt).or_throw();
  request.set_steps(steps).or_throw();
  request.set_seed(42).or_throw();
  auto job = pipeline.start(request).or_throw();
  for (;;) {
    auto ended = job.wait(std::chrono::milliseconds(100));
    if (ended || ended.error().status != SDXL_STATUS_UNFINISHED) break;
    auto progress = job.poll().or_throw();
    std::printf("%u of %u, %.1f s left\n", progress.step, progress.of, progress.seconds_left);
    std::fflush(stdout);
    if (interrupted) job.cancel().or_throw();
  }
  for (auto &image : job.take_images().or_throw()) image.save_png(output).or_throw();
}

int main(int argc, char **argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: text_to_image MODEL PROMPT OUTPUT.png [STEPS]\n");
    return 2;
  }
  std::signal(SIGINT, [](int) { interrupted = 1; });
  try {
    std::uint32_t steps = argc > 4 ? std::strtoul(argv[4], nullptr, 10) : 50;
    draw(argv[1], argv[2], argv[3], steps);
  } catch (const sdxl::Exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
