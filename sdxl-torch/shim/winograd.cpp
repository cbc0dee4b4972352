// Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray, arXiv 1509.09308): a tile of 4x4 outputs takes 36 products for
// each pair of channels instead of 144. Tiles are polynomials, evaluated at the points 0, ±a, ±b and infinity; the products
// at one point are a matrix product over the channels.
#include "winograd.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "guard.h"
#include "threads.h"

// The loops below are vectorised by the compiler, once for each of these; the loader chooses.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__)
#define VECTORISED __attribute__((target_clones("default", "fma", "avx512f")))
#else
#define VECTORISED
#endif
#define INLINE inline __attribute__((always_inline))

namespace {

// Points that can be written exactly and lose the least: the error is half of that of 0, ±1, ±2.
constexpr float a = 0.625f, b = 1.5f;
constexpr float a2 = a * a, b2 = b * b;
/// Points, side of a tile of inputs, of outputs.
constexpr int64_t kPoints = 36, kIn = 6, kOut = 4;

/// Room for the transformed kernels: those of so many output channels are made at a time.
constexpr int64_t kKernelFloats = 12 << 20;
/// Room for the tiles at their points, inputs and outputs, and the fewest at a time.
constexpr int64_t kTileFloats = 4 << 20, kFewestTiles = 128;
/// Between the matrices of two points, so that they do not all fall on the same lines of the cache.
constexpr int64_t kSkew = 16 * 3;

/// Memory in f32, in large pages where there are any: the first touch of small ones would take a tenth of the time.
at::Tensor room(at::IntArrayRef sizes) {
  at::Tensor tensor = at::empty(sizes, at::kFloat);
#if defined(MADV_HUGEPAGE)
  constexpr uintptr_t kPage = 1 << 21;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(tensor.data_ptr());
  const uintptr_t from = (begin + kPage - 1) / kPage * kPage, to = (begin + tensor.nbytes()) / kPage * kPage;
  // Advice: nothing is lost where it is not taken.
  if (from < to) madvise(reinterpret_cast<void *>(from), to - from, MADV_HUGEPAGE);
#endif
  return tensor;
}

/// Six values of an input at the six points.
INLINE void evaluate(float d0, float d1, float d2, float d3, float d4, float d5, float *at[kIn], int64_t i) {
  const float even_a = d4 - b2 * d2, odd_a = a * (d3 - b2 * d1);
  const float even_b = d4 - a2 * d2, odd_b = b * (d3 - a2 * d1);
  at[0][i] = a2 * b2 * d0 - (a2 + b2) * d2 + d4;
  at[1][i] = even_a + odd_a;
  at[2][i] = even_a - odd_a;
  at[3][i] = even_b + odd_b;
  at[4][i] = even_b - odd_b;
  at[5][i] = a2 * b2 * d1 - (a2 + b2) * d3 + d5;
}

/// `rows[r][0..width]`, a column of six, to `out + r * line`.
VECTORISED void columns_at_points(const float *const rows[kIn], int64_t width, float *out, int64_t line) {
  const float *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3], *r4 = rows[4], *r5 = rows[5];
  float *at[kIn] = {out, out + line, out + 2 * line, out + 3 * line, out + 4 * line, out + 5 * line};
#pragma GCC ivdep
  for (int64_t i = 0; i < width; ++i) evaluate(r0[i], r1[i], r2[i], r3[i], r4[i], r5[i], at, i);
}

/// A line of overlapping sixes, four apart, to `out + point * step`.
VECTORISED void sixes_at_points(const float *line, int64_t tiles, float *phases, float *out, int64_t step) {
  float *p0 = phases, *p1 = p0 + tiles + 1, *p2 = p1 + tiles + 1, *p3 = p2 + tiles + 1;
#pragma GCC ivdep
  for (int64_t t = 0; t <= tiles; ++t) {
    p0[t] = line[4 * t];
    p1[t] = line[4 * t + 1];
    p2[t] = line[4 * t + 2];
    p3[t] = line[4 * t + 3];
  }
  float *at[kIn] = {out, out + step, out + 2 * step, out + 3 * step, out + 4 * step, out + 5 * step};
#pragma GCC ivdep
  for (int64_t t = 0; t < tiles; ++t) evaluate(p0[t], p1[t], p2[t], p3[t], p0[t + 1], p1[t + 1], at, t);
}

/// Three values of a kernel at the six points, in f64: what the points cost is rounded once.
INLINE void evaluate_kernel(double g0, double g1, double g2, double at[kIn]) {
  constexpr double at_a = 1. / (2. * a2 * (a2 - b2)), at_b = 1. / (2. * b2 * (b2 - a2));
  const double even_a = at_a * (g0 + a2 * g2), odd_a = at_a * a * g1;
  const double even_b = at_b * (g0 + b2 * g2), odd_b = at_b * b * g1;
  at[0] = g0 / (a2 * b2);
  at[1] = even_a + odd_a;
  at[2] = even_a - odd_a;
  at[3] = even_b + odd_b;
  at[4] = even_b - odd_b;
  at[5] = g2;
}

/// The kernels of one output channel, `(channels, 3, 3)`, to `out + point * step`.
VECTORISED void kernels_at_points(const float *kernels, int64_t channels, float *out, int64_t step) {
  constexpr int64_t kChunk = 64;
  float g[9][kChunk];
  for (int64_t from = 0; from < channels; from += kChunk) {
    const int64_t count = std::min(kChunk, channels - from);
    for (int64_t c = 0; c < count; ++c) {
      for (int64_t q = 0; q < 9; ++q) g[q][c] = kernels[(from + c) * 9 + q];
    }
#pragma GCC ivdep
    for (int64_t c = 0; c < count; ++c) {
      double columns[3][kIn], points[kIn];
      for (int q = 0; q < 3; ++q) evaluate_kernel(g[q][c], g[3 + q][c], g[6 + q][c], columns[q]);
      for (int i = 0; i < kIn; ++i) {
        evaluate_kernel(columns[0][i], columns[1][i], columns[2][i], points);
        for (int j = 0; j < kIn; ++j) out[(i * kIn + j) * step + from + c] = static_cast<float>(points[j]);
      }
    }
  }
}

/// The products of one channel and row of tiles, from `in + point * step`, to four rows of the output.
VECTORISED void outputs(const float *in, int64_t step, int64_t tiles, float bias, float *buffer, float *const rows[kOut]) {
  // buffer[r][j]: row r of the outputs, at point j of the columns.
  for (int64_t j = 0; j < kIn; ++j) {
    const float *m0 = in + j * step, *m1 = m0 + kIn * step, *m2 = m1 + kIn * step, *m3 = m2 + kIn * step,
                *m4 = m3 + kIn * step, *m5 = m4 + kIn * step;
    float *y0 = buffer + j * tiles, *y1 = y0 + kIn * tiles, *y2 = y1 + kIn * tiles, *y3 = y2 + kIn * tiles;
#pragma GCC ivdep
    for (int64_t t = 0; t < tiles; ++t) {
      const float even_a = m1[t] + m2[t], odd_a = m1[t] - m2[t], even_b = m3[t] + m4[t], odd_b = m3[t] - m4[t];
      y0[t] = m0[t] + even_a + even_b;
      y1[t] = a * odd_a + b * odd_b;
      y2[t] = a2 * even_a + b2 * even_b;
      y3[t] = a2 * a * odd_a + b2 * b * odd_b + m5[t];
    }
  }
  for (int64_t r = 0; r < kOut; ++r) {
    if (rows[r] == nullptr) continue;
    const float *m0 = buffer + r * kIn * tiles, *m1 = m0 + tiles, *m2 = m1 + tiles, *m3 = m2 + tiles, *m4 = m3 + tiles,
                *m5 = m4 + tiles;
    float *row = rows[r];
#pragma GCC ivdep
    for (int64_t t = 0; t < tiles; ++t) {
      const float even_a = m1[t] + m2[t], odd_a = m1[t] - m2[t], even_b = m3[t] + m4[t], odd_b = m3[t] - m4[t];
      row[4 * t] = m0[t] + even_a + even_b + bias;
      row[4 * t + 1] = a * odd_a + b * odd_b + bias;
      row[4 * t + 2] = a2 * even_a + b2 * even_b + bias;
      row[4 * t + 3] = a2 * a * odd_a + b2 * b * odd_b + m5[t] + bias;
    }
  }
}

/// One convolution. Tiles are numbered row by row through all pictures.
struct Convolution {
  const float *x, *weight, *bias;
  int64_t x_picture, x_channel, x_row;  // Strides.
  int64_t channels, height, width;
  float *y;
  int64_t out_channels, out_height, out_width;
  int64_t rows_of_zeros, columns_of_zeros;

  int64_t tile_rows() const { return (out_height + kOut - 1) / kOut; }
  int64_t tile_columns() const { return (out_width + kOut - 1) / kOut; }

  /// A row of tiles of one input channel, at the points.
  void evaluate_inputs(int64_t tile_row, int64_t channel, float *out, int64_t step, std::vector<float> &room) const {
    const int64_t tiles = tile_columns(), line = kOut * (tiles + 1);
    room.resize(kIn * line + 4 * (tiles + 1) + width);
    float *lines = room.data(), *phases = lines + kIn * line, *zeros = phases + 4 * (tiles + 1);
    std::fill_n(zeros, width, 0.f);
    const float *plane = x + tile_row / tile_rows() * x_picture + channel * x_channel;
    const int64_t top = tile_row % tile_rows() * kOut - rows_of_zeros;
    const float *rows[kIn];
    for (int64_t r = 0; r < kIn; ++r) {
      rows[r] = top + r >= 0 && top + r < height ? plane + (top + r) * x_row : zeros;
    }
    const int64_t used = std::min(width, line - columns_of_zeros);
    columns_at_points(rows, used, lines + columns_of_zeros, line);
    for (int64_t r = 0; r < kIn; ++r) {
      float *begin = lines + r * line;
      std::fill_n(begin, columns_of_zeros, 0.f);
      std::fill(begin + columns_of_zeros + used, begin + line, 0.f);
      sixes_at_points(begin, tiles, phases, out + r * kIn * step, step);
    }
  }

  /// A row of tiles of one output channel, from the points.
  void interpolate_outputs(int64_t tile_row, int64_t channel, const float *in, int64_t step, std::vector<float> &room) const {
    const int64_t tiles = tile_columns(), line = kOut * tiles;
    room.resize(kOut * kIn * tiles + kOut * line);
    float *buffer = room.data(), *lines = buffer + kOut * kIn * tiles;
    const int64_t top = tile_row % tile_rows() * kOut;
    float *plane = y + (tile_row / tile_rows() * out_channels + channel) * out_height * out_width;
    const bool direct = line == out_width;
    float *rows[kOut];
    for (int64_t r = 0; r < kOut; ++r) {
      rows[r] = top + r >= out_height ? nullptr : direct ? plane + (top + r) * out_width : lines + r * line;
    }
    outputs(in, step, tiles, bias == nullptr ? 0.f : bias[channel], buffer, rows);
    if (direct) return;
    for (int64_t r = 0; r < kOut && rows[r] != nullptr; ++r) {
      std::memcpy(plane + (top + r) * out_width, rows[r], out_width * sizeof(float));
    }
  }

  void run(int64_t pictures, at::Tensor &scratch) const {
    const int64_t all_rows = pictures * tile_rows(), tiles = tile_columns();
    const int64_t kernels = std::clamp<int64_t>(kKernelFloats / (kPoints * channels), 1, out_channels);
    const int64_t wanted = std::max(kTileFloats / (kPoints * (channels + kernels)), kFewestTiles);
    const int64_t rows = std::clamp<int64_t>(wanted / tiles, 1, all_rows);

    const int64_t u_step = kernels * channels + kSkew, v_step = channels * rows * tiles + kSkew,
                  m_step = kernels * rows * tiles + kSkew;
    const int64_t needed = kPoints * (u_step + v_step + m_step);
    if (scratch.numel() < needed) {
      scratch.reset();
      scratch = room({needed});
    }
    float *u = scratch.data_ptr<float>(), *v = u + kPoints * u_step, *m = v + kPoints * v_step;

    for (int64_t k = 0; k < out_channels; k += kernels) {
      const int64_t k_count = std::min(kernels, out_channels - k);
      parallel(k_count, [&](int64_t i) {
        kernels_at_points(weight + (k + i) * channels * 9, channels, u + i * channels, u_step);
      });
      for (int64_t r = 0; r < all_rows; r += rows) {
        const int64_t r_count = std::min(rows, all_rows - r), t_count = r_count * tiles;
        // The inputs are still there where one block has them all.
        if (k == 0 || rows < all_rows) {
          parallel(channels, [&](int64_t c) {
            std::vector<float> room;
            for (int64_t i = 0; i < r_count; ++i) {
              evaluate_inputs(r + i, c, v + c * t_count + i * tiles, v_step, room);
            }
          });
        }
        const auto matrices = [&](float *data, int64_t step, int64_t height, int64_t width) {
          return scratch.as_strided({kPoints, height, width}, {step, width, 1}, data - scratch.data_ptr<float>());
        };
        at::Tensor products = matrices(m, m_step, k_count, t_count);
        at::bmm_out(products, matrices(u, u_step, k_count, channels), matrices(v, v_step, channels, t_count));
        parallel(k_count, [&](int64_t i) {
          std::vector<float> room;
          for (int64_t j = 0; j < r_count; ++j) {
            interpolate_outputs(r + j, k + i, m + i * t_count + j * tiles, m_step, room);
          }
        });
      }
    }
  }
};

}  // namespace

int sdxl_shim_winograd(const void *x, const void *weight, const void *bias, int64_t rows, int64_t columns, void *scratch,
                       void **out) {
  return guarded([&] {
    const at::Tensor &input = *static_cast<const at::Tensor *>(x);
    const at::Tensor kernels = static_cast<const at::Tensor *>(weight)->contiguous();
    TORCH_CHECK(input.dim() == 4 && input.stride(3) == 1, "winograd: an input of rows of adjacent columns");
    TORCH_CHECK(kernels.dim() == 4 && kernels.size(1) == input.size(1) && kernels.size(2) == 3 && kernels.size(3) == 3,
                "winograd: a 3x3 kernel for the input's channels");
    TORCH_CHECK(input.scalar_type() == at::kFloat && kernels.scalar_type() == at::kFloat, "winograd: f32");
    TORCH_CHECK(input.is_cpu() && kernels.is_cpu(), "winograd: tensors on the CPU");
    at::Tensor shift;
    if (bias != nullptr) shift = static_cast<const at::Tensor *>(bias)->to(at::kFloat).contiguous();
    const int64_t height = input.size(2) + 2 * rows - 2, width = input.size(3) + 2 * columns - 2;
    TORCH_CHECK(input.numel() > 0 && kernels.numel() > 0 && height > 0 && width > 0 && rows >= 0 && columns >= 0, "winograd: an output of one pixel or more");
    at::Tensor output = room({input.size(0), kernels.size(0), height, width});
    const Convolution convolution{
        input.data_ptr<float>(), kernels.data_ptr<float>(), shift.defined() ? shift.data_ptr<float>() : nullptr,
        input.stride(0), input.stride(1), input.stride(2),
        input.size(1), input.size(2), input.size(3),
        output.data_ptr<float>(), kernels.size(0), height, width, rows, columns};
    convolution.run(input.size(0), *static_cast<at::Tensor *>(scratch));
    *out = new at::Tensor(std::move(output));
  });
}
