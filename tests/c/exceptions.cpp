// sdxl.hpp where exceptions exist: failures are thrown, and a callback may throw. Arguments: a tiny model, a folder with
// style.safetensors.
#include <sdxl.hpp>

#include <cstdio>
#include <stdexcept>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
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
  // Failures of adapters, and a chain of calls.
  auto lora = sdxl::Lora::open(std::string(argv[2]) + "/style.safetensors").or_throw();
  lora.set_block("attic.3", 0.5).or_throw();
  try {
    pipeline.with_loras({lora}).or_throw();
    return 8;
  } catch (const sdxl::Exception &error) {
    if (error.status() != SDXL_STATUS_INVALID_VALUE) return 9;
  }
  lora = sdxl::Lora::open(std::string(argv[2]) + "/style.safetensors").or_throw();
  if (pipeline.with_loras({lora}).or_throw().generate(request).or_throw().size() != 1) return 10;
  std::puts("exceptions: good");
}
