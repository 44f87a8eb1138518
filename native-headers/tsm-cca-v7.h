/*
 * Package dev.iolite.uapi.tsmccav7: a proposal of 2026 for Arm CCA, not in any release: making the
 * vDEVICE binds it. Written for this project from its public description.
 */
#include <linux/types.h>
#include <linux/ioctl.h>

#define IOMMU_VIOMMU_TYPE_ARM_REALM_SMMUV3 3

enum iommu_vdevice_tsm_arch {
	IOMMU_VDEVICE_TSM_ARCH_CCA = 1,
	IOMMU_VDEVICE_TSM_ARCH_SEV = 2,
	IOMMU_VDEVICE_TSM_ARCH_TDX = 3,
};

enum iommu_vdevice_tsm_request {
	IOMMU_VDEVICE_TSM_VALIDATE_MMIO = 1,
	IOMMU_VDEVICE_TSM_SET_TDI_STATE = 2,
	IOMMU_VDEVICE_TSM_READ_OBJECT = 5,
	IOMMU_VDEVICE_TSM_REGENERATE_OBJECT = 6,
	IOMMU_VDEVICE_TSM_OBJECT_INFO = 7,
};

struct iommu_vdevice_tsm_req {
	__u32 size;
	__u32 vdevice_id;
	__u32 op;
	__u32 tvm_arch;
	__u32 req_len;
	__u32 resp_len;
	__u64 req_uptr;
	__u64 resp_uptr;
	__u64 tsm_code;
};
#define IOMMU_VDEVICE_TSM_REQ _IO(';', 0x96)

/* gpa_top is the first address after the range. */
struct iommu_vdevice_tsm_validate_mmio {
	__u64 gpa_base;
	__u64 gpa_top;
	__u64 pa_base;
};

struct iommu_vdevice_tsm_set_tdi_state {
	__u32 state;
};

/* Types of objects. The proposal's numbers are not known: these are this project's own. */
enum iommu_vdevice_tsm_object {
	IOMMU_VDEVICE_TSM_OBJECT_REPORT = 0,
	IOMMU_VDEVICE_TSM_OBJECT_MEASUREMENTS = 1,
};

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
