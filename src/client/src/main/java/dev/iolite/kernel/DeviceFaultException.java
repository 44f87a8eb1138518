package dev.iolite.kernel;

/** An access to a mapped device register that got no answer and ended in a SIGBUS. */
public final class DeviceFaultException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Describes the fault.
   *
   * @param memory which registers
   * @param cause what the JVM raised
   */
  public DeviceFaultException(String memory, Throwable cause) {
    super(
        "access to the mapped registers of "
            + memory
            + " faulted (SIGBUS). Usual cause: the device's memory decode is off (PCI_COMMAND"
            + " bit 1), it is being reset, in D3, or gone. Next: switch memory decode on and try"
            + " again; the mapping itself stays valid",
        cause);
  }
}
