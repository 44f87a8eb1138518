package dev.iolite.kernel;

import org.jspecify.annotations.Nullable;

/** What an errno means, whatever the call was made on. */
final class AnyCallAdvice {
  private AnyCallAdvice() {}

  static @Nullable Advice known(String call, Errno errno) {
    Advice opened = call.equals("open") ? opened(errno) : null;
    return opened == null ? known(errno) : opened;
  }

  private static @Nullable Advice opened(Errno errno) {
    return switch (errno) {
      case ENOENT ->
          new Advice(
              "the path does not exist on this kernel: the device has no driver that makes"
                  + " it, or the kernel was built without the feature",
              "load the driver's module",
              Remedy.CHECK_HOST);
      case EACCES, EPERM ->
          new Advice(
              "this user may not open it",
              "run as root, or give the user access to PATH (chown or a udev rule)");
      case EISDIR -> new Advice("it is a directory, and no device or file", "ls -ld PATH");
      case EBUSY -> new Advice("another process holds the device", "fuser -v PATH shows which");
      case ENODEV ->
          new Advice(
              "the device is being removed or its driver has let go of it",
              "give the device a driver",
              Remedy.LIST_FUNCTIONS);
      default -> null;
    };
  }

  private static @Nullable Advice known(Errno errno) {
    return switch (errno) {
      case ENOMEM ->
          new Advice(
              "the kernel has too little memory for it, or the limit of this process's cgroup is"
                  + " reached",
              "free memory, or raise the limit (memory.max of the cgroup)");
      case EMFILE, ENFILE ->
          new Advice("the process has too many open descriptors", "raise the limit: ulimit -n");
      case ENOTTY ->
          new Advice(
              "this kernel does not have the call", HostPlatform.OTHER_KERNEL, Remedy.OTHER_KERNEL);
      case EOPNOTSUPP ->
          new Advice(
              "this kernel, device or type of VM does not do that",
              "do without it",
              Remedy.CHECK_HOST);
      case E2BIG ->
          new Advice(
              "the argument has fields that this kernel does not know",
              HostPlatform.OTHER_KERNEL,
              Remedy.OTHER_KERNEL);
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
              "the device is gone, or its driver is letting go of it",
              "look for it in sysfs",
              Remedy.LIST_FUNCTIONS);
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
