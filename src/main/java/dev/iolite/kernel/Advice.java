package dev.iolite.kernel;

import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The usual cause of an error and the next step, in words for people.
 *
 * @param cause the usual cause
 * @param next the next step, a command where there is one
 */
public record Advice(String cause, String next) {
  /**
   * What is known of an error of a call.
   *
   * @param call the system call or ioctl, by its name in the headers
   * @param subject the descriptor or path it was made on
   * @param detail the decoded argument
   * @param errno what the kernel said
   */
  static Optional<Advice> of(String call, String subject, String detail, Errno errno) {
    return Stream.<BiFunction<String, Errno, @Nullable Advice>>of(
            Advice::known,
            VfioAdvice::known,
            IommufdAdvice::known,
            ConfidentialAdvice::known,
            LaunchAdvice::known,
            KvmAdvice::known,
            (_, any) -> ofAnyCall(any))
        .map(table -> table.apply(call, errno))
        .flatMap(Stream::ofNullable)
        .findFirst()
        .map(advice -> new Advice(advice.cause, filledIn(advice.next, subject, detail)));
  }

  /**
   * What is known of a call that returned a number which was no success, and no errno either; as
   * {@link #of}.
   */
  static Advice ofNumber(String call, String subject, String detail) {
    return switch (call) {
      case "VFIO_DEVICE_SET_IRQS" ->
          new Advice(
              "without interrupt remapping MSI has one vector, or the host's vectors are used up",
              "connect no more eventfds than that; /proc/interrupts shows what uses the vectors");
      case "VFIO_DEVICE_BIND_IOMMUFD" ->
          new Advice(
              "the device has been pulled out, or does not answer",
              filledIn("iolite pci show BDF; dmesg has the driver's reason", subject, detail));
      case "write" ->
          new Advice(
              "an attribute of sysfs takes one page at most", "write less, or in several calls");
      default ->
          new Advice(
              "a fault of the kernel's driver, or a kernel newer than this program",
              "report it with the kernel's version (uname -r) and the driver's name");
    };
  }

  /**
   * Puts the device's address, where subject or argument have it, and the path into a command. Of a
   * device that is not known the command speaks in words.
   */
  private static String filledIn(String next, String subject, String detail) {
    String device =
        Diagnosis.pciAddress(subject + " " + detail).orElse("(with the device's address)");
    return next.replace("BDF", device).replace("PATH", subject);
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
                    "run as root, or give the user access to PATH (chown or a udev rule)");
            case EISDIR -> new Advice("it is a directory, and no device or file", "ls -ld PATH");
            case EBUSY ->
                new Advice("another process holds the device", "fuser -v PATH shows which");
            case ENODEV ->
                new Advice(
                    "the device is being removed or its driver has let go of it",
                    "iolite pci list");
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
                    "the device has a driver already, or virtual functions, or is in use",
                    "iolite pci show BDF; stop what uses the device");
            case EINVAL ->
                new Advice(
                    "the kernel or the driver refused the device or the value",
                    "iolite pci show BDF; dmesg has the driver's reason");
            case EAGAIN ->
                new Advice(
                    "the driver waits for another one that the device depends on",
                    "dmesg has which; load that driver, then try again");
            case ENXIO, EIO ->
                new Advice(
                    "the driver could not start the device",
                    "dmesg has the driver's reason; reset the device, or plug it in again");
            case EPERM, EACCES ->
                new Advice(
                    "the kernel is locked down or this user may not do it",
                    "run as root; check /sys/kernel/security/lockdown");
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
            case EBUSY, ENODEV -> notReserved();
            case EAGAIN ->
                new Advice(
                    "the memory is to be locked, and the memlock limit is reached",
                    "raise it: ulimit -l unlimited (or LimitMEMLOCK in the unit)");
            default -> null;
          };
      case "pread", "pwrite" ->
          switch (errno) {
            case EBUSY, ENODEV -> notReserved();
            case EINVAL ->
                new Advice(
                    "the device is not bound to an iommufd, or has no such region, or the offset is"
                        + " beyond its end",
                    "iolite vfio info BDF shows the regions");
            case EIO ->
                new Advice(
                    "the device's memory decode is off (PCI_COMMAND bit 1), or the device does not"
                        + " answer",
                    "switch memory decode on, or reset the device");
            default -> null;
          };
      default -> null;
    };
  }

  private static Advice notReserved() {
    return new Advice(
        "vfio-pci could not reserve the BAR, which a host driver or the boot's framebuffer has; or"
            + " a TSM has locked the interface",
        "cat /proc/iomem as root shows who has the range; iolite pci show BDF");
  }

  /** What an errno means whatever the call is. */
  private static @Nullable Advice ofAnyCall(Errno errno) {
    return switch (errno) {
      case ENOMEM ->
          new Advice(
              "the kernel has too little memory for it, or the limit of this process's cgroup is"
                  + " reached",
              "free memory, or raise the limit (memory.max of the cgroup)");
      case EMFILE, ENFILE ->
          new Advice("the process has too many open descriptors", "raise the limit: ulimit -n");
      case ENOTTY -> new Advice("this kernel does not have the call", HostPlatform.OTHER_KERNEL);
      case EOPNOTSUPP ->
          new Advice(
              "this kernel, device or type of VM does not do that",
              "iolite doctor shows what this host lacks");
      case E2BIG ->
          new Advice(
              "the argument has fields that this kernel does not know", HostPlatform.OTHER_KERNEL);
      case EINTR -> new Advice("a signal ended the call before it was done", "try again");
      case EAGAIN -> new Advice("the kernel is busy with the object", "try again a little later");
      case EFAULT ->
          new Advice(
              "the kernel could not reach the memory that the call names",
              "check that it is mapped, and may be written");
      case EBADF ->
          new Advice("a descriptor in the call is not open", "look at what was closed before");
      case EPERM, EACCES -> new Advice("this process may not do it", "run as root");
      case EROFS ->
          new Advice(
              "the file system is mounted read-only, as sysfs is in a container",
              "do it outside of the container, or start that with --privileged");
      case ENODEV ->
          new Advice(
              "the device is gone, or its driver is letting go of it", "iolite pci list shows it");
      case EIO ->
          new Advice(
              "the device, or the VM, does not answer any more",
              "dmesg has the reason; close it and open it again");
      case EOVERFLOW ->
          new Advice(
              "a range in the call ends beyond the last address",
              "check the range's start and size");
      default -> null;
    };
  }
}
