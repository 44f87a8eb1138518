/*
 * Package dev.iolite.uapi.tsmv6: a proposal of 2026 for binding a TDI and for requests to its TSM,
 * not in any release. Written for this project from its public description.
 */
#include <linux/types.h>
#include <linux/ioctl.h>

/*
 * The type of vIOMMU that a TDX host has. No proposal names one: this number is this project's own.
 */
#define IOMMU_VIOMMU_TYPE_TDX 0x7d58

enum iommu_vdevice_tsm_op_type {
	IOMMU_VDEVICE_TSM_BIND = 1,
	IOMMU_VDEVICE_TSM_UNBIND = 2,
};

struct iommu_vdevice_tsm_op {
	__u32 size;
	__u32 type;
	__u32 flags;
	__u32 vdevice_id;
};
#define IOMMU_VDEVICE_TSM_OP _IO(';', 0x96)

enum iommu_vdevice_tsm_arch {
	IOMMU_VDEVICE_TSM_ARCH_CCA = 1,
	IOMMU_VDEVICE_TSM_ARCH_SEV = 2,
	IOMMU_VDEVICE_TSM_ARCH_TDX = 3,
};

enum iommu_vdevice_tsm_request {
	IOMMU_VDEVICE_TSM_VALIDATE_MMIO = 1,
	IOMMU_VDEVICE_TSM_SET_TDI_STATE = 2,
	IOMMU_VDEVICE_TSM_SEV_ENABLE_DMA = 3,
	IOMMU_VDEVICE_TSM_SEV_DISABLE_DMA = 4,
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
#define IOMMU_VDEVICE_TSM_REQ _IO(';', 0x97)

/* Arguments of IOMMU_VDEVICE_TSM_VALIDATE_MMIO: gpa_top is the first address after the range. */
struct iommu_vdevice_tsm_validate_mmio {
	__u64 gpa_base;
	__u64 gpa_top;
	__u64 pa_base;
};

/* Arguments of IOMMU_VDEVICE_TSM_SET_TDI_STATE: 0 unlocked, 1 locked, 2 run. */
struct iommu_vdevice_tsm_set_tdi_state {
	__u32 state;
};
