package dev.iolite.tdi.profile;

/**
 * A device interface that is bound to a VM. Each operation is one call of the proposal; those that
 * {@link UapiProfile#operations} does not list throw {@link UnsupportedByProfileException}, and all
 * throw {@link TsmCallException} if the call fails. Not safe for use by several threads.
 */
public interface TdiBinding extends AutoCloseable {
  /** Whether the bind has locked the interface; if not, {@link #setState} does. */
  boolean isLockedByBind();

  /**
   * Changes the interface's state.
   *
   * @param to {@link TdiState#UNLOCKED}, which stops it, {@link TdiState#LOCKED} or {@link
   *     TdiState#RUN}
   * @throws TsmCallException EBUSY: it is not in a state to be locked, or the host can reach its
   *     memory; EIO: the device refuses; ENXIO, ENOENT: it is no longer bound
   */
  void setState(TdiState to);

  /**
   * Has the guest's private view of MMIO checked. Where the proposal has no slots for private MMIO,
   * the TSM then maps it into the VM.
   *
   * @param gpaBase the first guest-physical address, a multiple of 4 KiB
   * @param gpaTop the first one after the range, a multiple of 4 KiB
   * @param physical what the report says is there
   * @throws TsmCallException EINVAL: not the interface's TEE memory; EEXIST: something is mapped
   *     there; EIO: the interface is not locked; ENXIO: it is no longer bound
   */
  void validateMmio(long gpaBase, long gpaTop, long physical);

  /**
   * The interface's report, as the device gave it.
   *
   * @throws TsmCallException EIO: the interface is not locked; ENXIO, ENOENT: it is not bound any
   *     more
   */
  byte[] report();

  /**
   * The measurements of the interface's device, made anew: a MEASUREMENTS message of SPDM, or that
   * with messages before it, as the TSM gave them. They are the device's, so the interface may be
   * in any state.
   *
   * @param nonce what the request has, which a signature covers: 32 bytes
   * @throws IllegalArgumentException if it has another length
   * @throws TsmCallException EIO: the device refuses; ENXIO, ENOENT: the interface is not bound any
   *     more
   */
  byte[] measurements(byte[] nonce);

  /**
   * Switches on the host's half of the interface's way through the IOMMU, on SEV.
   *
   * @throws TsmCallException EIO: the interface does not run
   */
  void enableDma();

  /** Switches that off; as {@link #enableDma}. */
  void disableDma();

  /**
   * Unbinds, once, and destroys the vDEVICE, which unbinds too. Private memory of the interface
   * must have been unmapped before. After an error it can be called again if {@link #isReleased} is
   * false: that makes another attempt at destroying the vDEVICE only.
   *
   * @throws TsmCallException if one of the two failed; the other was tried all the same
   */
  @Override
  void close();

  /** Whether the vDEVICE is destroyed, and so the kernel has surely unbound the interface. */
  boolean isReleased();
}
