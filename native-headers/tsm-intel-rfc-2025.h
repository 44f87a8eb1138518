/*
 * Package dev.iolite.uapi.tsmintelrfc2025: a proposal of May 2025, not in any release: VFIO binds
 * the TDI, KVM takes a whole dma-buf as a private slot. Written for this project from its public
 * description. Its request's number is taken in Linux 7.3.
 */
#include <linux/types.h>
#include <linux/ioctl.h>

struct vfio_device_tsm_bind {
	__u32 argsz;
	__u32 flags;
	__u32 vdevice_id;
	__u32 pad;
};
#define VFIO_DEVICE_TSM_BIND _IO(';', 100 + 22)

struct vfio_device_tsm_unbind {
	__u32 argsz;
	__u32 flags;
};
#define VFIO_DEVICE_TSM_UNBIND _IO(';', 100 + 23)

struct iommu_vdevice_tsm_guest_request {
	__u32 size;
	__u32 vdevice_id;
	__u32 type;
	__u32 type_info_len;
	__u32 req_len;
	__u32 resp_len;
	__u64 type_info_uptr;
	__u64 req_uptr;
	__u64 resp_uptr;
};
#define IOMMU_VDEVICE_TSM_GUEST_REQUEST _IO(';', 0x94)

/* A slot's flag: guest_memfd is the dma-buf, guest_memfd_offset is 0, the sizes are equal. */
#define KVM_MEM_VFIO_DMABUF (1UL << 3)
