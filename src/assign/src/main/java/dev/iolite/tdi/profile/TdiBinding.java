package dev.iolite.tdi.profile;

import dev.iolite.iommufd.Vdevice;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tsm.TdiState;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * A device interface that is bound to a VM. Each operation is one call of the proposal; those that
 * {@link UapiProfile#operations} does not list throw {@link UnsupportedByProfileException}, and all
 * throw {@link TsmCallException} if the call fails. Not safe for use by several threads.
 */
public final class TdiBinding implements AutoCloseable {
  private final UapiProfile profile;
  private final TsmCaller caller;
  private final Ability.Binds how;
  private final TdiTarget target;
  private final Vdevice vdevice;
  private boolean unbound;
  private boolean released;

  private TdiBinding(
      UapiProfile profile, TsmCaller caller, Ability.Binds how, TdiTarget target, Vdevice vdevice) {
    this.profile = profile;
    this.caller = caller;
    this.how = how;
    this.target = target;
    this.vdevice = vdevice;
  }

  /** Makes the vDEVICE, and binds it; if the bind fails, there is no vDEVICE either. */
  static TdiBinding bind(UapiProfile profile, Ability.Binds how, TdiTarget target) {
    return explained(target, () -> made(profile, how, target));
  }

  /** Makes a call; if it fails, adds what the TSM's driver wrote to the kernel's log meanwhile. */
  private static <T> T explained(TdiTarget target, Supplier<T> call) {
    target.log().skip();
    try {
      return call.get();
    } catch (TsmCallException e) {
      List<String> said = target.log().about(target.device().name());
      throw said.isEmpty() ? e : e.explained(said);
    }
  }

  private static TdiBinding made(UapiProfile profile, Ability.Binds how, TdiTarget target) {
    TsmCaller caller = new TsmCaller(profile.name());
    Vdevice vdevice = vdevice(caller, target);
    TdiBinding binding = new TdiBinding(profile, caller, how, target, vdevice);
    try {
      how.bind(binding);
      return binding;
    } catch (RuntimeException e) {
      try {
        vdevice.close();
      } catch (KernelException undo) {
        e.addSuppressed(undo);
      }
      throw e;
    }
  }

  private static Vdevice vdevice(TsmCaller caller, TdiTarget target) {
    try {
      return target.viommu().allocVdevice(target.device().deviceId(), target.virtualBdf());
    } catch (KernelException e) {
      throw caller.failed(TsmOperation.BIND, e, OptionalLong.empty());
    }
  }

  /** The iommufd that the device is bound to. */
  Fd iommufd() {
    return target.iommufd().fd();
  }

  /** The device. */
  Fd device() {
    return target.device().fd();
  }

  /** The number of its vDEVICE. */
  int vdeviceId() {
    return vdevice.id().value();
  }

  private <T extends Ability> T require(TsmOperation operation, Class<T> kind) {
    return profile.require(operation, kind);
  }

  /** Whether the bind has locked the interface; if not, {@link #setState} does. */
  public boolean isLockedByBind() {
    return how.locks();
  }

  /**
   * Changes the interface's state.
   *
   * @param to {@link TdiState#CONFIG_UNLOCKED}, which stops it, {@link TdiState#CONFIG_LOCKED} or
   *     {@link TdiState#RUN}
   * @throws TsmCallException EBUSY: it is not in a state to be locked, or the host can reach its
   *     memory; EIO: the device refuses; ENXIO, ENOENT: it is no longer bound
   */
  public void setState(TdiState to) {
    var ability = require(TsmOperation.SET_STATE, Ability.SetsState.class);
    explained(
        target,
        () -> {
          ability.setState(this, to);
          return this;
        });
  }

  /**
   * Has the TSM check the guest's private view of MMIO. If the proposal has no slots for private
   * MMIO, the TSM then maps it into the VM.
   *
   * @param gpaBase the first guest-physical address, a multiple of 4 KiB
   * @param gpaTop the first address after the range, a multiple of 4 KiB
   * @param physical what the report says is there
   * @param rangeId the id that it has in the report; only SEV's TSM asks for it
   * @throws TsmCallException EINVAL: not the interface's TEE memory; EEXIST: something is mapped
   *     there; EIO: the interface is not locked; ENXIO: it is no longer bound
   */
  public void validateMmio(long gpaBase, long gpaTop, long physical, int rangeId) {
    var ability = require(TsmOperation.VALIDATE_MMIO, Ability.ValidatesMmio.class);
    explained(
        target,
        () -> {
          ability.validateMmio(this, gpaBase, gpaTop, physical, rangeId);
          return this;
        });
  }

  /**
   * The interface's report, as the device gave it.
   *
   * @throws TsmCallException EIO: the interface is not locked; ENXIO, ENOENT: it is no longer bound
   */
  public byte[] report() {
    var ability = require(TsmOperation.READ_REPORT, Ability.ReadsReport.class);
    return explained(target, () -> ability.report(this));
  }

  /**
   * The measurements of the interface's device, made anew: a MEASUREMENTS message of SPDM, or such
   * a message preceded by others, as the TSM gave them. They belong to the device, so the interface
   * may be in any state.
   *
   * @param nonce the nonce of the request, which a signature covers: 32 bytes
   * @throws IllegalArgumentException if it has another length
   * @throws TsmCallException EIO: the device refuses; ENXIO, ENOENT: the interface is no longer
   *     bound
   */
  public byte[] measurements(byte[] nonce) {
    if (nonce.length != Measurements.NONCE_BYTES) {
      throw new IllegalArgumentException(
          "a nonce has %d bytes, not %d".formatted(Measurements.NONCE_BYTES, nonce.length));
    }
    var ability = require(TsmOperation.READ_MEASUREMENTS, Ability.Measures.class);
    return explained(target, () -> ability.measurements(this, MemorySegment.ofArray(nonce)));
  }

  /**
   * Switches on the host's half of the interface's path through the IOMMU, on SEV.
   *
   * @throws TsmCallException EIO: the interface does not run
   */
  public void enableDma() {
    switchDma(TsmOperation.ENABLE_DMA);
  }

  /** Switches it off again, like {@link #enableDma}. */
  public void disableDma() {
    switchDma(TsmOperation.DISABLE_DMA);
  }

  private void switchDma(TsmOperation operation) {
    var ability = require(operation, Ability.SwitchesDma.class);
    explained(
        target,
        () -> {
          ability.switchDma(this, operation == TsmOperation.ENABLE_DMA);
          return this;
        });
  }

  /**
   * Unbinds, once, and destroys the vDEVICE, which also unbinds. Private memory of the interface
   * must have been unmapped first. After an error, this can be called again if {@link #isReleased}
   * is false; that only tries again to destroy the vDEVICE.
   *
   * @throws TsmCallException if one of the two failed; the other was tried all the same
   */
  @Override
  public void close() {
    if (released) {
      return;
    }
    TsmCallException first = null;
    if (!unbound) {
      unbound = true;
      try {
        how.unbind(this);
      } catch (TsmCallException e) {
        first = e;
      }
    }
    try {
      vdevice.close();
      released = true;
    } catch (KernelException e) {
      var destroy = caller.failed(TsmOperation.UNBIND, e, OptionalLong.empty());
      if (first == null) {
        throw destroy;
      }
      first.addSuppressed(destroy);
    }
    if (first != null) {
      throw first;
    }
  }

  /** Whether the vDEVICE is destroyed, so that the kernel has certainly unbound the interface. */
  public boolean isReleased() {
    return released;
  }

  @Override
  public String toString() {
    return "binding of " + vdevice + " under " + profile;
  }
}
