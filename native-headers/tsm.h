/*
 * Package dev.iolite.uapi.tsm: what proposals for binding a TDI have in common. The headers of the
 * proposals have what they add, and the numbers of their commands. None is in any release.
 */
#include <linux/types.h>

/*
 * The type of vIOMMU that a TDX host has. No proposal names one: this number is this project's own.
 */
#define IOMMU_VIOMMU_TYPE_TDX 0x7d58

/* arm-v5, v6, seed-2025: IOMMU_VDEVICE_TSM_OP. */
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

enum iommu_vdevice_tsm_arch {
	IOMMU_VDEVICE_TSM_ARCH_CCA = 1,
	IOMMU_VDEVICE_TSM_ARCH_SEV = 2,
	IOMMU_VDEVICE_TSM_ARCH_TDX = 3,
};

/* v6, cca-v7, seed-2025: IOMMU_VDEVICE_TSM_REQ. cca-v7 has nothing for SEV. */
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

/* gpa_top is the first address after the range. */
struct iommu_vdevice_tsm_validate_mmio {
	__u64 gpa_base;
	__u64 gpa_top;
	__u64 pa_base;
};

/*
 * The same on SEV, where the secure processor looks up the range in the interface's report by its id.
 * No proposal tells this shape: it is this project's own.
 */
struct iommu_vdevice_tsm_sev_validate_mmio {
	__u64 gpa_base;
	__u64 gpa_top;
	__u64 pa_base;
	__u32 range_id;
	__u32 __reserved;
};

/* 0 unlocked, 1 locked, 2 run. */
struct iommu_vdevice_tsm_set_tdi_state {
	__u32 state;
};

/*
 * arm-v5, cca-v7: what can be read of an interface. The proposals' numbers are not known: these are
 * this project's own.
 */
enum iommu_vdevice_tsm_object {
	IOMMU_VDEVICE_TSM_OBJECT_REPORT = 0,
	IOMMU_VDEVICE_TSM_OBJECT_MEASUREMENTS = 1,
};

/*
 * Hypercalls of a guest that the VMM answers (KVM_EXIT_HYPERCALL). No proposal has numbers for x86.
 * Outside long mode arguments have 32 bits.
 * args[0] is the virtual BDF; VALIDATE has the first address, the first one after the range and the
 * physical address in args[1] to args[3], and the range id of the report in bits 31:16 of args[0],
 * which only SEV looks at; SET_STATE the state in args[1]. READ_REPORT and
 * READ_MEASUREMENTS have the address and the length of a room in shared memory in args[1] and
 * args[2], which takes the answer. Of READ_MEASUREMENTS the first 32 bytes of the room are the
 * nonce of GET_MEASUREMENTS. ret is a negative errno, or 0, or the length of the answer.
 */
#define KVM_HC_TSM_BIND 0x7d00
#define KVM_HC_TSM_UNBIND 0x7d01
#define KVM_HC_TSM_VALIDATE_MMIO 0x7d02
#define KVM_HC_TSM_SET_TDI_STATE 0x7d03
#define KVM_HC_TSM_READ_REPORT 0x7d04
#define KVM_HC_TSM_READ_MEASUREMENTS 0x7d05
