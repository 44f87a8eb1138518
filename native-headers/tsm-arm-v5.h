/*
 * Package dev.iolite.uapi.tsmarmv5: a proposal of May 2026 for binding a TDI, not in any release.
 * Written for this project from its public description. Its first number is taken in Linux 7.3.
 * Its request bears the name of the one in tsm.h, and has another shape.
 */
#include <linux/types.h>
#include <linux/ioctl.h>

#define IOMMU_VDEVICE_TSM_OP _IO(';', 0x95)

enum iommu_vdevice_tsm_scope {
	IOMMU_VDEVICE_TSM_SCOPE_INFO = 0,
	IOMMU_VDEVICE_TSM_SCOPE_STATE_CHANGE = 1,
	IOMMU_VDEVICE_TSM_SCOPE_DEBUG_READ = 2,
	IOMMU_VDEVICE_TSM_SCOPE_DEBUG_WRITE = 3,
};

struct iommu_vdevice_tsm_req {
	__u32 size;
	__u32 vdevice_id;
	__u32 scope;
	__u32 req_len;
	__u32 resp_len;
	__u32 __reserved;
	__u64 req_uptr;
	__u64 resp_uptr;
};
#define IOMMU_VDEVICE_TSM_REQ _IO(';', 0x96)

/*
 * What a request of scope INFO asks for. The proposal leaves that to the architecture: the shape is
 * this project's own. The nonce is that of GET_MEASUREMENTS; a request for the report may end before
 * it.
 */
struct iommu_vdevice_tsm_info {
	__u32 object;
	__u8 nonce[32];
};
