/*
 * Package dev.iolite.uapi.tsmseed2025: the flow with a shared and a private dma-buf for each BAR,
 * as discussed in July 2025. Nobody has posted an interface for it: the shapes and numbers here are
 * this project's own, free in Linux 7.3.
 */
#include <linux/types.h>
#include <linux/ioctl.h>

/*
 * IOMMU_VIOMMU_TYPE_TDX is there for its vDEVICEs: the HWPT need not be a nesting parent, and there
 * is no type specific data. A TSM that can bind must be connected to the device, or the type is not
 * supported (EOPNOTSUPP).
 */

#define IOMMU_VDEVICE_TSM_OP _IO(';', 0x98)
#define IOMMU_VDEVICE_TSM_REQ _IO(';', 0x99)

/* More requests of IOMMU_VDEVICE_TSM_REQ. */
enum iommu_vdevice_tsm_evidence_request {
	IOMMU_VDEVICE_TSM_READ_REPORT = 5,
	IOMMU_VDEVICE_TSM_READ_MEASUREMENTS = 6,
};

/* The nonce of GET_MEASUREMENTS; the answer is the device's MEASUREMENTS message. */
struct iommu_vdevice_tsm_read_measurements {
	__u8 nonce[32];
};

/*
 * Flags of VFIO_DEVICE_FEATURE_DMA_BUF: the kind that is wanted. The dma-buf has the runs of that
 * kind in what was asked for, one after the other. Without either the dma-buf is as ever, and a
 * locked interface has none (EBUSY). IOMMU_IOAS_MAP_FILE takes shared dma-bufs of one range only, and
 * no private ones (EOPNOTSUPP).
 */
#define VFIO_DMA_BUF_SHARED (1 << 0)
#define VFIO_DMA_BUF_PRIVATE (1 << 1)

/* What of the BAR stands where in a dma-buf. */
struct vfio_dma_buf_run {
	__u64 bar_offset;
	__u64 buf_offset;
	__u64 length;
};

/* On a dma-buf: nr_runs is the room at runs_uptr, and comes back as the number of runs. */
struct vfio_dma_buf_get_runs {
	__u32 argsz;
	__u32 flags;
	__u32 nr_runs;
	__u32 region_index;
	__u64 runs_uptr;
};
#define VFIO_DMA_BUF_GET_RUNS _IO(';', 100 + 24)

/*
 * The same on a device (VFIO_DEVICE_FEATURE_GET), of a dma-buf of it; flags come back as the kind.
 */
#define VFIO_DEVICE_FEATURE_DMA_BUF_RUNS 14

struct vfio_device_feature_dma_buf_runs {
	__s32 dmabuf_fd;
	__u32 flags;
	__u32 region_index;
	__u32 nr_runs;
	struct vfio_dma_buf_run runs[];
};

/*
 * Flags of a slot: guest_memfd is a dma-buf, of which guest_memfd_offset is the first byte; the
 * slot is for private access only. KVM asks the dma-buf whether it is of that kind; one without a
 * kind is refused (EINVAL). Once the dma-buf is revoked the slot is dead: an access leaves by
 * KVM_EXIT_MEMORY_FAULT, and KVM_RUN returns EIO.
 */
#define KVM_MEM_DMABUF (1UL << 3)
#define KVM_MEM_PRIVATE_ONLY (1UL << 4)

/* KVM_CHECK_EXTENSION answers with these flags, as far as the VM's slots may have them. */
#define KVM_CAP_MEMORY_DMABUF 252

/*
 * No call, but the bit of KVM_CAP_EXIT_HYPERCALL for the KVM_HC_TSM_ calls of tsm.h. While it is not
 * set, KVM answers them with -KVM_ENOSYS.
 */
#define KVM_HC_TSM 13
