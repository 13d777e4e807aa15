// A CUDA driver that computes nothing. Memory is the host's and copies are copies, but a launch is only counted: what a program
// asks of the driver can be seen, and what the host's part of it takes be timed, where there is no GPU. Its device claims to
// be an H200. Numbers that come back from it mean nothing.
//
//   PRETENDED_PTX=FOLDER    keep every module that is loaded
//   PRETENDED_STATS=1       say at the end what was asked
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int Result;
typedef void *Handle;
typedef unsigned long long Address;

enum { OK = 0, OUT_OF_MEMORY = 2, INVALID_VALUE = 1, NOT_FOUND = 500 };

static long modules, launches, up, down, across, waits;
static size_t up_bytes, down_bytes;

static void tell(void) {
  if (!getenv("PRETENDED_STATS")) return;
  fprintf(stderr, "pretended: %ld modules, %ld launches, %ld copies up (%zu bytes), %ld down (%zu bytes), %ld across, %ld waits\n",
          modules, launches, up, up_bytes, down, down_bytes, across, waits);
}

// The device.

Result cuInit(unsigned flags) {
  static int told;
  if (!told++) atexit(tell);
  return OK;
}
Result cuDriverGetVersion(int *version) { return *version = 13000, OK; }
Result cuDeviceGetCount(int *count) { return *count = 1, OK; }
Result cuDeviceGet(int *device, int index) { return *device = index, index == 0 ? OK : 101; }
Result cuDeviceGetName(char *name, int size, int device) { return snprintf(name, size, "pretended H200"), OK; }
Result cuDeviceGetPCIBusId(char *id, int size, int device) { return snprintf(id, size, "0000:01:00.0"), OK; }
Result cuDeviceGetUuid_v2(void *id, int device) { return memset(id, 7, 16), OK; }
Result cuDeviceTotalMem_v2(size_t *bytes, int device) { return *bytes = 141ull << 30, OK; }
Result cuMemGetInfo_v2(size_t *left, size_t *all) { return *left = *all = 141ull << 30, OK; }
Result cuDeviceCanAccessPeer(int *can, int a, int b) { return *can = 0, OK; }

Result cuDeviceGetAttribute(int *value, int attribute, int device) {
  switch (attribute) {
  case 1: case 2: case 3: *value = 1024; break;    // threads of a block, its x and y
  case 4: *value = 64; break;                      // its z
  case 5: *value = 2147483647; break;              // blocks in x
  case 6: case 7: *value = 65535; break;           // in y and z
  case 8: *value = 49152; break;                   // shared memory of a block
  case 10: *value = 32; break;                     // a warp
  case 12: *value = 65536; break;                  // registers of a block
  case 16: *value = 132; break;                    // multiprocessors
  case 38: *value = 52428800; break;               // L2
  case 39: *value = 2048; break;                   // threads of a multiprocessor
  case 75: *value = 9; break;                      // compute capability
  case 76: *value = 0; break;
  case 81: *value = 233472; break;                 // shared memory of a multiprocessor
  case 97: *value = 232448; break;                 // of a block that asks for it
  default: *value = 1;
  }
  return OK;
}

Result cuDevicePrimaryCtxRetain(Handle *context, int device) { return *context = (Handle)16, OK; }
Result cuDevicePrimaryCtxRelease_v2(int device) { return OK; }
Result cuCtxSetCurrent(Handle context) { return OK; }
Result cuCtxGetCurrent(Handle *context) { return *context = (Handle)16, OK; }
Result cuCtxGetDevice(int *device) { return *device = 0, OK; }
Result cuCtxSetLimit(int limit, size_t value) { return OK; }
Result cuCtxGetStreamPriorityRange(int *least, int *most) { return *least = 0, *most = -5, OK; }
Result cuCtxSynchronize(void) { return waits++, OK; }
Result cuGetErrorString(Result error, const char **text) { return *text = "a pretended error", OK; }
Result cuGetErrorName(Result error, const char **text) { return *text = "CUDA_ERROR_PRETENDED", OK; }

// Streams and events: all is done when it is asked for.

Result cuStreamCreate(Handle *stream, unsigned flags) { return *stream = malloc(1), OK; }
Result cuStreamCreateWithPriority(Handle *stream, unsigned flags, int priority) { return *stream = malloc(1), OK; }
Result cuStreamDestroy_v2(Handle stream) { return OK; }
Result cuStreamSynchronize(Handle stream) { return waits++, OK; }
Result cuStreamQuery(Handle stream) { return OK; }
Result cuStreamWaitEvent(Handle stream, Handle event, unsigned flags) { return OK; }
Result cuStreamIsCapturing(Handle stream, int *is) { return *is = 0, OK; }
Result cuLaunchHostFunc(Handle stream, void (*function)(void *), void *data) { return function(data), OK; }
Result cuEventCreate(Handle *event, unsigned flags) { return *event = calloc(1, sizeof(struct timespec)), OK; }
Result cuEventDestroy_v2(Handle event) { return OK; }
Result cuEventRecord(Handle event, Handle stream) { return clock_gettime(CLOCK_MONOTONIC, event), OK; }
Result cuEventSynchronize(Handle event) { return waits++, OK; }
Result cuEventQuery(Handle event) { return OK; }
Result cuEventElapsedTime_v2(float *ms, Handle from, Handle to) {
  struct timespec *a = from, *b = to;
  *ms = (b->tv_sec - a->tv_sec) * 1e3f + (b->tv_nsec - a->tv_nsec) * 1e-6f + 1e-3f;
  return OK;
}
Result cuEventElapsedTime(float *ms, Handle from, Handle to) { return cuEventElapsedTime_v2(ms, from, to); }

// Memory.

static Result allocate(void **memory, size_t bytes) { return posix_memalign(memory, 4096, bytes + 64) ? OUT_OF_MEMORY : OK; }
Result cuMemAlloc_v2(Address *memory, size_t bytes) { return allocate((void **)memory, bytes); }
Result cuMemAllocAsync(Address *memory, size_t bytes, Handle stream) { return allocate((void **)memory, bytes); }
Result cuMemFree_v2(Address memory) { return free((void *)memory), OK; }
Result cuMemFreeAsync(Address memory, Handle stream) { return free((void *)memory), OK; }
Result cuMemAllocHost_v2(void **memory, size_t bytes) { return allocate(memory, bytes); }
Result cuMemHostAlloc(void **memory, size_t bytes, unsigned flags) { return allocate(memory, bytes); }
Result cuMemFreeHost(void *memory) { return free(memory), OK; }
Result cuDeviceGetDefaultMemPool(Handle *pool, int device) { return *pool = (Handle)32, OK; }
Result cuMemPoolSetAttribute(Handle pool, int attribute, void *value) { return OK; }
Result cuMemPoolTrimTo(Handle pool, size_t bytes) { return OK; }

Result cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, Handle stream) {
  return up++, up_bytes += bytes, memcpy((void *)to, from, bytes), OK;
}
Result cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, Handle stream) {
  return down++, down_bytes += bytes, memcpy(to, (void *)from, bytes), OK;
}
Result cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, Handle stream) {
  return across++, memcpy((void *)to, (void *)from, bytes), OK;
}
Result cuMemsetD8Async(Address to, unsigned char value, size_t bytes, Handle stream) { return memset((void *)to, value, bytes), OK; }

enum { ON_HOST = 1 };
typedef struct {
  size_t x, y;
  int kind;
  void *host;
  Address device;
  Handle array;
  size_t pitch;
} Side;
typedef struct {
  Side from, to;
  size_t width, height;
} Copy;

static char *start(const Side *side) { return side->kind == ON_HOST ? side->host : (char *)side->device; }
Result cuMemcpy2DAsync_v2(const Copy *copy, Handle stream) {
  size_t bytes = copy->width * copy->height;
  if (copy->from.kind == ON_HOST) up++, up_bytes += bytes;
  else if (copy->to.kind == ON_HOST) down++, down_bytes += bytes;
  else across++;
  for (size_t row = 0; row < copy->height; row++)
    memcpy(start(&copy->to) + row * copy->to.pitch, start(&copy->from) + row * copy->from.pitch, copy->width);
  return OK;
}

// Modules and launches.

Result cuModuleLoadData(Handle *module, const void *image) {
  const char *folder = getenv("PRETENDED_PTX"), *entry = strstr(image, ".entry ");
  char name[100] = "module", path[512];
  if (entry) sscanf(entry, ".entry %99[^( \n]", name);
  snprintf(path, sizeof path, "%s/%05ld_%s.ptx", folder ? folder : "", modules++, name);
  FILE *file = folder ? fopen(path, "w") : NULL;
  if (file) fputs(image, file), fclose(file);
  return *module = malloc(1), OK;
}
Result cuModuleUnload(Handle module) { return OK; }
Result cuModuleGetFunction(Handle *function, Handle module, const char *name) { return *function = strdup(name), OK; }
Result cuModuleGetGlobal_v2(Address *at, size_t *bytes, Handle module, const char *name) { return NOT_FOUND; }
Result cuFuncSetAttribute(Handle function, int attribute, int value) { return value > 232448 ? INVALID_VALUE : OK; }
Result cuFuncGetAttribute(int *value, int attribute, Handle function) { return *value = 32, OK; }
Result cuTensorMapEncodeTiled(void *map) { return memset(map, 0, 128), OK; }
Result cuTensorMapEncodeIm2col(void *map) { return memset(map, 0, 128), OK; }

Result cuLaunchKernel(Handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                      Handle stream, void **arguments, void **extra) {
  launches++;
  int fits = gx && gy && gz && gy <= 65535 && gz <= 65535 && bx && by && bz && bx * by * bz <= 1024 && bz <= 64 && shared <= 232448;
  if (!fits) fprintf(stderr, "pretended: %s cannot be launched: grid %u %u %u, block %u %u %u, %u shared bytes\n", (char *)function, gx, gy, gz, bx, by, bz, shared);
  return fits ? OK : INVALID_VALUE;
}
