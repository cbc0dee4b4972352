#include "threads.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

namespace {

using Parallel = void (*)(void (*)(void *), void *, unsigned, unsigned);

// The entry that `#pragma omp parallel` compiles to, of the OpenMP library that libtorch_cpu.so itself is linked with. To be
// linked with it by name, programs would need to know that name: libtorch is shipped with several.
Parallel find() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void *>(&at::get_num_threads), &info) == 0) return nullptr;
  void *libtorch = dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  return libtorch == nullptr ? nullptr : reinterpret_cast<Parallel>(dlsym(libtorch, "GOMP_parallel"));
}

struct Work {
  const std::function<void(int64_t)> &body;
  int64_t count;
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;

  Work(int64_t count, const std::function<void(int64_t)> &body) : body(body), count(count) {}

  void run() noexcept {
    try {
      for (int64_t index = next++; index < count; index = next++) body(index);
    } catch (...) {
      next = count;
      const std::lock_guard<std::mutex> lock(mutex);
      failure = std::current_exception();
    }
  }
};

}  // namespace

void parallel(int64_t count, const std::function<void(int64_t)> &body) {
  static const Parallel start = find();
  Work work(count, body);
  const int64_t threads = at::in_parallel_region() ? 1 : std::min<int64_t>(at::get_num_threads(), count);
  if (threads > 1 && start != nullptr) {
    start([](void *work) { static_cast<Work *>(work)->run(); }, &work, static_cast<unsigned>(threads), 0);
  } else {
    work.run();
  }
  if (work.failure) std::rethrow_exception(work.failure);
}
