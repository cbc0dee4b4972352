// Loads libsdxl_torch.so, and with it libtorch, into libsdxl.so when it is first needed.
//
// calls.S has a jump in the place of each function of functions.inc. All of them go through `sdxl_lazy_table`, which
// this file fills.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void (*function)(void);

#define FUNCTION(index, name) #name "\n"
static const char names[] = VERSION "\n"
#include "functions.inc"
    ;
#undef FUNCTION
#define FUNCTION(index, name) +1
enum {
  COUNT =
#include "functions.inc"
};

/// Where the jumps lead: at first to code that calls `sdxl_lazy_must_load`.
extern function sdxl_lazy_table[COUNT];

static int is_loaded;

/// Opens a library that lies beside libsdxl.so or in `sdxl` there; `deps` is where Cargo leaves it. Otherwise one that the
/// system finds. By its path: what a name leads to depends on who asks, and a host may have a dlopen of its own before
/// the system's. For this library alone (RTLD_LOCAL).
static void *open_library(const char *name) {
  static const char *const folders[] = {"deps/", "", "sdxl/"};
  char origin[PATH_MAX], path[PATH_MAX + 64];
  Dl_info info;
  void *map;
  // The loader has known the folder since it loaded this library, also where the path was relative.
  if (dladdr1((void *)&open_library, &info, &map, RTLD_DL_LINKMAP) != 0 && dlinfo(map, RTLD_DI_ORIGIN, origin) == 0) {
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
      snprintf(path, sizeof path, "%s/%s%s", origin, folders[i], name);
      if (access(path, F_OK) == 0) return dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
  }
  return dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

int __wrap_sdxl_shim_is_loaded(void) { return __atomic_load_n(&is_loaded, __ATOMIC_ACQUIRE); }

/// NULL, or why libtorch cannot be loaded; then the next call tries again. The text is this thread's. Two threads may do
/// all of it at once: each library is loaded once, and they write the same.
const char *__wrap_sdxl_shim_load(void) {
  static _Thread_local char problem[2 * PATH_MAX];
  if (__wrap_sdxl_shim_is_loaded()) return NULL;
  // First, so that libsdxl_torch.so finds it, wherever either lies. The process may have it: two would be in each
  // other's way.
  void *library = dlopen("libtorch_cpu.so", RTLD_NOW | RTLD_NOLOAD);
  if (library == NULL) library = open_library("libtorch_cpu.so");
  if (library != NULL) library = open_library("libsdxl_torch.so");
  if (library == NULL) {
    snprintf(problem, sizeof problem, "cannot be loaded: %s (libsdxl.so looks beside itself and in sdxl/ there)",
             dlerror());
    return problem;
  }
  const char *theirs = dlsym(library, "sdxl_torch_names");
  const function *functions = dlsym(library, "sdxl_torch_functions");
  if (theirs == NULL || functions == NULL || strcmp(theirs, names) != 0) {
    snprintf(problem, sizeof problem, "cannot be used: libsdxl_torch.so is of another version than libsdxl.so");
    return problem;
  }
  // Each place at once, so that a call on another thread finds its old content or its new one.
  for (int i = 0; i < COUNT; i++) __atomic_store_n(&sdxl_lazy_table[i], functions[i], __ATOMIC_RELEASE);
  __atomic_store_n(&is_loaded, 1, __ATOMIC_RELEASE);
  return NULL;
}

/// A function was called before libtorch was loaded. It cannot return an error, so there has to be none.
void sdxl_lazy_must_load(void) {
  const char *problem = __wrap_sdxl_shim_load();
  if (problem == NULL) return;
  fprintf(stderr, "libsdxl: libtorch is needed and %s\n", problem);
  abort();
}
