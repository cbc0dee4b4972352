// Finds out why libsdxl.so cannot be loaded or used, and says what to do about it:
//
//   cc doctor.c -ldl -o doctor
//   ./doctor [LIBRARY [MODEL]]
//
// It is not linked to the library, so that it runs where nothing else does.
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sdxl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096, MOST = 64 };

static int problems;
static char folder[PATH];

// A file as bytes; NULL where it cannot be read.
static const unsigned char *map_file(const char *path, size_t *size) {
  struct stat status;
  void *bytes = MAP_FAILED;
  int file = open(path, O_RDONLY);
  if (file >= 0 && fstat(file, &status) == 0 && status.st_size > 0) {
    *size = (size_t)status.st_size;
    bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, file, 0);
  }
  if (file >= 0) close(file);
  return bytes == MAP_FAILED ? NULL : bytes;
}

static int is_there(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file != NULL) fclose(file);
  return file != NULL;
}

static void examine(const char *path);

static char seen[MOST][256];
static int count;

static int is_seen(const char *name) {
  for (int i = 0; i < count; i++) {
    if (strcmp(seen[i], name) == 0) return 1;
  }
  return 0;
}

// A library that another one asks for, once: beside it, in the folder sdxl, or where the system looks.
static void find(const char *name, const char *asked_by) {
  char path[PATH + 300];
  if (is_seen(name)) return;
  if (count < MOST) snprintf(seen[count++], sizeof seen[0], "%s", name);
  const char *places[] = {"", "sdxl/"};
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/%s%s", folder, places[i], name);
    if (is_there(path)) {
      examine(path);
      return;
    }
  }
  void *system = dlopen(name, RTLD_LAZY);
  if (system != NULL) {
    dlclose(system);
    return;
  }
  problems++;
  printf("MISSING  %s, which %s needs\n", name, asked_by);
  printf("         copy it into %s/sdxl from lib/sdxl of an installed sdxl (make install)\n", folder);
}

// What the dynamic section of a 64-bit ELF file asks for.
static void examine(const char *path) {
  size_t size = 0;
  const unsigned char *bytes = map_file(path, &size);
  if (bytes == NULL || size < sizeof(Elf64_Ehdr) || memcmp(bytes, ELFMAG, SELFMAG) != 0 ||
      bytes[EI_CLASS] != ELFCLASS64) {
    problems++;
    printf("DAMAGED  %s is no 64-bit library: copy it again\n", path);
    return;
  }
  Elf64_Ehdr header;
  memcpy(&header, bytes, sizeof header);
  for (int i = 0; i < header.e_shnum; i++) {
    Elf64_Shdr section, names;
    size_t at = header.e_shoff + (size_t)i * sizeof section;
    if (at + sizeof section > size) {
      problems++;
      printf("DAMAGED  %s is cut off: copy it again\n", path);
      break;
    }
    memcpy(&section, bytes + at, sizeof section);
    size_t names_at = header.e_shoff + (size_t)section.sh_link * sizeof names;
    if (section.sh_type != SHT_DYNAMIC || names_at + sizeof names > size) continue;
    memcpy(&names, bytes + names_at, sizeof names);
    for (size_t entry = 0; entry + sizeof(Elf64_Dyn) <= section.sh_size; entry += sizeof(Elf64_Dyn)) {
      Elf64_Dyn dynamic;
      if (section.sh_offset + entry + sizeof dynamic > size) break;
      memcpy(&dynamic, bytes + section.sh_offset + entry, sizeof dynamic);
      size_t name = names.sh_offset + dynamic.d_un.d_val;
      if (dynamic.d_tag != DT_NEEDED || name >= size) continue;
      // Without its NUL, the name would go on behind the file.
      if (memchr(bytes + name, 0, size - name) != NULL) find((const char *)bytes + name, strrchr(path, '/') + 1);
    }
  }
}

// A function of the library. C has no cast from an object to a function, hence the copy.
#define FUNCTION(returns, name, parameters)                              \
  returns(*name##_) parameters;                                          \
  void *name##_object = dlsym(library, #name);                           \
  if (name##_object == NULL) {                                           \
    printf("OLD      %s has no %s: install a newer one\n", path, #name); \
    return 1;                                                            \
  }                                                                      \
  memcpy(&name##_, &name##_object, sizeof name##_)

int main(int argc, char **argv) {
  char path[PATH];
  // By default the one that belongs to this program: bin/sdxl-doctor beside lib/.
  const char *slash = strrchr(argv[0], '/');
  snprintf(path, sizeof path, "%.*s/../lib/libsdxl.so", slash ? (int)(slash - argv[0]) : 1, slash ? argv[0] : ".");
  if (argc > 1) snprintf(path, sizeof path, "%s%s", strchr(argv[1], '/') ? "" : "./", argv[1]);
  if (!is_there(path)) {
    printf("MISSING  %s: give the path of libsdxl.so, or run make install\n", path);
    return 1;
  }
  snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
  examine(path);
  // Where it is not linked with libtorch, it loads this one when it needs libtorch.
  if (problems == 0 && !is_seen("libtorch_cpu.so")) find("libsdxl_torch.so", "libsdxl.so");
  void *library = dlopen(path, RTLD_NOW);
  if (library == NULL) {
    printf("BROKEN   the system's loader says: %s\n", dlerror());
    if (problems == 0) printf("         a library is of another version: use those that were installed together\n");
    return 1;
  }
  FUNCTION(uint32_t, sdxl_abi_version, (void));
  FUNCTION(const char *, sdxl_version, (void));
  FUNCTION(const char *, sdxl_last_error_message, (void));
  FUNCTION(sdxl_status, sdxl_check_device, (const char *));
  printf("GOOD     %s: version %s, interface %u\n", path, sdxl_version_(), sdxl_abi_version_());
  if (sdxl_abi_version_() < SDXL_ABI_VERSION) {
    problems++;
    printf("OLD      programs of this header need interface %u: install a newer library\n", SDXL_ABI_VERSION);
  }
  sdxl_status cuda = sdxl_check_device_("cuda");
  if (cuda == SDXL_STATUS_OK) {
    printf("GOOD     CUDA can be used\n");
  } else if (cuda == SDXL_STATUS_LIBTORCH) {
    printf("BROKEN   %s\n", sdxl_last_error_message_());
    if (problems == 0) printf("         a library is of another version: use those that were installed together\n");
    return 1;
  } else {
    printf("NOTE     no CUDA, the CPU alone: %s\n", sdxl_last_error_message_());
  }
  if (argc > 2) {
    FUNCTION(sdxl_status, sdxl_pipeline_options_new, (const char *, sdxl_pipeline_options *));
    FUNCTION(sdxl_status, sdxl_pipeline_options_check, (sdxl_pipeline_options));
    sdxl_pipeline_options options;
    if (sdxl_pipeline_options_new_(argv[2], &options) != SDXL_STATUS_OK ||
        sdxl_pipeline_options_check_(options) != SDXL_STATUS_OK) {
      problems++;
      printf("MODEL    %s\n", sdxl_last_error_message_());
    } else {
      printf("GOOD     %s is a whole model\n", argv[2]);
    }
  }
  return problems != 0;
}
