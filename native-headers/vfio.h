/* Package dev.iolite.uapi.vfio: VFIO containers, groups, devices and the device cdev. */
#include <linux/vfio.h>
