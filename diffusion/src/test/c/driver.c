/*
 * A stand-in for NVIDIA's driver, libcuda.so.1: it answers as one device of a given compute capability would, keeps each kernel that
 * is loaded and counts each launch, and runs nothing. What is copied back from the device is zeros. NvidiaKernelsTest builds it.
 *
 *   STAND_IN_DIR     a folder for what is kept: N.cubin (and N.ptx, where that was loaded), launches.tsv
 *   STAND_IN_CC      compute capability times 10: 80, 86, 89, 90
 *   STAND_IN_PTXAS   the assembler that a driver has inside
 *
 * A launch is refused as a device refuses it: for its number of threads, the registers and local memory that they need together, or
 * arguments of another size than the kernel's parameters.
 */
#include <cuda.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REGISTERS 65536
#define LOCAL_MEMORY 49152

typedef struct {
  int number;
  const unsigned char *elf;
} Module;

typedef struct {
  Module *module;
  char name[512];
  int registers, local, frame, parameters;
} Function;

typedef struct {
  struct timespec time;
} Event;

typedef struct Kept {
  uint64_t hash;
  int number;
  struct Kept *next;
} Kept;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Kept *kept;
static FILE *launches;
static __thread CUcontext current;
static CUdeviceptr next_address = 0x700000000000;

static int number(const char *name, int otherwise) {
  const char *value = getenv(name);
  return value ? atoi(value) : otherwise;
}

static const char *folder(void) {
  const char *value = getenv("STAND_IN_DIR");
  return value ? value : ".";
}

/* --- What a cubin says of its kernels (an ELF file of little-endian 64 bits). --- */

static uint64_t field(const unsigned char *at, int bytes) {
  uint64_t value = 0;
  memcpy(&value, at, bytes);
  return value;
}

static const unsigned char *section(const unsigned char *elf, int i) {
  return elf + field(elf + 40, 8) + i * field(elf + 58, 2);
}

static size_t elf_size(const unsigned char *elf) {
  int count = field(elf + 60, 2);
  size_t end = field(elf + 40, 8) + count * field(elf + 58, 2);
  size_t segments = field(elf + 32, 8) + field(elf + 54, 2) * field(elf + 56, 2);
  if (segments > end) end = segments;
  for (int i = 0; i < count; i++) {
    const unsigned char *s = section(elf, i);
    size_t last = field(s + 24, 8) + field(s + 32, 8);
    if (field(s + 4, 4) != 8 && last > end) end = last; /* 8: takes no place in the file */
  }
  return end;
}

static const unsigned char *find(const unsigned char *elf, const char *prefix, const char *kernel) {
  const char *names = (const char *)elf + field(section(elf, field(elf + 62, 2)) + 24, 8);
  char name[600];
  snprintf(name, sizeof name, "%s%s", prefix, kernel);
  for (int i = 0; i < (int)field(elf + 60, 2); i++)
    if (!strcmp(names + field(section(elf, i), 4), name)) return section(elf, i);
  return NULL;
}

/* Attributes are a format, a code and a length or value; EIATTR_REGCOUNT is 0x2f, EIATTR_FRAME_SIZE 0x11,
 * EIATTR_CBANK_PARAM_SIZE 0x19. */
static int attribute(const unsigned char *elf, const unsigned char *of, int code) {
  if (!of) return 0;
  const unsigned char *at = elf + field(of + 24, 8), *end = at + field(of + 32, 8);
  while (at + 4 <= end) {
    int format = at[0], length = format == 4 ? (int)field(at + 2, 2) : 0;
    if (at[1] == code) return format == 4 ? (int)field(at + 8, 4) : (int)field(at + 2, 2);
    at += 4 + length;
  }
  return 0;
}

/* --- Devices, contexts, memory. --- */

CUresult CUDAAPI cuInit(unsigned flags) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuDriverGetVersion(int *version) { *version = 13000; return CUDA_SUCCESS; }
CUresult CUDAAPI cuDeviceGetCount(int *count) { *count = 1; return CUDA_SUCCESS; }
CUresult CUDAAPI cuDeviceGet(CUdevice *device, int ordinal) { *device = ordinal; return CUDA_SUCCESS; }
CUresult CUDAAPI cuDeviceGetName(char *name, int length, CUdevice device) {
  snprintf(name, length, "stand-in of compute capability %.1f", number("STAND_IN_CC", 90) / 10.0);
  return CUDA_SUCCESS;
}
CUresult CUDAAPI cuDeviceTotalMem(size_t *bytes, CUdevice device) { *bytes = (size_t)80 << 30; return CUDA_SUCCESS; }
CUresult CUDAAPI cuMemGetInfo(size_t *free, size_t *total) { *free = *total = (size_t)80 << 30; return CUDA_SUCCESS; }
CUresult CUDAAPI cuDeviceGetUuid(CUuuid *id, CUdevice device) { memset(id, 1, sizeof *id); return CUDA_SUCCESS; }
CUresult CUDAAPI cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device) {
  switch ((int)attribute) {
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y: *value = 1024; break;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z: *value = 64; break;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X: *value = 2147483647; break;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z: *value = 65535; break;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: *value = LOCAL_MEMORY; break;
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK: *value = REGISTERS; break;
    case CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY: *value = 65536; break;
    case CU_DEVICE_ATTRIBUTE_WARP_SIZE: *value = 32; break;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *value = 128; break;
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR: *value = 1536; break;
    case CU_DEVICE_ATTRIBUTE_CLOCK_RATE: *value = 1500000; break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = number("STAND_IN_CC", 90) / 10; break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = number("STAND_IN_CC", 90) % 10; break;
    case CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT:
    case CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS:
    case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING: *value = 1; break;
    default: *value = 0;
  }
  return CUDA_SUCCESS;
}
CUresult CUDAAPI cuCtxCreate(CUcontext *context, CUctxCreateParams *parameters, unsigned flags, CUdevice device) {
  *context = current = malloc(1);
  return CUDA_SUCCESS;
}
CUresult CUDAAPI cuCtxDestroy(CUcontext context) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuCtxSetCurrent(CUcontext context) { current = context; return CUDA_SUCCESS; }
CUresult CUDAAPI cuCtxGetCurrent(CUcontext *context) { *context = current; return CUDA_SUCCESS; }
CUresult CUDAAPI cuCtxSynchronize(void) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  if (least) *least = 0;
  if (greatest) *greatest = 0;
  return CUDA_SUCCESS;
}
CUresult CUDAAPI cuGetErrorName(CUresult error, const char **text) { *text = "error"; return CUDA_SUCCESS; }
CUresult CUDAAPI cuGetErrorString(CUresult error, const char **text) { *text = "refused by the stand-in"; return CUDA_SUCCESS; }
CUresult CUDAAPI cuGetExportTable(const void **table, const CUuuid *id) { return CUDA_ERROR_NOT_FOUND; }

CUresult CUDAAPI cuMemAlloc(CUdeviceptr *address, size_t bytes) {
  pthread_mutex_lock(&lock);
  *address = next_address;
  next_address += (bytes + 511) / 512 * 512;
  pthread_mutex_unlock(&lock);
  return CUDA_SUCCESS;
}
CUresult CUDAAPI cuMemFree(CUdeviceptr address) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuMemAllocHost(void **address, size_t bytes) {
  *address = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  return *address ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
CUresult CUDAAPI cuMemFreeHost(void *address) { free(address); return CUDA_SUCCESS; }
CUresult CUDAAPI cuMemHostRegister(void *address, size_t bytes, unsigned flags) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuMemHostUnregister(void *address) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  memset(to, 0, bytes);
  return CUDA_SUCCESS;
}
CUresult CUDAAPI cuMemcpyDtoD(CUdeviceptr to, CUdeviceptr from, size_t bytes) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuMemsetD8(CUdeviceptr to, unsigned char value, size_t bytes) { return CUDA_SUCCESS; }

/* --- Modules and launches. --- */

static uint64_t hash(const unsigned char *bytes, size_t size) {
  uint64_t value = 14695981039346656037u; /* FNV-1a */
  for (size_t i = 0; i < size; i++) value = (value ^ bytes[i]) * 1099511628211u;
  return value;
}

static void write_file(int number, const char *ending, const void *bytes, size_t size) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%d.%s", folder(), number, ending);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) { perror(path); abort(); }
}

static unsigned char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  unsigned char *bytes = malloc(size);
  if (fread(bytes, 1, size, file) != (size_t)size) { free(bytes); bytes = NULL; }
  fclose(file);
  return bytes;
}

CUresult CUDAAPI cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned options, CUjit_option *names, void **values) {
  int is_elf = !memcmp(image, "\177ELF", 4);
  size_t size = is_elf ? elf_size(image) : strlen(image);
  uint64_t of = hash(image, size);
  pthread_mutex_lock(&lock);
  Kept *one = kept;
  while (one && one->hash != of) one = one->next;
  int is_new = !one;
  if (is_new) {
    one = malloc(sizeof *one);
    *one = (Kept){of, kept ? kept->number + 1 : 1, kept};
    kept = one;
  }
  char cubin[4096];
  snprintf(cubin, sizeof cubin, "%s/%d.cubin", folder(), one->number);
  if (is_new && is_elf) write_file(one->number, "cubin", image, size);
  if (is_new && !is_elf) {
    write_file(one->number, "ptx", image, size);
    char command[16384];
    snprintf(command, sizeof command, "'%s' -arch=sm_%d -o '%s' '%s/%d.ptx' >'%s/%d.log' 2>&1", getenv("STAND_IN_PTXAS"),
             number("STAND_IN_CC", 90), cubin, folder(), one->number, folder(), one->number);
    if (system(command)) fprintf(stderr, "stand-in: %d.ptx does not assemble\n", one->number);
  }
  pthread_mutex_unlock(&lock);
  Module *loaded = malloc(sizeof *loaded);
  *loaded = (Module){one->number, read_file(cubin)};
  *module = (CUmodule)loaded;
  return loaded->elf ? CUDA_SUCCESS : CUDA_ERROR_INVALID_PTX;
}
CUresult CUDAAPI cuModuleLoadData(CUmodule *module, const void *image) { return cuModuleLoadDataEx(module, image, 0, NULL, NULL); }
CUresult CUDAAPI cuModuleUnload(CUmodule module) { return CUDA_SUCCESS; }

CUresult CUDAAPI cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  const unsigned char *elf = ((Module *)module)->elf;
  const unsigned char *shared = find(elf, ".nv.shared.", name);
  if (!find(elf, ".text.", name)) return CUDA_ERROR_NOT_FOUND;
  Function *found = calloc(1, sizeof *found);
  found->module = (Module *)module;
  snprintf(found->name, sizeof found->name, "%s", name);
  found->registers = attribute(elf, find(elf, ".nv.info", ""), 0x2f);
  found->frame = attribute(elf, find(elf, ".nv.info", ""), 0x11);
  found->local = shared ? (int)field(shared + 32, 8) : 0;
  found->parameters = attribute(elf, find(elf, ".nv.info.", name), 0x19);
  *function = (CUfunction)found;
  return CUDA_SUCCESS;
}
static int threads(const Function *function) {
  int most = REGISTERS / ((function->registers + 7) / 8 * 8 * 32) * 32;
  return most > 1024 ? 1024 : most;
}
CUresult CUDAAPI cuFuncGetAttribute(int *value, CUfunction_attribute attribute, CUfunction function) {
  *value = attribute == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK ? threads((Function *)function)
      : attribute == CU_FUNC_ATTRIBUTE_NUM_REGS                 ? ((Function *)function)->registers
                                                                : 0;
  return CUDA_SUCCESS;
}
CUresult CUDAAPI cuOccupancyMaxPotentialBlockSize(
    int *grid, int *block, CUfunction function, CUoccupancyB2DSize dynamic, size_t bytes, int limit) {
  *grid = 256;
  *block = threads((Function *)function);
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                                unsigned blockY, unsigned blockZ, unsigned dynamic, CUstream stream, void **arguments, void **extra) {
  Function *called = (Function *)function;
  size_t block = (size_t)blockX * blockY * blockZ, bytes = called->parameters;
  for (void **option = extra; option && *option != CU_LAUNCH_PARAM_END; option += 2)
    if (*option == CU_LAUNCH_PARAM_BUFFER_SIZE) bytes = *(size_t *)option[1];
  const char *refusal = NULL;
  if (!gridX || !gridY || !gridZ || !block) refusal = "no threads";
  else if (blockX > 1024 || blockY > 1024 || blockZ > 64 || block > 1024 || gridY > 65535 || gridZ > 65535) refusal = "too many threads";
  else if (block > (size_t)threads(called)) refusal = "too many registers";
  else if (called->local + dynamic > LOCAL_MEMORY) refusal = "too much local memory";
  else if (bytes != (size_t)called->parameters) refusal = "arguments of another size than the parameters";
  pthread_mutex_lock(&lock);
  if (!launches) {
    char path[4096];
    snprintf(path, sizeof path, "%s/launches.tsv", folder());
    launches = fopen(path, "w");
  }
  fprintf(launches, "%d\t%s\t%u,%u,%u\t%u,%u,%u\t%d\t%d\t%d\t%zu\t%s\n", called->module->number, called->name, gridX, gridY, gridZ, blockX,
          blockY, blockZ, called->registers, called->local, called->frame, bytes, refusal ? refusal : "");
  fflush(launches);
  pthread_mutex_unlock(&lock);
  return refusal ? CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES : CUDA_SUCCESS;
}

/* --- Streams, graphs, events. --- */

CUresult CUDAAPI cuStreamCreate(CUstream *stream, unsigned flags) { *stream = malloc(1); return CUDA_SUCCESS; }
CUresult CUDAAPI cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int priority) { return cuStreamCreate(stream, flags); }
CUresult CUDAAPI cuStreamDestroy(CUstream stream) { free(stream); return CUDA_SUCCESS; }
CUresult CUDAAPI cuStreamSynchronize(CUstream stream) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus *status) {
  *status = CU_STREAM_CAPTURE_STATUS_NONE;
  return CUDA_SUCCESS;
}
CUresult CUDAAPI cuStreamBeginCapture(CUstream stream, CUstreamCaptureMode mode) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuStreamEndCapture(CUstream stream, CUgraph *graph) { *graph = malloc(1); return CUDA_SUCCESS; }
CUresult CUDAAPI cuGraphInstantiate(CUgraphExec *executable, CUgraph graph, unsigned long long flags) {
  *executable = malloc(1);
  return CUDA_SUCCESS;
}
CUresult CUDAAPI cuGraphExecUpdate(CUgraphExec executable, CUgraph graph, CUgraphExecUpdateResultInfo *result) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuGraphLaunch(CUgraphExec executable, CUstream stream) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuGraphDestroy(CUgraph graph) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuGraphExecDestroy(CUgraphExec executable) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuEventCreate(CUevent *event, unsigned flags) { *event = calloc(1, sizeof(Event)); return CUDA_SUCCESS; }
CUresult CUDAAPI cuEventDestroy(CUevent event) { free(event); return CUDA_SUCCESS; }
CUresult CUDAAPI cuEventRecord(CUevent event, CUstream stream) {
  clock_gettime(CLOCK_MONOTONIC, &((Event *)event)->time);
  return CUDA_SUCCESS;
}
CUresult CUDAAPI cuEventQuery(CUevent event) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuEventSynchronize(CUevent event) { return CUDA_SUCCESS; }
CUresult CUDAAPI cuEventElapsedTime(float *milliseconds, CUevent from, CUevent to) {
  struct timespec a = ((Event *)from)->time, b = ((Event *)to)->time;
  *milliseconds = (b.tv_sec - a.tv_sec) * 1e3f + (b.tv_nsec - a.tv_nsec) / 1e6f;
  return CUDA_SUCCESS;
}

/* --- The little of libnvidia-ml.so.1 that is asked for. --- */

int nvmlInit(void) { return 0; }
int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetHandleByIndex(unsigned index, void **device) { *device = NULL; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = NULL; return 0; }
int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) { *milliwatts = 0; return 0; }
