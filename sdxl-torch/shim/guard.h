// What every function of the shim is behind.
#pragma once
#include <exception>

/// Remembers the text of a failure for sdxl_shim_error(), on this thread.
void sdxl_shim_remember(const char *text) noexcept;

/// Calls `body`; 1 where it throws, else 0.
template <typename Body>
int guarded(Body body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::exception &error) {
    sdxl_shim_remember(error.what());
  } catch (...) {
    sdxl_shim_remember("unknown C++ exception");
  }
  return 1;
}
