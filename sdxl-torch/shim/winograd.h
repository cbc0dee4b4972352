// 3x3 convolutions on the CPU with fewer multiplications, as a C function.
#pragma once
#include <stdint.h>

extern "C" {
/// torch.nn.functional.conv2d(x, weight, bias, padding=(rows, columns)) for a 3x3 kernel of stride 1, in f32 on the CPU,
/// without gradients; up to the rounding of Winograd's algorithm. Its columns are next to each other in `x`.
///
/// All pointers are to at::Tensor; `bias` may be null. `scratch` is any f32 tensor on the CPU, which is replaced by a larger
/// one where it is too small. *out is one that tch may own. 0 on success; else sdxl_shim_error() has the text.
int sdxl_shim_winograd(const void *x, const void *weight, const void *bias, int64_t rows, int64_t columns, void *scratch,
                       void **out);
}
