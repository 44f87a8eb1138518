/* Gives a PCI device to vfio-pci and reads the first register of its BAR 0. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, text, strlen(text)) < 0)
    fail(path);
  close(fd);
}

/* The device's node in /dev/vfio/devices has the name of its directory in vfio-dev. */
static int open_device(const char *bdf) {
  char path[300];
  snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", bdf);
  put(path, "vfio-pci");
  put("/sys/bus/pci/drivers_probe", bdf);

  snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
  DIR *all = opendir(path);
  if (!all)
    fail(path);
  for (struct dirent *one; (one = readdir(all));)
    if (!strncmp(one->d_name, "vfio", 4))
      snprintf(path, sizeof(path), "/dev/vfio/devices/%s", one->d_name);
  closedir(all);
  int device = open(path, O_RDWR);
  if (device < 0)
    fail(path);
  return device;
}

static off_t region(int device, int index) {
  struct vfio_region_info info = {.argsz = sizeof(info), .index = index};
  if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info))
    fail("VFIO_DEVICE_GET_REGION_INFO");
  return info.offset;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: edu DOMAIN:BUS:DEVICE.FUNCTION\n");
    return 2;
  }
  int device = open_device(argv[1]);
  int iommufd = open("/dev/iommu", O_RDWR);
  if (iommufd < 0)
    fail("/dev/iommu");

  struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};
  if (ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind))
    fail("VFIO_DEVICE_BIND_IOMMUFD");
  struct iommu_ioas_alloc ioas = {.size = sizeof(ioas)};
  if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &ioas))
    fail("IOMMU_IOAS_ALLOC");
  struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = ioas.out_ioas_id};
  if (ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach))
    fail("VFIO_DEVICE_ATTACH_IOMMUFD_PT");

  /* The command register: the device answers at its BARs. */
  uint16_t memory = 2;
  if (pwrite(device, &memory, sizeof(memory), region(device, VFIO_PCI_CONFIG_REGION_INDEX) + 4) < 0)
    fail("the command register");
  uint32_t value;
  if (pread(device, &value, sizeof(value), region(device, VFIO_PCI_BAR0_REGION_INDEX)) < 0)
    fail("BAR 0");
  printf("register 0: %08x\n", value);
  return 0;
}
