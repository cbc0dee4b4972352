#include "torch_ext.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <dlfcn.h>

#include <exception>
#include <string>

struct sdxl_shim_generator {
  at::Generator generator;
};

namespace {

thread_local std::string last_error;

template <typename Body>
int guarded(Body body) {
  try {
    body();
    return 0;
  } catch (const std::exception &error) {
    last_error = error.what();
  } catch (...) {
    last_error = "unknown C++ exception";
  }
  return 1;
}

}  // namespace

const char *sdxl_shim_error() { return last_error.c_str(); }

int sdxl_shim_generator_new(uint64_t seed, sdxl_shim_generator **out) {
  return guarded([&] { *out = new sdxl_shim_generator{at::detail::createCPUGenerator(seed)}; });
}

void sdxl_shim_generator_free(sdxl_shim_generator *generator) { delete generator; }

int sdxl_shim_randn(sdxl_shim_generator *generator, const int64_t *sizes, size_t rank, void **out) {
  return guarded([&] {
    *out = new at::Tensor(at::randn(at::IntArrayRef(sizes, rank), generator->generator,
                                    at::TensorOptions().dtype(at::kFloat).device(at::kCPU)));
  });
}

int sdxl_shim_load_cuda(int *out) {
  return guarded([&] {
    *out = 0;
    Dl_info info;
    // Any function that libtorch_cpu.so defines tells where it was loaded from.
    if (dladdr(reinterpret_cast<void *>(&at::detail::createCPUGenerator), &info) == 0) return;
    std::string path = info.dli_fname;
    path = path.substr(0, path.rfind('/') + 1) + "libtorch_cuda.so";
    *out = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr;
  });
}
