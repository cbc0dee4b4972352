#include "torch_ext.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <dlfcn.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <cstdio>
#include <stdexcept>
#include <string>

#include "guard.h"

struct sdxl_shim_generator {
  at::Generator generator;
};

namespace {

// Not a std::string: copying a text into it could throw where nothing may be thrown.
thread_local char last_error[1024];

}  // namespace

void sdxl_shim_remember(const char *text) noexcept { std::snprintf(last_error, sizeof last_error, "%s", text); }

const char *sdxl_shim_load() { return nullptr; }

int sdxl_shim_is_loaded() { return 1; }

const char *sdxl_shim_error() { return last_error; }

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

int sdxl_shim_load_cuda() {
  return guarded([&] {
    Dl_info info;
    // Any function that libtorch_cpu.so defines tells where it was loaded from.
    if (dladdr(reinterpret_cast<void *>(&at::detail::createCPUGenerator), &info) == 0) {
      throw std::runtime_error("libtorch_cpu.so cannot be found");
    }
    std::string path = info.dli_fname;
    path = path.substr(0, path.rfind('/') + 1) + "libtorch_cuda.so";
    if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) throw std::runtime_error(dlerror());
  });
}

int sdxl_shim_grad_enabled() { return at::GradMode::is_enabled() ? 1 : 0; }

void sdxl_shim_trim() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

int sdxl_shim_autocast(int cuda, int enter) {
  return guarded([&] {
    const auto device = cuda ? at::kCUDA : at::kCPU;
    at::autocast::set_autocast_enabled(device, enter != 0);
    if (enter) {
      at::autocast::set_autocast_dtype(device, at::kBFloat16);
      at::autocast::increment_nesting();
    } else if (at::autocast::decrement_nesting() == 0) {
      // It holds converted copies of weights that the next step changes.
      at::autocast::clear_cache();
    }
  });
}
