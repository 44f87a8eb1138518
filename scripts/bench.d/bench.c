/*
 * The loops that the JMH benchmarks of dev.iolite.bench are compared with: the same calls, made in a
 * process with a second thread, as a JVM always has. With one thread the kernel would look a
 * descriptor up without counting the use of its file, which is cheaper.
 *
 * usage: bench ioctl | exit | ring | read [FILE]
 * prints nanoseconds per operation; read maps FILE, a device's resource file, or plain memory
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, WINDOWS = 200, WINDOW_NS = 10000000, WARM_UP_NS = 1000000000 };

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static void *wait_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Where there is no KVM, the same number on an eventfd: ENOTTY, as in IoctlBenchmark. */
static int ioctl_fd;

static void ioctl_setup(const char *unused)
{
	(void)unused;
	ioctl_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (ioctl_fd < 0)
		ioctl_fd = eventfd(0, EFD_CLOEXEC);
	if (ioctl_fd < 0)
		fail("eventfd");
}

static long ioctl_loop(long count)
{
	long sum = 0;

	for (long i = 0; i < count; i++) {
		int result = ioctl(ioctl_fd, KVM_GET_API_VERSION, 0);

		sum += result == -1 ? -errno : result;
	}
	return sum;
}

/* next: in al, dx; jmp next */
static const uint8_t input_loop[] = {0xec, 0xeb, 0xfd};
static struct kvm_run *run;
static int vcpu;

/* A guest in real mode, with code in its second page, whose data segment has 4 GiB. */
static void start_guest(const uint8_t *code, size_t bytes)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	void *ram = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = PAGE, .memory_size = PAGE, .userspace_addr = (uintptr_t)ram};
	struct kvm_regs regs = {.rip = PAGE, .rflags = 2};
	struct kvm_sregs sregs;
	int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0 || ram == MAP_FAILED)
		fail("/dev/kvm");
	memcpy(ram, code, bytes);
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
		fail("KVM_SET_USER_MEMORY_REGION");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0 || ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		fail("KVM_CREATE_VCPU");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.ds.limit = 0xffffffff;
	sregs.ds.g = 1;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
		fail("KVM_SET_REGS");
	run = mmap(0, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED,
		   vcpu, 0);
	if (run == MAP_FAILED)
		fail("mmap");
}

static void exit_setup(const char *unused)
{
	(void)unused;
	start_guest(input_loop, sizeof(input_loop));
}

static long exit_loop(long count)
{
	for (long i = 0; i < count; i++) {
		if (ioctl(vcpu, KVM_RUN, 0) < 0)
			fail("KVM_RUN");
		if (run->exit_reason != KVM_EXIT_IO || run->io.direction != KVM_EXIT_IO_IN)
			fail("another exit");
		((uint8_t *)run)[run->io.data_offset] = i;
	}
	return count;
}

enum { RING_ENTRIES = 65536, RING_ROUNDS = 400 };

/* The fastest harvest of a full ring into a bitmap. No guest fills it, as in RingFigures. */
static double ring(void)
{
	struct kvm_dirty_gfn *entries = aligned_alloc(PAGE, RING_ENTRIES * sizeof(*entries));
	static uint64_t bitmap[RING_ENTRIES / 64];
	uint64_t next = 0;
	double best = 0;

	if (!entries)
		fail("aligned_alloc");
	for (int i = 0; i < RING_ROUNDS; i++) {
		uint64_t first = next;
		int64_t start;
		double each;

		for (int page = 0; page < RING_ENTRIES; page++)
			entries[page] = (struct kvm_dirty_gfn){
				.flags = KVM_DIRTY_GFN_F_DIRTY, .slot = 1, .offset = page};
		start = now();
		for (;; next++) {
			struct kvm_dirty_gfn *entry = entries + next % RING_ENTRIES;
			uint32_t flags = __atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE);

			if ((flags & (KVM_DIRTY_GFN_F_DIRTY | KVM_DIRTY_GFN_F_RESET)) !=
			    KVM_DIRTY_GFN_F_DIRTY)
				break;
			if (entry->slot == 1)
				bitmap[entry->offset / 64] |= 1ULL << entry->offset % 64;
			__atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
		}
		each = (double)(now() - start) / (next - first);
		if (i == 0 || each < best)
			best = each;
	}
	return bitmap[RING_ENTRIES / 64 - 1] + 1 ? -1 : best;
}

static volatile uint32_t *registers;

static void read_setup(const char *path)
{
	int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	int flags = MAP_SHARED | (path ? 0 : MAP_ANONYMOUS);
	void *memory = mmap(0, PAGE, PROT_READ | PROT_WRITE, flags, file, 0);

	if (memory == MAP_FAILED)
		fail(path ? path : "mmap");
	registers = memory;
}

static long read_loop(long count)
{
	uint32_t sum = 0;

	for (long i = 0; i < count; i += PAGE / 4)
		for (int j = 0; j < PAGE / 4; j++)
			sum += registers[j];
	return sum;
}

static const struct {
	const char *name;
	void (*setup)(const char *path);
	long (*loop)(long count);
} benchmarks[] = {
	{"ioctl", ioctl_setup, ioctl_loop},
	{"exit", exit_setup, exit_loop},
	{"read", read_setup, read_loop},
};

/* The fastest of many short windows: the one that nothing else on the machine disturbed. */
static double measure(long (*loop)(long count))
{
	volatile long result = 0;
	long count = PAGE / 4, done;
	double best = 0;
	int64_t start, end, warm = now() + WARM_UP_NS;

	while ((start = now()) < warm) {
		result += loop(count);
		if (now() - start < WINDOW_NS / 16)
			count *= 2;
	}
	for (int i = 0; i < WINDOWS; i++) {
		done = 0;
		for (start = now(); (end = now()) < start + WINDOW_NS; done += count)
			result += loop(count);
		if (i == 0 || (double)(end - start) / done < best)
			best = (double)(end - start) / done;
	}
	return best;
}

int main(int argc, char **argv)
{
	pthread_t second;

	if (argc > 1 && !strcmp(argv[1], "ring")) {
		printf("%.4f\n", ring());
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < sizeof(benchmarks) / sizeof(benchmarks[0]); i++) {
		if (strcmp(argv[1], benchmarks[i].name))
			continue;
		if (pthread_create(&second, 0, wait_for_ever, 0))
			fail("pthread_create");
		benchmarks[i].setup(argv[2]);
		printf("%.4f\n", measure(benchmarks[i].loop));
		return 0;
	}
	fprintf(stderr, "usage: bench ioctl | exit | ring | read [FILE]\n");
	return 1;
}
