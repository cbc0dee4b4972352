// sdxl.hpp where exceptions exist: failures are thrown, and a callback may throw. Argument: a tiny model.
#include <sdxl.hpp>

#include <cstdio>
#include <stdexcept>

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  try {
    sdxl::Pipeline::load("/nowhere").or_throw();
    return 3;
  } catch (const sdxl::Exception &error) {
    if (error.status() != SDXL_STATUS_IO || std::string(error.what()).find("/nowhere") == std::string::npos) return 4;
  }
  auto pipeline = sdxl::Pipeline::load(argv[1]).or_throw();
  auto request = sdxl::Request::make("a cat").or_throw();
  request.set_steps(3).or_throw();
  auto job = pipeline.start(request, [](sdxl_job, const sdxl_progress &) -> sdxl_flow {
    throw std::runtime_error("from the callback");
  }).or_throw();
  try {
    job.wait().or_throw();
    return 5;
  } catch (const sdxl::Exception &error) {
    if (error.status() != SDXL_STATUS_CANCELLED) return 6;
  }
  if (pipeline.generate(request).or_throw().size() != 1) return 7;
  std::puts("exceptions: good");
}
