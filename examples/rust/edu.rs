//! Gives a PCI device to vfio-pci and reads the first register of its BAR 0.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::raw::{c_int, c_ulong};
use std::os::unix::fs::FileExt;
use std::os::unix::io::AsRawFd;

extern "C" {
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
}

const VFIO_DEVICE_GET_REGION_INFO: c_ulong = 0x3b6c;
const VFIO_DEVICE_BIND_IOMMUFD: c_ulong = 0x3b76;
const VFIO_DEVICE_ATTACH_IOMMUFD_PT: c_ulong = 0x3b77;
const IOMMU_IOAS_ALLOC: c_ulong = 0x3b81;
const BAR0: u32 = 0;
const CONFIG: u32 = 7;

#[repr(C)]
struct BindIommufd {
    argsz: u32,
    flags: u32,
    iommufd: i32,
    out_devid: u32,
}

#[repr(C)]
struct AttachIommufdPt {
    argsz: u32,
    flags: u32,
    pt_id: u32,
}

#[repr(C)]
struct IoasAlloc {
    size: u32,
    flags: u32,
    out_ioas_id: u32,
}

#[repr(C)]
struct RegionInfo {
    argsz: u32,
    flags: u32,
    index: u32,
    cap_offset: u32,
    size: u64,
    offset: u64,
}

fn call<T>(file: &File, name: &str, request: c_ulong, argument: &mut T) -> Result<()> {
    match unsafe { ioctl(file.as_raw_fd(), request, argument as *mut T) } {
        0 => Ok(()),
        _ => {
            let error = Error::last_os_error();
            Err(Error::new(error.kind(), format!("{}: {}", name, error)))
        }
    }
}

fn open(path: &str) -> Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// The device's node in /dev/vfio/devices has the name of its directory in vfio-dev.
fn open_device(bdf: &str) -> Result<File> {
    let directory = format!("/sys/bus/pci/devices/{}", bdf);
    fs::write(format!("{}/driver_override", directory), "vfio-pci")?;
    fs::write("/sys/bus/pci/drivers_probe", bdf)?;
    let entry = fs::read_dir(format!("{}/vfio-dev", directory))?
        .next()
        .ok_or_else(|| Error::new(ErrorKind::NotFound, "the device has no vfio-dev"))??;
    open(&format!("/dev/vfio/devices/{}", entry.file_name().to_string_lossy()))
}

fn region(device: &File, index: u32) -> Result<u64> {
    let mut info = RegionInfo { argsz: 32, flags: 0, index, cap_offset: 0, size: 0, offset: 0 };
    call(device, "VFIO_DEVICE_GET_REGION_INFO", VFIO_DEVICE_GET_REGION_INFO, &mut info)?;
    Ok(info.offset)
}

fn read_register(bdf: &str) -> Result<u32> {
    let device = open_device(bdf)?;
    let iommufd = open("/dev/iommu")?;

    let mut bind = BindIommufd { argsz: 16, flags: 0, iommufd: iommufd.as_raw_fd(), out_devid: 0 };
    call(&device, "VFIO_DEVICE_BIND_IOMMUFD", VFIO_DEVICE_BIND_IOMMUFD, &mut bind)?;
    let mut ioas = IoasAlloc { size: 12, flags: 0, out_ioas_id: 0 };
    call(&iommufd, "IOMMU_IOAS_ALLOC", IOMMU_IOAS_ALLOC, &mut ioas)?;
    let mut attach = AttachIommufdPt { argsz: 12, flags: 0, pt_id: ioas.out_ioas_id };
    call(&device, "VFIO_DEVICE_ATTACH_IOMMUFD_PT", VFIO_DEVICE_ATTACH_IOMMUFD_PT, &mut attach)?;

    // The command register: the device answers at its BARs.
    device.write_all_at(&2u16.to_le_bytes(), region(&device, CONFIG)? + 4)?;
    let mut value = [0; 4];
    device.read_exact_at(&mut value, region(&device, BAR0)?)?;
    Ok(u32::from_le_bytes(value))
}

fn main() {
    let bdf = std::env::args().nth(1).expect("usage: edu DOMAIN:BUS:DEVICE.FUNCTION");
    match read_register(&bdf) {
        Ok(value) => println!("register 0: {:08x}", value),
        Err(error) => {
            eprintln!("{}", error);
            std::process::exit(1);
        }
    }
}
