// libtorch's own threads.
#pragma once
#include <cstdint>
#include <functional>

/// Calls `body` with every number below `count`, on at::get_num_threads() threads. Rethrows what one of them throws.
void parallel(int64_t count, const std::function<void(int64_t)> &body);
