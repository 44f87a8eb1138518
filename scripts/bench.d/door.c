/*
 * What a program behind the door pays: calls that the model answers, and calls that it does not.
 *
 * usage: door alone | filtered | option | served
 * prints the median and the best of each, in nanoseconds; alone makes only calls of the machine's own,
 * filtered does so under the shortest filter that looks at an argument, option makes one ioctl on
 * /dev/iommu, served all of them
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/iommufd.h>
#include <linux/seccomp.h>
#include <linux/vfio.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define FUNCTION "/sys/bus/pci/devices/0000:00:02.0/"

enum { MOST = 20000, GIB = 1 << 30, COMMAND = 4 };

static void require(int done, const char *what)
{
	if (!done) {
		perror(what);
		exit(2);
	}
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void measure(const char *name, int count, int batch, void (*body)(void))
{
	static int64_t nanos[MOST];

	for (int i = 0; i < count; i++) {
		int64_t start = now();

		for (int j = 0; j < batch; j++)
			body();
		nanos[i] = (now() - start) / batch;
	}
	qsort(nanos, count, sizeof nanos[0], ascending);
	printf("%-24s median %9lld  best %9lld\n", name, (long long)nanos[count / 2],
	       (long long)nanos[0]);
}

static int file, iommu, device;
static struct iommu_ioas_alloc ioas = { .size = sizeof ioas };
static volatile uint32_t *registers;
static void *memory;

static void getpid_call(void)
{
	syscall(SYS_getpid);
}

static void read_call(void)
{
	char one;

	require(read(file, &one, 1) == 1, "read");
}

static void other_ioctl(void)
{
	struct termios unused;

	ioctl(file, TCGETS, &unused);
}

static void served_ioctl(void)
{
	struct iommu_option option = { .size = sizeof option, .op = IOMMU_OPTION_OP_GET };

	require(ioctl(iommu, IOMMU_OPTION, &option) == 0, "IOMMU_OPTION");
}

static void read_register(void)
{
	(void)registers[0];
}

static void map_and_unmap(void)
{
	struct iommu_ioas_map map = { .size = sizeof map, .flags = 7, .length = GIB };
	struct iommu_ioas_unmap unmap = { .size = sizeof unmap, .length = GIB };

	map.ioas_id = unmap.ioas_id = ioas.out_ioas_id;
	map.user_va = (uintptr_t)memory;
	require(ioctl(iommu, IOMMU_IOAS_MAP, &map) == 0, "IOMMU_IOAS_MAP");
	require(ioctl(iommu, IOMMU_IOAS_UNMAP, &unmap) == 0, "IOMMU_IOAS_UNMAP");
}

static void write_text(const char *path, const char *text)
{
	int attribute = open(path, O_WRONLY);

	require(attribute >= 0 && write(attribute, text, strlen(text)) > 0, path);
	close(attribute);
}

static void set_up(void)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof bind };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof attach };
	uint16_t command = 6;

	write_text(FUNCTION "driver_override", "vfio-pci");
	write_text("/sys/bus/pci/drivers_probe", "0000:00:02.0");
	device = open("/dev/vfio/devices/vfio0", O_RDWR);
	iommu = open("/dev/iommu", O_RDWR);
	bind.iommufd = iommu;
	require(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind) == 0, "BIND_IOMMUFD");
	require(ioctl(iommu, IOMMU_IOAS_ALLOC, &ioas) == 0, "IOAS_ALLOC");
	attach.pt_id = ioas.out_ioas_id;
	require(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) == 0, "ATTACH");
	require(pwrite(device, &command, sizeof command,
		       ((uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) + COMMAND) == 2, "config");
	registers = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
	memory = mmap(0, GIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	require(registers != MAP_FAILED && memory != MAP_FAILED, "mmap");
}

/* It allows all, which Linux finds out by running it: it does not remember that of an argument. */
static void install_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof code / sizeof code[0], code };

	require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
	require(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0, "seccomp");
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "option")) {
		iommu = open("/dev/iommu", O_RDWR);
		measure("IOMMU_OPTION", MOST, 1, served_ioctl);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "filtered"))
		install_filter();
	file = open("/dev/zero", O_RDONLY);
	measure("getpid", 2000, 500, getpid_call);
	measure("read", 2000, 500, read_call);
	measure("an unrelated ioctl", 2000, 500, other_ioctl);
	if (argc == 2 && !strcmp(argv[1], "served")) {
		set_up();
		measure("IOMMU_OPTION", MOST, 1, served_ioctl);
		measure("a register read", MOST, 1, read_register);
		measure("map and unmap 1 GiB", 20, 1, map_and_unmap);
	}
	return 0;
}
