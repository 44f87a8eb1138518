package dev.iolite.vfio;

/** A reply from the kernel that contradicts its own rules, such as an endless capability chain. */
public final class MalformedReplyException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Describes the fault.
   *
   * @param call the ioctl with that reply
   * @param fault what is wrong with the reply
   */
  MalformedReplyException(String call, String fault) {
    super(
        call
            + " replied against its own rules: "
            + fault
            + ". Usual cause: a fault of the kernel's driver, or a kernel newer than this program."
            + " Next: report it with the kernel's version (uname -r) and the driver's name");
  }
}
