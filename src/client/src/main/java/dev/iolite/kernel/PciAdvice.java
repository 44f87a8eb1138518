package dev.iolite.kernel;

import org.jspecify.annotations.Nullable;

/**
 * Advice for failed writes to a PCI function's files in sysfs, which give it to a driver, take it
 * from one, or connect it to a TSM. See drivers/base/bus.c and drivers/pci/tsm.c.
 */
final class PciAdvice {
  private PciAdvice() {}

  static @Nullable Advice known(String call, Errno errno) {
    return switch (call) {
      case "write" -> write(errno);
      case "tsm/connect" -> connect(errno);
      case "tsm/disconnect" ->
          switch (errno) {
            case ENXIO ->
                new Advice(
                    "the function is connected to no TSM", "connect it first", Remedy.LIST_TSMS);
            case EINVAL ->
                new Advice(
                    "the function is connected to another TSM", "name that one", Remedy.LIST_TSMS);
            default -> null;
          };
      default -> FileAdvice.ofFile(call, errno);
    };
  }

  private static @Nullable Advice write(Errno errno) {
    return switch (errno) {
      case ENODEV ->
          new Advice(
              "the driver does not know the device, or the device is gone from this driver",
              "choose a driver that knows it",
              Remedy.SHOW_FUNCTION);
      case EBUSY ->
          new Advice(
              "the device has a driver already, or virtual functions, or is in use",
              "stop what uses the device",
              Remedy.SHOW_FUNCTION);
      case EINVAL ->
          new Advice(
              "the kernel or the driver refused the device or the value",
              "dmesg has the driver's reason",
              Remedy.SHOW_FUNCTION);
      case EAGAIN ->
          new Advice(
              "the driver waits for another one that the device depends on",
              "dmesg has which; load that driver, then try again");
      case ENXIO, EIO ->
          new Advice(
              "the driver could not start the device",
              "dmesg has the driver's reason; reset the device, or plug it in again");
      default -> FileAdvice.ofFile("write", errno);
    };
  }

  private static Advice connect(Errno errno) {
    return switch (errno) {
      case EBUSY ->
          new Advice(
              "the function is connected already", "disconnect it first", Remedy.DISCONNECT_TSM);
      case ENXIO ->
          new Advice(
              "there is no TSM of this name, it is one for guests, or it does not want the"
                  + " function",
              "dmesg has the driver's reason",
              Remedy.LIST_TSMS);
      case EINVAL ->
          new Advice("that is no TSM's name", "name one of /sys/class/tsm", Remedy.LIST_TSMS);
      case EPERM, EACCES -> new Advice("this user may not do it", "run as root");
      default ->
          new Advice(
              "the TSM's driver could not set up the session: SPDM, IDE or the firmware",
              "dmesg has the driver's reason");
    };
  }
}
