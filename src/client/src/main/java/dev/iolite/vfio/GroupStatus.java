package dev.iolite.vfio;

/**
 * What VFIO_GROUP_GET_STATUS says about a group.
 *
 * @param viable whether its devices can be used: none of them has a host driver. With an iommufd
 *     for a container, the kernel checks that only when a device is opened
 * @param inContainer whether it is in a container
 */
public record GroupStatus(boolean viable, boolean inContainer) {}
