// Loads libsdxl_torch.so, and with it libtorch, into libsdxl.so when it is first needed.
//
// calls.S has a jump in the place of each function of functions.inc. All of them go through `sdxl_lazy_table`, which
// this file fills.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void (*function)(void);

#define FUNCTION(index, name) #name "\n"
static const char names[] =
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

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int is_loaded;

/// Opens a library that lies beside libsdxl.so, in `sdxl` there, or, as Cargo leaves it, in `deps`; otherwise one that
/// the system finds. By its path: what a name leads to depends on who asks, and a host may have a dlopen of its own
/// before the system's. Local: what else the process has loaded does not see it.
static void *open_library(const char *name) {
  static const char *const folders[] = {"", "sdxl/", "deps/"};
  Dl_info info;
  const char *slash = NULL;
  if (dladdr((void *)&open_library, &info) != 0 && info.dli_fname != NULL) slash = strrchr(info.dli_fname, '/');
  for (size_t i = 0; slash != NULL && i < sizeof folders / sizeof *folders; i++) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.*s/%s%s", (int)(slash - info.dli_fname), info.dli_fname, folders[i], name);
    if (access(path, F_OK) == 0) return dlopen(path, RTLD_NOW | RTLD_LOCAL);
  }
  return dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

static const char *load(void) {
  static _Thread_local char problem[2 * PATH_MAX];
  // First, so that libsdxl_torch.so finds it, wherever either lies.
  void *library = open_library("libtorch_cpu.so");
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

int __wrap_sdxl_shim_is_loaded(void) { return __atomic_load_n(&is_loaded, __ATOMIC_ACQUIRE); }

/// NULL, or why libtorch cannot be loaded; then the next call tries again. The text is this thread's.
const char *__wrap_sdxl_shim_load(void) {
  if (__wrap_sdxl_shim_is_loaded()) return NULL;
  pthread_mutex_lock(&mutex);
  const char *problem = is_loaded ? NULL : load();
  pthread_mutex_unlock(&mutex);
  return problem;
}

/// A function was called before libtorch was loaded. It cannot return an error, so there has to be none.
void sdxl_lazy_must_load(void) {
  const char *problem = __wrap_sdxl_shim_load();
  if (problem == NULL) return;
  fprintf(stderr, "libsdxl: libtorch is needed and %s\n", problem);
  abort();
}
