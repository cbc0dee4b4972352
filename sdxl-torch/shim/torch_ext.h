// The few libtorch calls that tch lacks, as C functions.
//
// Every function is behind catch (...): it returns 0 on success and 1 on failure, and then
// sdxl_shim_error() has the text, per thread. A C++ exception must never reach Rust, where it aborts.
#pragma once
#include <stddef.h>
#include <stdint.h>

extern "C" {
typedef struct sdxl_shim_generator sdxl_shim_generator;

/// NULL, or why libtorch cannot be loaded. It is linked here; src/lazy of the crate sdxl has another function of this
/// name, which loads it.
const char *sdxl_shim_load();
int sdxl_shim_is_loaded();

/// The text of this thread's last failure. Valid until the next call on the same thread.
const char *sdxl_shim_error();

/// A CPU generator (MT19937), the one that torch.Generator("cpu").manual_seed(seed) makes.
int sdxl_shim_generator_new(uint64_t seed, sdxl_shim_generator **out);
void sdxl_shim_generator_free(sdxl_shim_generator *generator);

/// torch.randn(sizes, generator=generator), f32 on the CPU. *out is an at::Tensor* that tch may own.
int sdxl_shim_randn(sdxl_shim_generator *generator, const int64_t *sizes, size_t rank, void **out);

/// Opens libtorch_cuda.so beside libtorch_cpu.so; the text of a failure is the loader's.
int sdxl_shim_load_cuda();

/// Whether operations on this thread are recorded for a backward pass. Cannot fail.
int sdxl_shim_grad_enabled();

/// Gives memory that is not in use back to the system. Cannot fail.
void sdxl_shim_trim();

/// torch.autocast(device, dtype=torch.bfloat16), entered (1) or left (0), on this thread.
int sdxl_shim_autocast(int cuda, int enter);
}
