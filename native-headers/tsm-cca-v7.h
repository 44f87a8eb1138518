/*
 * Package dev.iolite.uapi.tsmccav7: a proposal of 2026 for Arm CCA, not in any release: making the
 * vDEVICE binds it. Written for this project from its public description.
 */
#include <linux/types.h>
#include <linux/ioctl.h>

#define IOMMU_VIOMMU_TYPE_ARM_REALM_SMMUV3 3

/* More requests of IOMMU_VDEVICE_TSM_REQ. */
enum iommu_vdevice_tsm_object_request {
	IOMMU_VDEVICE_TSM_READ_OBJECT = 5,
	IOMMU_VDEVICE_TSM_REGENERATE_OBJECT = 6,
	IOMMU_VDEVICE_TSM_OBJECT_INFO = 7,
};

#define IOMMU_VDEVICE_TSM_REQ _IO(';', 0x96)

struct iommu_vdevice_tsm_object_info {
	__u32 type;
};

struct iommu_vdevice_tsm_read_object {
	__u32 type;
	__u32 __reserved;
	__u64 offset;
};

/*
 * Of the nonce no length is told: that it has the 32 bytes of SPDM's GET_MEASUREMENTS is this
 * project's own assumption.
 */
struct iommu_vdevice_tsm_regenerate_object {
	__u32 type;
	__u32 __reserved;
	__u64 flags;
	__u64 nonce_uptr;
};

#define KVM_EXIT_ARM64_TIO 44
#define KVM_ARM64_TIO_VDEV_VALIDATE_MAPPING 0x08

/* The exit's part of struct kvm_run; response 0 allows the request. */
struct kvm_exit_arm64_tio {
	__u64 flags;
	__u64 nr;
	__u64 vdev_id;
	__u64 gpa_base;
	__u64 gpa_top;
	__u64 pa_base;
	__u64 response;
};
