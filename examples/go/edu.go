// Gives a PCI device to vfio-pci and reads the first register of its BAR 0.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"
)

const (
	vfioDeviceGetRegionInfo   = 0x3b6c
	vfioDeviceBindIommufd     = 0x3b76
	vfioDeviceAttachIommufdPt = 0x3b77
	iommuIoasAlloc            = 0x3b81
	bar0                      = 0
	config                    = 7
)

type bindIommufd struct {
	argsz, flags uint32
	iommufd      int32
	outDevid     uint32
}

type attachIommufdPt struct {
	argsz, flags, ptID uint32
}

type ioasAlloc struct {
	size, flags, outIoasID uint32
}

type regionInfo struct {
	argsz, flags, index, capOffset uint32
	size, offset                   uint64
}

func ioctl(file *os.File, name string, request uintptr, argument unsafe.Pointer) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), request, uintptr(argument)); errno != 0 {
		return fmt.Errorf("%s: %w", name, errno)
	}
	return nil
}

// The device's node in /dev/vfio/devices has the name of its directory in vfio-dev.
func openDevice(bdf string) (*os.File, error) {
	directory := "/sys/bus/pci/devices/" + bdf
	if err := os.WriteFile(directory+"/driver_override", []byte("vfio-pci"), 0); err != nil {
		return nil, err
	}
	if err := os.WriteFile("/sys/bus/pci/drivers_probe", []byte(bdf), 0); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(directory + "/vfio-dev")
	if err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join("/dev/vfio/devices", entries[0].Name()), os.O_RDWR, 0)
}

func region(device *os.File, index uint32) (int64, error) {
	info := regionInfo{argsz: 32, index: index}
	err := ioctl(device, "VFIO_DEVICE_GET_REGION_INFO", vfioDeviceGetRegionInfo, unsafe.Pointer(&info))
	return int64(info.offset), err
}

func readRegister(bdf string) (uint32, error) {
	device, err := openDevice(bdf)
	if err != nil {
		return 0, err
	}
	defer device.Close()
	iommufd, err := os.OpenFile("/dev/iommu", os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer iommufd.Close()

	bind := bindIommufd{argsz: 16, iommufd: int32(iommufd.Fd())}
	if err := ioctl(device, "VFIO_DEVICE_BIND_IOMMUFD", vfioDeviceBindIommufd, unsafe.Pointer(&bind)); err != nil {
		return 0, err
	}
	ioas := ioasAlloc{size: 12}
	if err := ioctl(iommufd, "IOMMU_IOAS_ALLOC", iommuIoasAlloc, unsafe.Pointer(&ioas)); err != nil {
		return 0, err
	}
	attach := attachIommufdPt{argsz: 12, ptID: ioas.outIoasID}
	if err := ioctl(device, "VFIO_DEVICE_ATTACH_IOMMUFD_PT", vfioDeviceAttachIommufdPt, unsafe.Pointer(&attach)); err != nil {
		return 0, err
	}

	// The command register: the device answers at its BARs.
	space, err := region(device, config)
	if err != nil {
		return 0, err
	}
	if _, err := device.WriteAt([]byte{2, 0}, space+4); err != nil {
		return 0, err
	}
	bar, err := region(device, bar0)
	if err != nil {
		return 0, err
	}
	value := make([]byte, 4)
	if _, err := device.ReadAt(value, bar); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(value), nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: edu DOMAIN:BUS:DEVICE.FUNCTION")
		os.Exit(2)
	}
	value, err := readRegister(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("register 0: %08x\n", value)
}
