/* A program that knows nothing of the model. Its first argument says what it does, its second where
   it writes what it saw; it exits with 0 if all its calls ended as expected. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/iommufd.h>
#include <linux/kvm.h>
#include <linux/mman.h>
#include <linux/udmabuf.h>
#include <linux/vfio.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUNCTION "/sys/bus/pci/devices/0000:00:02.0/"
#define COMMAND (((uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) + 4)

/* A call that failed ends the program with a message. */
static long done(const char *call, long result) {
  if (result < 0) {
    printf("%s: %s\n", call, strerror(errno));
    exit(1);
  }
  return result;
}
#define DONE(call) done(#call, (long)(call))

/* A call that must fail, and how. */
static void refused(const char *call, long result, int expected) {
  if (result >= 0 || errno != expected) {
    printf("%s: %ld, %s\n", call, result, strerror(errno));
    exit(1);
  }
}
#define REFUSED(call, expected) refused(#call, (long)(call), expected)

static void write_text(const char *path, const char *text) {
  int file = DONE(open(path, O_WRONLY));
  DONE(write(file, text, strlen(text)));
  DONE(close(file));
}

static int ioas(int iommu) {
  struct iommu_ioas_alloc alloc = {.size = sizeof alloc};
  DONE(ioctl(iommu, IOMMU_IOAS_ALLOC, &alloc));
  return alloc.out_ioas_id;
}

static void bind_driver(void) {
  write_text(FUNCTION "driver_override", "vfio-pci");
  write_text("/sys/bus/pci/drivers_probe", "0000:00:02.0");
}

static void see_host(void) {
  char text[256] = "";
  int vendor = DONE(open(FUNCTION "vendor", O_RDONLY));
  DONE(read(vendor, text, sizeof text - 1));
  printf("vendor %s", text);
  struct stat status;
  DONE(stat("/dev/iommu", &status));
  printf("iommu is a device: %d\n", S_ISCHR(status.st_mode));
  DONE(readlink(FUNCTION "iommu_group", text, sizeof text));
  REFUSED(open(FUNCTION "nothing", O_RDONLY), ENOENT);
  REFUSED(access("/dev/vfio/vfio-of-nobody", F_OK), ENOENT);
  DONE(access("/sys/bus/pci", R_OK));
  DONE(access("/proc/self/exe", X_OK));
}

/* Has the edu copy 16 bytes from one address to another, through its own buffer. */
static void copy_by_edu(int device, uint64_t source, uint64_t destination) {
  for (int back = 0; back < 2; back++) {
    uint64_t from = back ? 0x40000 : source, to = back ? destination : 0x40000, bytes = 16;
    uint64_t start = back ? 3 : 1;
    DONE(pwrite(device, &from, 8, 0x80));
    DONE(pwrite(device, &to, 8, 0x88));
    DONE(pwrite(device, &bytes, 8, 0x90));
    DONE(pwrite(device, &start, 8, 0x98));
    do {
      DONE(pread(device, &start, 8, 0x98));
    } while (start & 1);
  }
}

static void drive_device(void) {
  bind_driver();
  int device = DONE(open("/dev/vfio/devices/vfio0", O_RDWR));
  int iommu = DONE(open("/dev/iommu", O_RDWR));
  struct vfio_device_bind_iommufd bind = {.argsz = sizeof bind, .iommufd = iommu};
  DONE(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind));
  struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof attach, .pt_id = ioas(iommu)};
  unsigned id = attach.pt_id;
  DONE(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
  struct vfio_region_info config = {.argsz = sizeof config, .index = VFIO_PCI_CONFIG_REGION_INDEX};
  DONE(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config));
  uint16_t command;
  DONE(pread(device, &command, sizeof command, config.offset + 4));
  command |= 6;
  DONE(pwrite(device, &command, sizeof command, config.offset + 4));
  uint32_t identification;
  DONE(pread(device, &identification, sizeof identification, 0));
  printf("edu %x\n", identification);
  /* An interrupt wakes whoever waits for the program's own eventfd. */
  int event = DONE(eventfd(0, EFD_CLOEXEC));
  char room[sizeof(struct vfio_irq_set) + sizeof(int32_t)] = {0};
  struct vfio_irq_set *irqs = (void *)room;
  irqs->argsz = sizeof room;
  irqs->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
  irqs->index = VFIO_PCI_MSI_IRQ_INDEX;
  irqs->count = 1;
  memcpy(irqs->data, &event, sizeof event);
  DONE(ioctl(device, VFIO_DEVICE_SET_IRQS, irqs));
  uint32_t raised = 1;
  DONE(pwrite(device, &raised, sizeof raised, 0x60));
  struct pollfd waits = {.fd = event, .events = POLLIN};
  printf("interrupts %ld\n", DONE(poll(&waits, 1, 60000)));
  /* The device reads and writes the program's memory. */
  char *memory = mmap(0, 0x2000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  strcpy(memory, "by DMA");
  struct iommu_ioas_map map = {.size = sizeof map, .flags = 7, .ioas_id = id, .length = 0x2000};
  map.user_va = (uintptr_t)memory;
  DONE(ioctl(iommu, IOMMU_IOAS_MAP, &map));
  copy_by_edu(device, 0, 0x1000);
  printf("%s\n", memory + 0x1000);
  /* All is left open. */
}

static void bind_memory(int device, int iommu) {
  struct vfio_device_bind_iommufd bind = {.argsz = sizeof bind, .iommufd = iommu};
  DONE(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind));
  uint16_t command = 6;
  DONE(pwrite(device, &command, sizeof command, COMMAND));
}

/* The file of the function's group. */
static int open_group(void) {
  char link[256] = "", path[64];
  DONE(readlink(FUNCTION "iommu_group", link, sizeof link - 1));
  snprintf(path, sizeof path, "/dev/vfio/%s", strrchr(link, '/') + 1);
  int group = DONE(open(path, O_RDWR));
  REFUSED(open(path, O_RDWR), EBUSY);
  return group;
}

/* The edu writes its own register 4, which then has the inverse: only a container maps a BAR. */
static void reach_bar(int container, int device, char *memory) {
  void *bar = mmap(0, 0x100000, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
  struct vfio_iommu_type1_dma_map map = {
      .argsz = sizeof map, .flags = 3, .vaddr = (uintptr_t)bar, .iova = 0x100000, .size = 0x1000};
  if (ioctl(container, VFIO_IOMMU_MAP_DMA, &map) < 0) {
    printf("no BAR, ");
  } else {
    uint64_t from[2] = {0, 0x40000}, to[2] = {0x40000, 0x100004}, start;
    memcpy(memory, "\1\2\3\4", 4);
    for (int back = 0; back < 2; back++) {
      uint64_t bytes = 4;
      DONE(pwrite(device, &from[back], 8, 0x80));
      DONE(pwrite(device, &to[back], 8, 0x88));
      DONE(pwrite(device, &bytes, 8, 0x90));
      start = back ? 3 : 1;
      DONE(pwrite(device, &start, 8, 0x98));
      do {
        DONE(pread(device, &start, 8, 0x98));
      } while (start & 1);
    }
    uint32_t inverse;
    DONE(pread(device, &inverse, sizeof inverse, 4));
    printf("BAR %x, ", inverse);
  }
  DONE(munmap(bar, 0x100000));
}

/* Opens the function through its group, and has it copy memory that was mapped by VFIO's old calls. */
static void copy_in_container(int container, int group) {
  DONE(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
  struct vfio_group_status status = {.argsz = sizeof status};
  DONE(ioctl(group, VFIO_GROUP_GET_STATUS, &status));
  DONE(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
  int device = DONE(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:02.0"));
  printf("group %x, closed on exec %ld, ", status.flags, DONE(fcntl(device, F_GETFD)));
  uint16_t command = 6;
  DONE(pwrite(device, &command, sizeof command, COMMAND));
  char *memory = mmap(0, 0x2000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  strcpy(memory, "by DMA");
  struct vfio_iommu_type1_dma_map map = {
      .argsz = sizeof map, .flags = 3, .vaddr = (uintptr_t)memory, .size = 0x2000};
  DONE(ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
  REFUSED(ioctl(container, VFIO_IOMMU_MAP_DMA, &map), EEXIST);
  copy_by_edu(device, 0, 0x1000);
  reach_bar(container, device, memory);
  struct vfio_iommu_type1_dma_unmap unmap = {
      .argsz = sizeof unmap, .flags = VFIO_DMA_UNMAP_FLAG_ALL};
  DONE(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap));
  printf("%s, unmapped %llx\n", memory + 0x1000, unmap.size);
  DONE(close(device));
  DONE(ioctl(group, VFIO_GROUP_UNSET_CONTAINER));
}

static void use_group(void) {
  bind_driver();
  struct stat status;
  DONE(stat("/dev/vfio/vfio", &status));
  printf("container %o, ", status.st_mode & 0777);
  int container = DONE(open("/dev/vfio/vfio", O_RDWR));
  printf("version %ld, ", DONE(ioctl(container, VFIO_GET_API_VERSION)));
  printf("type 1 %ld\n", DONE(ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU)));
  int group = open_group();
  copy_in_container(container, group);
  copy_in_container(DONE(open("/dev/iommu", O_RDWR)), group);
  DONE(close(group));
  DONE(close(open_group()));
}

static int dma_device, dma_iommu, dma_ioas;

static void set_up_dma(void) {
  bind_driver();
  dma_device = DONE(open("/dev/vfio/devices/vfio0", O_RDWR));
  dma_iommu = DONE(open("/dev/iommu", O_RDWR));
  bind_memory(dma_device, dma_iommu);
  struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof attach};
  dma_ioas = attach.pt_id = ioas(dma_iommu);
  DONE(ioctl(dma_device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
}

/* Between the device's own memory and an IOVA. */
static void dma(uint64_t iova, uint64_t bytes, int is_to_memory) {
  uint64_t own = 0x40000, start = is_to_memory ? 3 : 1;
  DONE(pwrite(dma_device, is_to_memory ? &own : &iova, 8, 0x80));
  DONE(pwrite(dma_device, is_to_memory ? &iova : &own, 8, 0x88));
  DONE(pwrite(dma_device, &bytes, 8, 0x90));
  DONE(pwrite(dma_device, &start, 8, 0x98));
  do {
    DONE(pread(dma_device, &start, 8, 0x98));
  } while (start & 1);
}

/* What is pinned stays the device's when it is unmapped, and what comes there is not its. */
static void keep_pinned(void) {
  set_up_dma();
  enum { BYTES = 0x4000 };
  char *memory = mmap(0, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *copy = mmap(0, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct iommu_ioas_map map = {.size = sizeof map, .flags = 7, .ioas_id = dma_ioas};
  map.length = BYTES;
  map.user_va = (uintptr_t)memory;
  DONE(ioctl(dma_iommu, IOMMU_IOAS_MAP, &map));
  map.iova = 0x100000;
  map.user_va = (uintptr_t)copy;
  DONE(ioctl(dma_iommu, IOMMU_IOAS_MAP, &map));
  strcpy(memory, "first");
  strcpy(memory + 0x1000, "second");
  strcpy(memory + 0x2000, "third");
  DONE(munmap(memory, 0x1000));
  DONE(mmap(memory, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
            0) == memory ? 0 : -1);
  DONE(mmap(memory + 0x1000, 0x1000, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == memory + 0x1000 ? 0 : -1);
  DONE(madvise(memory + 0x2000, 0x1000, MADV_DONTNEED));
  /* What a child unmaps is its own. */
  pid_t child = DONE(fork());
  if (child == 0)
    _exit(munmap(memory + 0x3000, 0x1000) != 0);
  int status;
  DONE(waitpid(child, &status, 0));
  strcpy(memory + 0x3000, "fourth");
  dma(0x3000, 8, 0);
  dma(0x100000, 8, 1);
  printf("child %d, the device has %s\n", status, copy);
  for (int i = 0; i < 3; i++) {
    strcpy(memory + i * 0x1000, "new");
    dma(i * 0x1000, 8, 0);
    dma(0x100000, 8, 1);
    printf("the device has %s, the program %s\n", copy, memory + i * 0x1000);
    strcpy(copy, "written");
    dma(0x100000, 8, 0);
    dma(i * 0x1000, 8, 1);
    dma(i * 0x1000, 8, 0);
    strcpy(copy, "");
    dma(0x100000, 8, 1);
    printf("then %s and %s\n", copy, memory + i * 0x1000);
  }
}

/* A memfd of the program's own, mapped by its descriptor. */
static void map_file(void) {
  set_up_dma();
  int file = DONE(memfd_create("own", MFD_CLOEXEC));
  DONE(ftruncate(file, 0x2000));
  DONE(pwrite(file, "in a file", 10, 0x1000));
  struct iommu_ioas_map_file map = {.size = sizeof map, .flags = 7, .ioas_id = dma_ioas};
  map.fd = file;
  map.length = 0x2000;
  DONE(ioctl(dma_iommu, IOMMU_IOAS_MAP_FILE, &map));
  dma(0x1000, 10, 0);
  dma(0, 10, 1);
  char text[10] = "";
  DONE(pread(file, text, sizeof text, 0));
  printf("%s, position %ld\n", text, DONE(lseek(file, 0, SEEK_CUR)));
  map.length = 0x3000;
  map.iova = 0x100000;
  REFUSED(ioctl(dma_iommu, IOMMU_IOAS_MAP_FILE, &map), EINVAL);
  map.fd = DONE(open("/dev/null", O_RDWR));
  REFUSED(ioctl(dma_iommu, IOMMU_IOAS_MAP_FILE, &map), EINVAL);
  map.fd = 500;
  REFUSED(ioctl(dma_iommu, IOMMU_IOAS_MAP_FILE, &map), EBADF);
  /* The program cuts it off: the device reaches what is there. */
  DONE(ftruncate(file, 0));
  dma(0x1000, 10, 0);
  printf("still here\n");
}

/* What stat(2) and fallocate(2) say of a guest_memfd, and that nobody else's number is in its place. */
static void use_guest_memfd(void) {
  int kvm = DONE(open("/dev/kvm", O_RDWR));
  int vm = DONE(ioctl(kvm, KVM_CREATE_VM, 0));
  struct kvm_create_guest_memfd create = {
      .size = 4 * 4096, .flags = GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED};
  int file = DONE(ioctl(vm, KVM_CREATE_GUEST_MEMFD, &create));
  int other = DONE(ioctl(vm, KVM_CREATE_GUEST_MEMFD, &create));
  struct stat status, others;
  struct statx extended;
  DONE(fstat(file, &status));
  DONE(fstat(other, &others));
  DONE(statx(file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &extended));
  printf("mode %o, size %ld and %ld, of its own %d\n", status.st_mode, (long)status.st_size,
         (long)extended.stx_size, status.st_ino != others.st_ino);
  DONE(fstat(vm, &status));
  printf("VM: mode %o, size %ld\n", status.st_mode, (long)status.st_size);

  char *memory = (char *)DONE(mmap(0, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
  memset(memory, 'a', 4 * 4096);
  int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  DONE(fallocate(file, hole, 4096, 4096));
  DONE(fallocate(file, hole, 3 * 4096, 8 * 4096));
  DONE(fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 4 * 4096));
  printf("after a hole %c%d%c%d\n", memory[0], memory[4096], memory[2 * 4096], memory[3 * 4096]);
  REFUSED(fallocate(file, 0, 0, 4096), EOPNOTSUPP);
  REFUSED(fallocate(file, FALLOC_FL_KEEP_SIZE, 4096, 4 * 4096), EINVAL);
  REFUSED(fallocate(file, hole, 1, 4096), EINVAL);
  REFUSED(fallocate(file, hole, 0, 1), EINVAL);
  REFUSED(fallocate(file, hole, 0, 0), EINVAL);
  REFUSED(fallocate(vm, hole, 0, 4096), ENODEV);
  REFUSED(madvise(memory, 4 * 4096, MADV_COLLAPSE), EINVAL);
}

/* A dma-buf of a memfd of the program's own. */
static void make_dma_buf(void) {
  int file = DONE(memfd_create("own", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  DONE(ftruncate(file, 0x3000));
  int udmabuf = DONE(open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
  struct udmabuf_create create = {.memfd = file, .size = 0x2000};
  REFUSED(ioctl(udmabuf, UDMABUF_CREATE, &create), EINVAL);
  DONE(fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK));
  int buffer = DONE(ioctl(udmabuf, UDMABUF_CREATE, &create));
  printf("%ld bytes\n", DONE(lseek(buffer, 0, SEEK_END)));
  char *memory = mmap(0, 0x2000, PROT_READ | PROT_WRITE, MAP_SHARED, buffer, 0);
  DONE(memory == MAP_FAILED ? -1 : 0);
  struct dma_buf_sync sync = {.flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW};
  DONE(ioctl(buffer, DMA_BUF_IOCTL_SYNC, &sync));
  strcpy(memory + 0x1000, "through the dma-buf");
  sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW;
  DONE(ioctl(buffer, DMA_BUF_IOCTL_SYNC, &sync));
  char text[32];
  DONE(pread(file, text, sizeof text, 0x1000));
  printf("%s\n", text);
  create.memfd = udmabuf;
  REFUSED(ioctl(udmabuf, UDMABUF_CREATE, &create), EBADFD);
}

static jmp_buf after_bus_error;
static void *bus_error_at;

static void on_bus_error(int signal, siginfo_t *info, void *unused) {
  (void)signal, (void)unused;
  bus_error_at = info->si_addr;
  siglongjmp(after_bus_error, 1);
}

static volatile uint32_t *volatile mapped;

static void *write_and_read(void *number) {
  for (int i = 0; i < 100; i++)
    if (mapped[0] != 0x010000ed)
      return 0;
  return number;
}

static void *wait_for_map(void *unused) {
  (void)unused;
  while (!mapped)
    ;
  return write_and_read((void *)1);
}

/* Registers are mapped, and used by threads, a child, and from handlers of signals. */
static void map_registers(void) {
  set_up_dma();
  int device = dma_device;
  pthread_t before;
  pthread_create(&before, 0, wait_for_map, 0);
  mapped = mmap(0, 0x100000, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
  DONE(mapped == MAP_FAILED ? -1 : 0);
  struct iommu_ioas_map pin = {.size = sizeof pin,
                               .flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
                               .ioas_id = dma_ioas,
                               .user_va = (uintptr_t)mapped,
                               .length = 4096};
  REFUSED(ioctl(dma_iommu, IOMMU_IOAS_MAP, &pin), EFAULT);
  mapped[1] = 0x12345678;
  printf("edu %x, inverse %x\n", mapped[0], mapped[1]);
  pthread_t threads[4];
  long right = 0;
  for (long i = 0; i < 4; i++)
    pthread_create(&threads[i], 0, write_and_read, (void *)1);
  for (int i = 0; i < 4; i++) {
    void *result;
    pthread_join(threads[i], &result);
    right += (long)result;
  }
  void *result;
  pthread_join(before, &result);
  printf("threads that read it %ld and %ld\n", right, (long)result);
  fflush(stdout);
  pid_t child = DONE(fork());
  if (child == 0) {
    /* It has the mapping, too, and another program after an exec has none. */
    if (mapped[0] != 0x010000ed)
      _exit(1);
    execl("/bin/sh", "sh", "-c", "exit 7", (char *)0);
  }
  int status;
  DONE(waitpid(child, &status, 0));
  printf("child %d\n", WEXITSTATUS(status));
  /* Where the file is mapped elsewhere, the registers are, too. */
  mapped = mremap((void *)mapped, 0x100000, 0x100000, MREMAP_MAYMOVE | MREMAP_FIXED,
                  mmap(0, 0x100000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  printf("moved %x\n", mapped[0]);
  /* A SIGBUS that is none of a device's is the program's own. */
  struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
  DONE(sigaction(SIGBUS, &action, 0));
  FILE *empty = tmpfile();
  volatile char *beyond = mmap(0, 4096, PROT_READ, MAP_SHARED, fileno(empty), 0);
  if (sigsetjmp(after_bus_error, 1) == 0)
    printf("read %d\n", *beyond);
  printf("own SIGBUS %d\n", bus_error_at == beyond);
  /* So is that of a BAR whose memory is disabled. */
  uint16_t command = 0;
  DONE(pwrite(device, &command, sizeof command, COMMAND));
  if (sigsetjmp(after_bus_error, 1) == 0)
    printf("read %x\n", mapped[0]);
  printf("disabled SIGBUS %d\n", bus_error_at == mapped);
  command = 2;
  DONE(pwrite(device, &command, sizeof command, COMMAND));
  /* The mapping outlives the descriptor. */
  DONE(close(device));
  printf("closed %x\n", mapped[0]);
  DONE(munmap((void *)mapped, 0x100000));
  /* A stop is a stop. */
  fflush(stdout);
  child = DONE(fork());
  if (child == 0) {
    raise(SIGSTOP);
    _exit(8);
  }
  DONE(waitpid(child, &status, WUNTRACED));
  printf("stopped %d", WIFSTOPPED(status));
  DONE(kill(child, SIGCONT));
  DONE(waitpid(child, &status, 0));
  printf(", then ended with %d\n", WEXITSTATUS(status));
}

/* Whether this process is traced. */
static int is_traced(void) {
  char text[4096] = "";
  int status = DONE(open("/proc/self/status", O_RDONLY));
  DONE(read(status, text, sizeof text - 1));
  DONE(close(status));
  return atoi(strstr(text, "TracerPid:") + strlen("TracerPid:")) != 0;
}

#define BAR(number) ((off_t)(number) << 40)

/* A BAR that is memory is reached without the model. */
static void map_memory(void) {
  const char *function = "/sys/bus/pci/devices/0000:00:07.0/driver_override";
  write_text(function, "vfio-pci");
  write_text("/sys/bus/pci/drivers_probe", "0000:00:07.0");
  int device = DONE(open("/dev/vfio/devices/vfio0", O_RDWR));
  int iommu = DONE(open("/dev/iommu", O_RDWR));
  bind_memory(device, iommu);
  const size_t bytes = 1ull << 34;
  DONE(pwrite(device, "before", 7, BAR(2) + 0x5000));
  char *memory = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, device, BAR(2));
  DONE(memory == MAP_FAILED ? -1 : 0);
  printf("%s, traced %d, closed by exec %d\n", memory + 0x5000, is_traced(),
         fcntl(device, F_GETFD));
  struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof attach, .pt_id = ioas(iommu)};
  struct iommu_ioas_map pin = {.size = sizeof pin,
                               .flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
                               .ioas_id = attach.pt_id,
                               .user_va = (uintptr_t)memory,
                               .length = 4096};
  DONE(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
  REFUSED(ioctl(iommu, IOMMU_IOAS_MAP, &pin), EFAULT);
  /* Each sees what the other writes, and any instruction will do. */
  __asm__ volatile("fxsave64 (%0)" ::"r"(memory) : "memory");
  strcpy(memory + bytes - 4096, "mapped");
  char text[8];
  DONE(pread(device, text, 7, BAR(2) + bytes - 4096));
  DONE(pwrite(device, "written", 8, BAR(2) + 0x6000));
  printf("%s, %s\n", text, memory + 0x6000);
  /* A part of it, at another address. */
  char *part = mmap(0, 4096, PROT_READ, MAP_SHARED, device, BAR(2) + 0x6000);
  printf("part %s\n", part);
  /* It can't be reached while memory is disabled, and has not changed then. */
  struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
  DONE(sigaction(SIGBUS, &action, 0));
  uint16_t command = 0;
  DONE(pwrite(device, &command, sizeof command, COMMAND));
  if (sigsetjmp(after_bus_error, 1) == 0)
    printf("read %d\n", *part);
  printf("disabled SIGBUS %d\n", bus_error_at == part);
  command = 2;
  DONE(pwrite(device, &command, sizeof command, COMMAND));
  printf("enabled %s, %s\n", part, memory + bytes - 4096);
  /* It comes back when a read wakes the device. */
  char room[sizeof(struct vfio_device_feature) +
            sizeof(struct vfio_device_low_power_entry_with_wakeup)] = {0};
  struct vfio_device_feature *sleeping = (struct vfio_device_feature *)room;
  sleeping->argsz = sizeof room;
  sleeping->flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP;
  ((struct vfio_device_low_power_entry_with_wakeup *)sleeping->data)->wakeup_eventfd =
      DONE(eventfd(0, 0));
  DONE(ioctl(device, VFIO_DEVICE_FEATURE, sleeping));
  bus_error_at = 0;
  if (sigsetjmp(after_bus_error, 1) == 0)
    printf("read %d\n", *part);
  printf("asleep SIGBUS %d\n", bus_error_at == part);
  signal(SIGBUS, SIG_DFL);
  DONE(pread(device, text, 1, BAR(2)));
  printf("awake %s\n", part);
  /* Registers of the same device, and its memory again. */
  volatile uint32_t *registers = mmap(0, 4096, PROT_READ, MAP_SHARED, device, BAR(0));
  printf("register %x, traced %d\n", registers[0], is_traced());
  part = mmap(0, 4096, PROT_READ, MAP_SHARED, device, BAR(2) + 0x6000);
  printf("part %s\n", part);
  DONE(ioctl(device, VFIO_DEVICE_RESET));
  printf("after a reset %d\n", *part);
  strcpy(memory + 0x6000, "kept");
  DONE(close(device));
  printf("closed %s\n", part);
}

/* An instruction that can't be carried out on registers. */
static void do_the_unknown(void) {
  bind_driver();
  int device = DONE(open("/dev/vfio/devices/vfio0", O_RDWR));
  bind_memory(device, DONE(open("/dev/iommu", O_RDWR)));
  void *mapped = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
  __asm__ volatile("fxsave64 (%0)" ::"r"(mapped) : "memory");
}

static void run_guest(void) {
  int kvm = DONE(open("/dev/kvm", O_RDWR | O_CLOEXEC));
  int vm = DONE(ioctl(kvm, KVM_CREATE_VM, 0));
  char *memory = mmap(0, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  /* mov al, 42; out 0x80, al; hlt */
  memcpy(memory + 0x1000, "\xb0\x2a\xe6\x80\xf4", 5);
  struct kvm_userspace_memory_region slot = {
      .memory_size = 0x10000, .userspace_addr = (uintptr_t)memory};
  DONE(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot));
  int vcpu = DONE(ioctl(vm, KVM_CREATE_VCPU, 0));
  long bytes = DONE(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
  struct kvm_run *run = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  DONE(run == MAP_FAILED ? -1 : 0);
  struct kvm_sregs system;
  DONE(ioctl(vcpu, KVM_GET_SREGS, &system));
  system.cs.base = 0;
  system.cs.selector = 0;
  DONE(ioctl(vcpu, KVM_SET_SREGS, &system));
  struct kvm_regs registers = {.rip = 0x1000, .rflags = 2};
  DONE(ioctl(vcpu, KVM_SET_REGS, &registers));
  DONE(ioctl(vcpu, KVM_RUN, 0));
  printf("exit %u, port %x, %d\n", run->exit_reason, run->io.port,
         *((char *)run + run->io.data_offset));
  /* A duplicate is the same file, and has what the first one has. */
  int duplicate = DONE(dup(vcpu));
  DONE(close(vcpu));
  DONE(ioctl(duplicate, KVM_RUN, 0));
  printf("exit %u\n", run->exit_reason);
  REFUSED(mmap(0, 4096, PROT_READ, MAP_SHARED, vm, 0) == MAP_FAILED ? -1 : 0, ENODEV);
}

static void on_signal(int signal) { (void)signal; }

/* A vCPU whose guest says that it runs, and never ends. */
static int endless_vcpu(char **memory_of_guest) {
  int kvm = DONE(open("/dev/kvm", O_RDWR));
  int vm = DONE(ioctl(kvm, KVM_CREATE_VM, 0));
  char *memory = mmap(0, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  /* mov byte [0x2000], 1; jmp to itself */
  memcpy(memory + 0x1000, "\xc6\x06\x00\x20\x01\xeb\xfe", 7);
  struct kvm_userspace_memory_region slot = {
      .memory_size = 0x10000, .userspace_addr = (uintptr_t)memory};
  DONE(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot));
  int vcpu = DONE(ioctl(vm, KVM_CREATE_VCPU, 0));
  struct kvm_sregs system;
  DONE(ioctl(vcpu, KVM_GET_SREGS, &system));
  system.cs.base = 0;
  system.cs.selector = 0;
  DONE(ioctl(vcpu, KVM_SET_SREGS, &system));
  struct kvm_regs registers = {.rip = 0x1000, .rflags = 2};
  DONE(ioctl(vcpu, KVM_SET_REGS, &registers));
  *memory_of_guest = memory;
  return vcpu;
}

/* A guest that never ends gives up when its thread gets a signal, or its program is killed. */
static void run_for_ever(int is_killed) {
  char *memory;
  int vcpu = endless_vcpu(&memory);
  struct sigaction action = {.sa_handler = is_killed ? SIG_DFL : on_signal};
  DONE(sigaction(SIGALRM, &action, 0));
  fflush(stdout);
  alarm(1);
  REFUSED(ioctl(vcpu, KVM_RUN, 0), EINTR);
  printf("interrupted\n");
}

static int busy_vcpu;
static volatile pid_t second_thread;

static void *run_endless(void *unused) {
  REFUSED(ioctl(busy_vcpu, KVM_RUN, 0), EINTR);
  return unused;
}

static void *wait_for_vcpu(void *unused) {
  struct kvm_regs registers;
  second_thread = gettid();
  DONE(ioctl(busy_vcpu, KVM_GET_REGS, &registers));
  printf("the guest was at %llx\n", registers.rip);
  return unused;
}

static char state_of(pid_t thread) {
  char path[64], text[256] = "";
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
  int file = DONE(open(path, O_RDONLY));
  DONE(read(file, text, sizeof text - 1));
  DONE(close(file));
  return strrchr(text, ')')[2];
}

/* While a guest runs and another thread waits for its vCPU, calls are answered. */
static void call_beside(void) {
  char *memory;
  busy_vcpu = endless_vcpu(&memory);
  struct sigaction action = {.sa_handler = on_signal};
  DONE(sigaction(SIGALRM, &action, 0));
  pthread_t first, second;
  pthread_create(&first, 0, run_endless, 0);
  while (!*(volatile char *)(memory + 0x2000))
    ;
  pthread_create(&second, 0, wait_for_vcpu, 0);
  while (!second_thread || state_of(second_thread) != 'S')
    ;
  printf("id %d\n", ioas(DONE(open("/dev/iommu", O_RDWR))));
  pthread_kill(first, SIGALRM);
  pthread_join(first, 0);
  pthread_join(second, 0);
}

static void fork_children(void) {
  int iommu = DONE(open("/dev/iommu", O_RDWR));
  int first = ioas(iommu);
  fflush(stdout);
  pid_t child = DONE(fork());
  if (child == 0) {
    /* The child has the same file, and a table of its own. */
    struct iommu_destroy destroy = {.size = sizeof destroy, .id = first};
    DONE(ioctl(iommu, IOMMU_DESTROY, &destroy));
    DONE(close(iommu));
    REFUSED(ioctl(iommu, IOMMU_DESTROY, &destroy), EBADF);
    _exit(7);
  }
  int status;
  DONE(waitpid(child, &status, 0));
  printf("child %d\n", WEXITSTATUS(status));
  struct iommu_destroy destroy = {.size = sizeof destroy, .id = first};
  REFUSED(ioctl(iommu, IOMMU_DESTROY, &destroy), ENOENT);
  ioas(iommu);
}

/* Sends a byte, with two files or none. */
static void send_files(int socket, int first, int second) {
  char byte = 'x', room[CMSG_SPACE(2 * sizeof(int))] = {0};
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (first >= 0) {
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    struct cmsghdr *control = CMSG_FIRSTHDR(&message);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(control), (int[]){first, second}, 2 * sizeof(int));
  }
  DONE(sendmsg(socket, &message, 0));
}

static long receive_files(int socket, int files[2], int flags) {
  char bytes[8], room[CMSG_SPACE(2 * sizeof(int))] = {0};
  struct iovec part = {bytes, sizeof bytes};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  long received = recvmsg(socket, &message, flags);
  if (received > 0 && message.msg_controllen)
    memcpy(files, CMSG_DATA(CMSG_FIRSTHDR(&message)), 2 * sizeof(int));
  return received;
}

static void ignore(int signal) { (void)signal; }

/* A process gives another one a device, and a file that is not the model's. */
static void pass_files(void) {
  int sockets[2], pipes[2], files[2] = {-1, -1};
  DONE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets));
  DONE(pipe(pipes));
  REFUSED(receive_files(sockets[1], files, MSG_DONTWAIT), EAGAIN);
  struct timeval limit = {.tv_usec = 10000};
  DONE(setsockopt(sockets[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  REFUSED(receive_files(sockets[1], files, 0), EAGAIN);
  limit.tv_sec = 60;
  DONE(setsockopt(sockets[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  fflush(stdout);
  if (DONE(fork()) == 0) {
    long received = DONE(receive_files(sockets[1], files, MSG_CMSG_CLOEXEC));
    uint32_t identification = 0;
    DONE(pread(files[0], &identification, sizeof identification, 0));
    uint32_t *registers = mmap(0, 0x1000, PROT_READ, MAP_SHARED, files[0], 0);
    printf("received %ld, closed by exec %ld and %ld, ", received, DONE(fcntl(files[0], F_GETFD)),
           DONE(fcntl(files[1], F_GETFD)));
    printf("edu %x and %x\n", identification, *registers);
    DONE(write(files[1], "back", 4));
    files[0] = -1;
    limit = (struct timeval){0};
    DONE(setsockopt(sockets[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    received = DONE(receive_files(sockets[1], files, 0));
    printf("received %ld, file %d\n", received, files[0]);
    exit(0);
  }
  bind_driver();
  int device = DONE(open("/dev/vfio/devices/vfio0", O_RDWR));
  bind_memory(device, DONE(open("/dev/iommu", O_RDWR)));
  send_files(sockets[0], device, pipes[1]);
  DONE(close(device));
  char text[5] = "";
  DONE(read(pipes[0], text, 4));
  send_files(sockets[0], -1, -1);
  DONE(wait(0));
  printf("%s\n", text);
  struct sigaction action = {.sa_handler = ignore};
  DONE(sigaction(SIGALRM, &action, 0));
  struct itimerval often = {.it_value = {.tv_usec = 100000}, .it_interval = {.tv_usec = 100000}};
  DONE(setitimer(ITIMER_REAL, &often, 0));
  REFUSED(receive_files(sockets[1], files, 0), EINTR);
}

static int sender;

static void send_one(int signal) {
  (void)signal;
  DONE(send(sender, "x", 1, 0));
}

/* What a socket says of errors and signals reaches a program that asks for files, too. */
static void hear_of_errors(void) {
  int sockets[2], files[2];
  DONE(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
  DONE(send(sockets[0], "x", 1, 0));
  DONE(close(sockets[1]));
  REFUSED(receive_files(sockets[0], files, 0), ECONNRESET);
  printf("received %ld\n", DONE(receive_files(sockets[0], files, 0)));

  int closed = DONE(socket(AF_INET, SOCK_DGRAM, 0));
  int datagrams = DONE(socket(AF_INET, SOCK_DGRAM, 0));
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t bytes = sizeof address;
  DONE(bind(closed, (struct sockaddr *)&address, bytes));
  DONE(getsockname(closed, (struct sockaddr *)&address, &bytes));
  DONE(close(closed));
  DONE(connect(datagrams, (struct sockaddr *)&address, bytes));
  REFUSED(receive_files(datagrams, files, MSG_ERRQUEUE), EAGAIN);
  DONE(send(datagrams, "x", 1, 0));
  REFUSED(receive_files(datagrams, files, 0), ECONNREFUSED);

  DONE(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
  sender = sockets[0];
  struct sigaction action = {.sa_handler = send_one, .sa_flags = SA_RESTART};
  DONE(sigaction(SIGALRM, &action, 0));
  struct itimerval soon = {.it_value = {.tv_usec = 100000}};
  DONE(setitimer(ITIMER_REAL, &soon, 0));
  printf("received %ld\n", DONE(receive_files(sockets[1], files, 0)));

  DONE(send(sender, "o", 1, MSG_OOB));
  printf("out of band %ld\n", DONE(receive_files(sockets[1], files, MSG_OOB | MSG_DONTWAIT)));

  /* A read of a stream goes on until there are files. */
  int iommu = DONE(open("/dev/iommu", O_RDWR));
  DONE(send(sender, "head", 4, 0));
  send_files(sender, iommu, iommu);
  long received = DONE(receive_files(sockets[1], files, 0));
  printf("received %ld, numbers like the sender's: %d\n", received, files[1] >= iommu);
  send_files(sender, iommu, iommu);
  char room[CMSG_SPACE(2 * sizeof(int))];
  struct iovec part = {room, -1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  REFUSED(recvmsg(sockets[1], &message, 0), EINVAL);
  message.msg_iovlen = 1025;
  REFUSED(recvmsg(sockets[1], &message, 0), EMSGSIZE);
  DONE(receive_files(sockets[1], files, 0));
  printf("id %d\n", ioas(files[1]));
}

static int shared;

static void *alloc_many(void *unused) {
  for (int i = 0; i < 50; i++)
    ioas(shared);
  return unused;
}

static void use_threads(void) {
  shared = DONE(open("/dev/iommu", O_RDWR));
  pthread_t threads[8];
  for (int i = 0; i < 8; i++)
    pthread_create(&threads[i], 0, alloc_many, 0);
  for (int i = 0; i < 8; i++)
    pthread_join(threads[i], 0);
  printf("next id %d\n", ioas(shared));
}

static void pass_nonsense(void) {
  int iommu = DONE(open("/dev/iommu", O_RDWR));
  REFUSED(ioctl(iommu, IOMMU_IOAS_ALLOC, 16), EFAULT);
  REFUSED(ioctl(iommu, 0, 0), ENOTTY);
  REFUSED(open((char *)16, O_RDONLY), EFAULT);
  REFUSED(dup2(DONE(open(FUNCTION "vendor", O_RDONLY)), 9), EBUSY);
  DONE(close(iommu));
  REFUSED(close(iommu), EBADF);
  REFUSED(ioctl(iommu, IOMMU_IOAS_ALLOC, 0), EBADF);
  /* By a low number, too, an ioctl reaches the model. */
  iommu = DONE(open("/dev/iommu", O_RDWR));
  DONE(dup2(iommu, 9));
  DONE(close(iommu));
  printf("id %d\n", ioas(9));
  /* One by a low number is the same to other calls. */
  bind_driver();
  int device = DONE(open("/dev/vfio/devices/vfio0", O_RDWR));
  struct vfio_device_bind_iommufd bind = {.argsz = sizeof bind, .iommufd = 9};
  DONE(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind));
}

/* A number that the program has given to a file of its own stays that file's. */
static void keep_numbers(void) {
  int own = DONE(dup2(DONE(open("/dev/zero", O_RDONLY)), 1000));
  int iommu = DONE(open("/dev/iommu", O_RDWR));
  int second = DONE(open("/dev/iommu", O_RDWR));
  char byte = 1;
  DONE(read(own, &byte, 1));
  printf("%d, and others than %d and %d\n", byte, iommu == own, second == own);
  printf("ids %d and %d\n", ioas(iommu), ioas(second));
  /* What the kernel does with any file. */
  int on = 1;
  DONE(ioctl(iommu, FIOCLEX));
  int closes = fcntl(iommu, F_GETFD);
  DONE(ioctl(iommu, FIONCLEX));
  DONE(ioctl(iommu, FIONBIO, &on));
  printf("%d, %d, %d\n", closes, fcntl(iommu, F_GETFD), !!(fcntl(iommu, F_GETFL) & O_NONBLOCK));
}

/* Names of the model's are not made, removed or changed, nor taken for those of the machine. */
static void change_names(const char *place) {
  char here[4096];
  snprintf(here, sizeof here, "%s-name", place);
  REFUSED(chmod("/dev/vfio/devices/vfio0", 0666), EPERM);
  REFUSED(fchmodat(AT_FDCWD, "/dev/iommu", 0666, 0), EPERM);
  REFUSED(chown("/dev/kvm", 0, 0), EPERM);
  REFUSED(truncate("/dev/iommu", 0), EPERM);
  REFUSED(mkdir("/dev/vfio/other", 0700), EPERM);
  REFUSED(rmdir("/dev/vfio"), EPERM);
  REFUSED(unlink("/dev/iommu"), EPERM);
  REFUSED(unlinkat(DONE(open("/dev", O_RDONLY)), "iommu", 0), EPERM);
  REFUSED(rename(here, "/dev/iommu"), EPERM);
  REFUSED(link("/dev/iommu", here), EPERM);
  REFUSED(symlink(here, FUNCTION "link"), EPERM);
  REFUSED(mknod("/dev/iommu", 0600, 0), EPERM);
  ioas(DONE(creat("/dev/iommu", 0600)));
  /* The machine's own are the machine's affair. */
  DONE(close(DONE(creat(here, 0600))));
  DONE(chmod(here, 0400));
  DONE(unlink(here));
  REFUSED(unlink(here), ENOENT);
}

/* How often a directory's list has a name. */
static int listed(DIR *directory, const char *name) {
  int found = 0;
  rewinddir(directory);
  for (struct dirent *each; (each = readdir(directory));)
    found += !strcmp(each->d_name, name);
  return found;
}

/* The same of a list that is read in many pieces. */
static int listed_in_pieces(int directory, const char *name) {
  struct {
    uint64_t inode, next;
    uint16_t length;
    char type, name[1005];
  } buffer[1];
  int found = 0;
  DONE(lseek(directory, 0, SEEK_SET));
  for (long bytes; (bytes = DONE(syscall(SYS_getdents64, directory, buffer, sizeof buffer)));)
    for (char *at = (char *)buffer; at < (char *)buffer + bytes; at += *(uint16_t *)(at + 16))
      found += !strcmp(at + 19, name);
  return found;
}

/* Directories of the machine's that the model has names in, and the model's as working directory. */
static void use_directories(const char *place) {
  char text[4096];
  DIR *modules = opendir("/sys/module"), *devices = opendir("/dev"), *buses = opendir("/sys/bus");
  printf("vfio_pci %d, ", listed(modules, "vfio_pci"));
  printf("%d, null %d, iommu %d, pci %d\n", listed(modules, "vfio_pci"), listed(devices, "null"),
         listed(devices, "iommu"), listed(buses, "pci"));
  printf("in pieces: %d, %d\n", listed_in_pieces(dirfd(devices), "null"),
         listed_in_pieces(dirfd(devices), "iommu"));
  REFUSED(syscall(SYS_getdents64, dirfd(modules), text, 64), EINVAL);
  rewinddir(modules);
  REFUSED(syscall(SYS_getdents64, dirfd(modules), 16, sizeof text), EFAULT);
  printf("duplicate: iommu %d, %d\n", listed_in_pieces(DONE(dup(dirfd(devices))), "iommu"),
         listed_in_pieces(DONE(fcntl(dirfd(devices), F_DUPFD_CLOEXEC, 0)), "iommu"));
  REFUSED(openat(dirfd(devices), "", O_RDONLY), ENOENT);
  DONE(close(DONE(openat(dirfd(devices), "null", O_RDWR))));
  ioas(DONE(openat(dirfd(devices), "iommu", O_RDWR)));

  DONE(chdir("/sys/bus/pci/devices/0000:01:01.0"));
  REFUSED(syscall(SYS_getcwd, text, 49), ERANGE);
  printf("%ld %s\n", DONE(syscall(SYS_getcwd, text, 50)), text);
  DONE(access("vendor", R_OK));
  REFUSED(chdir("vendor"), ENOTDIR);
  REFUSED(chdir("nothing"), ENOENT);
  REFUSED(chdir("../../../../nothing"), ENOENT);
  REFUSED(access("../../../../etc", R_OK), ENOENT);
  REFUSED(mkdir("../../../../other", 0700), EPERM);
  REFUSED(execl("vendor", "vendor", (char *)0), EACCES);
  REFUSED(execl("nothing", "nothing", (char *)0), ENOENT);
  REFUSED(open("", O_RDONLY), ENOENT);
  REFUSED(fchdir(-1), EBADF);
  REFUSED(fchdir(AT_FDCWD), EBADF);
  REFUSED(chdir("/proc/self/exe"), ENOTDIR);
  DONE(fchdir(DONE(open("..", O_RDONLY | O_DIRECTORY))));
  fflush(stdout);
  if (DONE(fork()) == 0) {
    printf("child in %s\n", getcwd(text, sizeof text));
    exit(chdir("/"));
  }
  DONE(wait(0));
  REFUSED(chdir("/nothing"), ENOENT);
  printf("still in %s\n", getcwd(text, sizeof text));
  DONE(fchdir(dirfd(devices)));
  DONE(access("null", R_OK));
  printf("then in %s\n", getcwd(text, sizeof text));
  DONE(chdir("vfio"));
  *strrchr(strcpy(text, place), '/') = 0;
  DONE(chdir(text));
  DONE(access(strrchr(place, '/') + 1, R_OK));
}

/* Calls that are none of the model's: what they give is what the machine gives. */
static void be_unaware(void) {
  char text[4096];
  int self = DONE(open("/proc/self/status", O_RDONLY));
  DONE(read(self, text, sizeof text));
  int null = DONE(open("/dev/null", O_RDWR));
  DONE(write(null, text, sizeof text));
  DONE(dup2(null, 9));
  REFUSED(ioctl(null, 0x1234), ENOTTY);
  REFUSED(read(-1, text, 1), EBADF);
  REFUSED(close(2000), EBADF);
  printf("descriptors from %d\n", null);
}

/* Other programs, so many at once; each must end with 0. */
static void run_programs(char **arguments, int count, int at_once, const char *what) {
  int wrong = 0;
  fflush(stdout);
  for (int i = 0; i < count + at_once; i++) {
    if (i < count && DONE(fork()) == 0) {
      execl("/proc/self/exe", arguments[0], what, arguments[2], (char *)0);
      _exit(1);
    }
    int status;
    if (i >= at_once && DONE(wait(&status)) > 0)
      wrong += status != 0;
  }
  exit(wrong != 0);
}

/* Children that do nothing. */
static void fork_many(void) {
  DONE(open("/dev/iommu", O_RDWR));
  for (int i = 0; i < 10000; i++) {
    if (DONE(vfork()) == 0)
      _exit(0);
    DONE(wait(0));
  }
  DONE(open("/dev/iommu", O_RDWR));
}

int main(int count, char **arguments) {
  if (count > 2)
    freopen(arguments[2], "a", stdout);
  const char *what = arguments[1];
  if (!strcmp(what, "host"))
    see_host();
  else if (!strcmp(what, "device"))
    drive_device();
  else if (!strcmp(what, "group"))
    use_group();
  else if (!strcmp(what, "registers"))
    map_registers();
  else if (!strcmp(what, "bar"))
    map_memory();
  else if (!strcmp(what, "udmabuf"))
    make_dma_buf();
  else if (!strcmp(what, "pinned"))
    keep_pinned();
  else if (!strcmp(what, "file"))
    map_file();
  else if (!strcmp(what, "memory"))
    use_guest_memfd();
  else if (!strcmp(what, "unknown"))
    do_the_unknown();
  else if (!strcmp(what, "guest"))
    run_guest();
  else if (!strcmp(what, "signal"))
    run_for_ever(0);
  else if (!strcmp(what, "beside"))
    call_beside();
  else if (!strcmp(what, "killed"))
    run_for_ever(1);
  else if (!strcmp(what, "fork"))
    fork_children();
  else if (!strcmp(what, "messages"))
    pass_files();
  else if (!strcmp(what, "errors"))
    hear_of_errors();
  else if (!strcmp(what, "threads"))
    use_threads();
  else if (!strcmp(what, "nonsense"))
    pass_nonsense();
  else if (!strcmp(what, "numbers"))
    keep_numbers();
  else if (!strcmp(what, "names"))
    change_names(arguments[2]);
  else if (!strcmp(what, "directories"))
    use_directories(arguments[2]);
  else if (!strcmp(what, "unaware"))
    be_unaware();
  else if (!strcmp(what, "next"))
    ioas(DONE(open("/dev/iommu", O_RDWR)));
  else if (!strcmp(what, "thousand"))
    run_programs(arguments, 1000, 1, "next");
  else if (!strcmp(what, "fifty"))
    run_programs(arguments, 50, 50, "next");
  else if (!strcmp(what, "forks"))
    fork_many();
  else if (!strcmp(what, "twice")) {
    /* Two programs, one after the other: what the first one left open is closed. */
    for (int i = 0; i < 2; i++) {
      fflush(stdout);
      pid_t child = DONE(fork());
      if (child == 0)
        execl("/proc/self/exe", arguments[0], "device", arguments[2], (char *)0);
      int status;
      DONE(waitpid(child, &status, 0));
      printf("ended with %d\n", WEXITSTATUS(status));
    }
  } else
    return atoi(what);
  return 0;
}
