package dev.iolite.kernel;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What usually causes an error, and what to do about it, in a person's words.
 *
 * @param cause the usual cause
 * @param next the next step, a command where there is one
 */
public record Advice(String cause, String next) {
  private static final Pattern PCI_ADDRESS =
      Pattern.compile("\\b[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]\\b");

  /**
   * What is known of an error of a call.
   *
   * @param call the system call or ioctl, by its name in the headers
   * @param subject the descriptor or path it was made on; what it names is put into the command
   * @param errno what the kernel said
   */
  public static Optional<Advice> of(String call, String subject, Errno errno) {
    return Optional.ofNullable(known(call, errno))
        .map(advice -> new Advice(advice.cause, filledIn(advice.next, subject)));
  }

  /**
   * What is known of a call that returned a number which was no success, and no errno either.
   *
   * @param call the system call or ioctl, by its name in the headers
   * @param subject as above
   */
  static Advice ofNumber(String call, String subject) {
    return switch (call) {
      case "VFIO_DEVICE_SET_IRQS" ->
          new Advice(
              "without interrupt remapping MSI has one vector, or the host's vectors are used up",
              "connect no more eventfds than that; /proc/interrupts shows what uses the vectors");
      case "VFIO_DEVICE_BIND_IOMMUFD" ->
          new Advice(
              "the device has been pulled out, or does not answer",
              filledIn("iolite pci show BDF; dmesg has the driver's reason", subject));
      case "write" ->
          new Advice(
              "an attribute of sysfs takes one page at most", "write less, or in several calls");
      default ->
          new Advice(
              "a fault of the kernel's driver, or a kernel newer than this program",
              "report it with the kernel's version (uname -r) and the driver's name");
    };
  }

  private static String filledIn(String next, String subject) {
    Matcher address = PCI_ADDRESS.matcher(subject);
    return next.replace("BDF", address.find() ? address.group() : "BDF").replace("PATH", subject);
  }

  private static @Nullable Advice known(String call, Errno errno) {
    return switch (call) {
      case "open" ->
          switch (errno) {
            case ENOENT ->
                new Advice(
                    "the path does not exist on this kernel: the device has no driver that makes"
                        + " it, or the kernel was built without the feature",
                    "iolite doctor");
            case EACCES, EPERM ->
                new Advice(
                    "this user may not open it",
                    "run as root, or give the user access to the file (chown or a udev rule)");
            case EBUSY ->
                new Advice("another process holds the device", "fuser -v PATH shows which");
            case ENODEV ->
                new Advice(
                    "the device is being removed or its driver has let go of it",
                    "iolite pci list");
            case EMFILE ->
                new Advice(
                    "the process has too many open descriptors", "raise the limit: ulimit -n");
            default -> null;
          };
      case "write" ->
          switch (errno) {
            case ENODEV ->
                new Advice(
                    "the driver does not know the device, or the device is gone from this driver",
                    "iolite pci show BDF");
            case EBUSY ->
                new Advice(
                    "the device is in use, or has no driver that could give it up",
                    "iolite pci show BDF; stop what uses the device");
            case EINVAL ->
                new Advice(
                    "the kernel refused the value",
                    "iolite pci show BDF; dmesg has the driver's reason");
            case EPERM ->
                new Advice(
                    "the kernel is locked down or this user may not do it",
                    "run as root; check /sys/kernel/security/lockdown");
            default -> null;
          };
      case "eventfd", "memfd_create" ->
          switch (errno) {
            case EMFILE ->
                new Advice(
                    "the process has too many open descriptors", "raise the limit: ulimit -n");
            default -> null;
          };
      case "mmap" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the region can not be mapped: it is no memory BAR, smaller than a page, or the"
                        + " offset is not a multiple of the page size",
                    "iolite vfio info BDF shows which regions can be mapped");
            case ENOMEM ->
                new Advice(
                    "the process is out of address space or memory", "free memory, or map less");
            default -> null;
          };
      case "pread", "pwrite" ->
          switch (errno) {
            case EIO ->
                new Advice(
                    "the device's memory decode is off (PCI_COMMAND bit 1), or the device does not"
                        + " answer",
                    "switch memory decode on, or reset the device");
            default -> null;
          };
      case "VFIO_DEVICE_BIND_IOMMUFD" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the device is open in another process, is bound already, or its IOMMU is not"
                        + " cache-coherent",
                    "fuser -v /dev/vfio/devices/*");
            case EPERM ->
                new Advice(
                    "another device of the same IOMMU group is still used by a host driver, or"
                        + " interrupts are not isolated",
                    "iolite pci show BDF lists the group; bind every device of it to vfio-pci");
            case EBUSY ->
                new Advice(
                    "a host driver still uses a device of the same IOMMU group",
                    "iolite pci show BDF lists the group; bind every device of it to vfio-pci");
            case ENODEV ->
                new Advice(
                    "the device has no IOMMU group: there is no IOMMU, or it is off",
                    "iolite doctor; enable VT-d or AMD-Vi in the firmware and intel_iommu=on");
            default -> null;
          };
      case "VFIO_DEVICE_ATTACH_IOMMUFD_PT" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "what is mapped in the IOAS does not fit the device: an IOVA outside its"
                        + " window, a reserved range, or a file that can not be used for DMA",
                    "iolite iommu info BDF shows the allowed ranges");
            case ENOENT ->
                new Advice(
                    "there is no such object in the iommufd that the device is bound to",
                    "attach to an IOAS of the same iommufd");
            case ENOSPC, EADDRINUSE ->
                new Advice(
                    "a reserved range of the device overlaps what is mapped in the IOAS",
                    "iolite iommu info BDF shows the allowed ranges");
            default -> null;
          };
      case "VFIO_DEVICE_FEATURE" ->
          switch (errno) {
            case ENOTTY ->
                new Advice(
                    "this kernel or device does not have the feature",
                    "iolite vfio info BDF lists the features");
            case EINVAL ->
                new Advice(
                    "the arguments do not fit the feature; for a dma-buf: an empty, unaligned or"
                        + " too long range, or a BAR that can not be shared",
                    "iolite vfio info BDF shows the BARs");
            case ENODEV ->
                new Advice(
                    "for a dma-buf: the region is no BAR, or its resources could not be claimed",
                    "iolite vfio info BDF shows the BARs");
            case EOPNOTSUPP ->
                new Advice(
                    "the driver can not export this device's memory as a dma-buf",
                    "check CONFIG_VFIO_PCI_DMABUF and CONFIG_PCI_P2PDMA");
            default -> null;
          };
      case "VFIO_DEVICE_RESET" ->
          switch (errno) {
            case ENOTTY, EINVAL ->
                new Advice(
                    "the device can not be reset on its own",
                    "iolite vfio info BDF shows whether it can");
            case EAGAIN ->
                new Advice("the kernel is busy with the device", "try again a little later");
            default -> null;
          };
      case "VFIO_DEVICE_SET_IRQS" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "there is no such interrupt on the device, or another kind of interrupt is set"
                        + " up",
                    "iolite vfio info BDF lists the interrupts");
            case ENOSPC ->
                new Advice("the host has too few interrupt vectors left", "ask for fewer vectors");
            case ENOTTY ->
                new Advice(
                    "this kind of interrupt does not have the action; only INTx can be masked",
                    "iolite vfio info BDF lists the interrupts");
            default -> null;
          };
      case "IOMMU_IOAS_MAP", "IOMMU_IOAS_COPY" -> mapped(errno);
      case "IOMMU_IOAS_MAP_FILE" ->
          switch (errno) {
            case ENODEV ->
                new Advice(
                    "the dma-buf is revoked: the device's memory decode is off, or it was reset or"
                        + " closed",
                    "switch memory decode on, then map the file again");
            case EOPNOTSUPP ->
                new Advice(
                    "the dma-buf is none of VFIO's, or has more than one range, which this kernel"
                        + " does not take",
                    "export one dma-buf for each range");
            case EBADF -> new Advice("the file is not open", "look at what was closed before");
            default -> mapped(errno);
          };
      case "IOMMU_IOAS_UNMAP" ->
          switch (errno) {
            case ENOENT ->
                new Advice(
                    "nothing is mapped there, or the range cuts a mapping", "unmap whole mappings");
            case EBUSY ->
                new Advice(
                    "the mapping is in use by an access of the kernel",
                    "close what uses it and try again");
            default -> null;
          };
      case "IOMMU_IOAS_ALLOW_IOVAS" ->
          switch (errno) {
            case EADDRINUSE ->
                new Advice(
                    "an attached device can not reach one of the ranges",
                    "iolite iommu info BDF shows the allowed ranges");
            case EINVAL ->
                new Advice(
                    "two of the ranges overlap, or one has a single byte", "give disjoint ranges");
            default -> null;
          };
      case "IOMMU_HWPT_ALLOC" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "there is no such IOAS, or what is mapped in it does not fit the IOMMU",
                    "iolite iommu info BDF shows the allowed ranges");
            case ENOENT ->
                new Advice(
                    "no such device is bound to this iommufd", "bind the device to it first");
            case ENOMEM -> mapped(errno);
            default -> null;
          };
      case "IOMMU_GET_HW_INFO" ->
          switch (errno) {
            case ENOENT ->
                new Advice(
                    "no such device is bound to this iommufd", "bind the device to it first");
            case EOPNOTSUPP ->
                new Advice("the device has no IOMMU (no-IOMMU mode)", "iolite doctor");
            default -> null;
          };
      case "IOMMU_OPTION" ->
          switch (errno) {
            case EBUSY ->
                new Advice(
                    "the iommufd has objects already",
                    "set the option before the first IOAS and the first bind");
            case EPERM -> new Advice("the option needs CAP_SYS_RESOURCE", "run as root");
            case EINVAL ->
                new Advice(
                    "huge pages can not be switched off under what is mapped for a device",
                    "set the option before the first mapping");
            default -> null;
          };
      case "IOMMU_DESTROY" ->
          switch (errno) {
            case EBUSY ->
                new Advice(
                    "a device is still attached to the object, or another object was made from it",
                    "detach the device and destroy what was made from the object first");
            case ENOENT ->
                new Advice(
                    "there is no such object in this iommufd", "it may be destroyed already");
            default -> null;
          };
      case "KVM_CREATE_VM" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "this host does not have the VM type", "iolite kvm info lists the types");
            case EBUSY ->
                new Advice(
                    "another hypervisor holds the processor's virtualisation",
                    "unload it, then try again");
            default -> null;
          };
      case "KVM_SET_USER_MEMORY_REGION", "KVM_SET_USER_MEMORY_REGION2" ->
          switch (errno) {
            case EEXIST ->
                new Advice(
                    "the guest addresses overlap another memory slot",
                    "delete that slot first, or choose another address");
            case EINVAL ->
                new Advice(
                    "an address or size is not page-aligned, the flags do not fit the VM type, or"
                        + " the slot number is out of range",
                    "iolite kvm info shows the number of slots");
            default -> null;
          };
      case "KVM_CREATE_DEVICE" ->
          switch (errno) {
            case EBUSY, EEXIST -> new Advice("the VM has its VFIO device already", "use that one");
            default -> null;
          };
      case "KVM_SET_DEVICE_ATTR" ->
          switch (errno) {
            case EINVAL ->
                new Advice("the descriptor is no VFIO device", "open /dev/vfio/devices/vfioN");
            case EEXIST -> new Advice("the device was added already", "add each device once");
            default -> null;
          };
      case "KVM_RUN" ->
          switch (errno) {
            case EFAULT ->
                new Advice(
                    "the guest touched memory that no slot backs in the way it asked (private or"
                        + " shared)",
                    "look at the memory fault exit: address and kind");
            case EIO ->
                new Advice(
                    "the VM is dead, belongs to another process, or its guest touched a dma-buf"
                        + " that is revoked",
                    "make the slots of revoked dma-bufs anew, or close the VM");
            case EINVAL ->
                new Advice("the confidential VM is not finalized", "finish the VM's launch first");
            default -> null;
          };
      default -> ConfidentialAdvice.known(call, errno);
    };
  }

  private static @Nullable Advice mapped(Errno errno) {
    return switch (errno) {
      case EEXIST ->
          new Advice(
              "something is mapped at this IOVA already", "unmap it first, or choose another IOVA");
      case EINVAL ->
          new Advice(
              "the IOVA is in a reserved range or outside what the device can reach, or address,"
                  + " length or IOVA are not aligned to the IOAS alignment, or a mapped file is no"
                  + " memfd",
              "iolite iommu info BDF shows the allowed ranges and the alignment");
      case ENOMEM ->
          new Advice(
              "the pages may not be locked: the memlock limit is reached",
              "raise it: ulimit -l unlimited (or LimitMEMLOCK in the unit)");
      case EFAULT ->
          new Advice(
              "the memory is not mapped, or not writable, in this process",
              "check the address and the protection of the memory");
      case ENOSPC ->
          new Advice(
              "no free range of the IOAS is large enough",
              "iolite iommu info BDF shows the allowed ranges; unmap something, or demand less");
      case ENOENT ->
          new Advice(
              "the IOAS is destroyed, or what should be copied is not mapped",
              "look at what was closed before");
      case EPERM ->
          new Advice(
              "memory that was mapped for reading can not be copied for writing",
              "copy it for reading, or map it for writing");
      default -> null;
    };
  }
}
