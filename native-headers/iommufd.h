/* Package dev.iolite.uapi.iommufd: I/O address spaces and page tables behind /dev/iommu. */
#include <linux/iommufd.h>
