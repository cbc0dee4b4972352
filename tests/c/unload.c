// The library stays where it is when it is closed, with its jobs. Arguments: the library, which this program is not linked
// with, and a tiny model.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <sdxl.h>

#include "expect.h"

static void *library;

static void *symbol(const char *name) {
  void *found = dlsym(library, name);
  EXPECT(found != NULL);
  return found;
}

// A function of the library, of its type in the header.
#define SDXL(name) ((__typeof__(sdxl_##name) *)symbol("sdxl_" #name))
#define OK(call) EXPECT((call) == SDXL_STATUS_OK)

static void open_library(const char *path) {
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  EXPECT(library != NULL);
}

static void close_library(const char *path) {
  EXPECT(dlclose(library) == 0);
  void *still = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  EXPECT(still != NULL && dlclose(still) == 0);
}

int main(int argc, char **argv) {
  EXPECT(argc == 3);
  EXPECT(dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) == NULL);
  sdxl_pipeline_options options;
  sdxl_pipeline pipeline;
  sdxl_conditioning conditioning;
  sdxl_request request;
  sdxl_job job;
  size_t count;
  open_library(argv[1]);
  OK(SDXL(pipeline_options_new)(argv[2], &options));
  OK(SDXL(pipeline_load)(options, &pipeline));
  OK(SDXL(pipeline_options_free)(options));
  OK(SDXL(conditioning_new)("a cat", &conditioning));
  OK(SDXL(request_new)(conditioning, &request));
  OK(SDXL(request_set_steps)(request, 20));
  // While it has nothing to do, and while it draws.
  for (int round = 0; round < 3; round++) {
    close_library(argv[1]);
    open_library(argv[1]);
    OK(SDXL(job_start)(pipeline, request, NULL, NULL, &job));
    close_library(argv[1]);
    open_library(argv[1]);
    OK(SDXL(job_wait)(job, -1));
    OK(SDXL(job_image_count)(job, &count));
    EXPECT(count == 1);
    OK(SDXL(job_free)(job));
  }
  OK(SDXL(request_free)(request));
  OK(SDXL(conditioning_free)(conditioning));
  OK(SDXL(pipeline_free)(pipeline));
  close_library(argv[1]);
  puts("unload: good");
  return 0;
}
