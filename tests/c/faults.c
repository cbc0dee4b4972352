// A library for LD_PRELOAD whose calls fail when they are told to: the n-th large allocation, the n-th read, the n-th
// write, sync or rename. Tests find fault_arm and fault_count in the process.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

enum { ALLOCATION, READ, SHORT_READ, WRITE, SYNC, RENAME, KINDS };
enum { LARGE = 1 << 20 };

static atomic_int kind = -1;
static atomic_long count, fail_at;

// From now on the n-th call of that kind fails, from 1; none where n is 0.
void fault_arm(int new_kind, long n) {
  kind = -1;
  count = 0;
  fail_at = n;
  kind = new_kind;
}

// Ends that, and says how many calls there were.
long fault_count(void) {
  kind = -1;
  return count;
}

static int fails(int call) { return kind == call && ++count == fail_at; }

static int no_room(size_t size) { return size >= LARGE && fails(ALLOCATION); }

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static void *none(void) {
  errno = ENOMEM;
  return NULL;
}

void *malloc(size_t size) { return no_room(size) ? none() : __libc_malloc(size); }
void *calloc(size_t number, size_t size) {
  return size != 0 && no_room(number * size) ? none() : __libc_calloc(number, size);
}
void *realloc(void *old, size_t size) { return no_room(size) ? none() : __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { return no_room(size) ? none() : __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **out, size_t alignment, size_t size) {
  void *memory = memalign(alignment, size);
  if (memory == NULL) return ENOMEM;
  *out = memory;
  return 0;
}

// The system's own function.
#define REAL(name, type) ((type)dlsym(RTLD_NEXT, #name))

ssize_t pread64(int file, void *buffer, size_t size, off64_t offset) {
  if (fails(READ)) {
    errno = EIO;
    return -1;
  }
  if (kind == SHORT_READ && size > 1) size = ++count % 2 ? 1 : size / 2;
  return REAL(pread64, ssize_t(*)(int, void *, size_t, off64_t))(file, buffer, size, offset);
}

ssize_t read(int file, void *buffer, size_t size) {
  if (fails(READ)) {
    errno = EIO;
    return -1;
  }
  return REAL(read, ssize_t(*)(int, void *, size_t))(file, buffer, size);
}

ssize_t write(int file, const void *buffer, size_t size) {
  if (file > 2 && fails(WRITE)) {
    // A disk that fills up takes a part first.
    if (size > 1 && count % 2) return REAL(write, ssize_t(*)(int, const void *, size_t))(file, buffer, size / 2);
    errno = ENOSPC;
    return -1;
  }
  if (file > 2 && kind == WRITE && fail_at != 0 && count >= fail_at) {
    errno = ENOSPC;
    return -1;
  }
  return REAL(write, ssize_t(*)(int, const void *, size_t))(file, buffer, size);
}

int fsync(int file) {
  if (fails(SYNC)) {
    errno = EIO;
    return -1;
  }
  return REAL(fsync, int (*)(int))(file);
}

int rename(const char *from, const char *to) {
  if (fails(RENAME)) {
    errno = EACCES;
    return -1;
  }
  return REAL(rename, int (*)(const char *, const char *))(from, to);
}
