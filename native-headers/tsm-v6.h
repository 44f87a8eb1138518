/*
 * Package dev.iolite.uapi.tsmv6: a proposal of 2026 for binding a TDI and for requests to its TSM,
 * not in any release. Written for this project from its public description. All but the numbers is
 * in tsm.h.
 */
#include <linux/ioctl.h>

#define IOMMU_VDEVICE_TSM_OP _IO(';', 0x96)
#define IOMMU_VDEVICE_TSM_REQ _IO(';', 0x97)
