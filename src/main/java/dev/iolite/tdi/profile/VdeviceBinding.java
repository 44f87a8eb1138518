package dev.iolite.tdi.profile;

import dev.iolite.iommufd.Vdevice;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.tdi.evidence.Measurements;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/** A binding through a vDEVICE, without any of the operations. */
abstract class VdeviceBinding implements TdiBinding {
  private final AbstractProfile profile;
  private final Fd iommufd;
  private final Vdevice vdevice;
  private boolean unbound;
  private boolean released;

  VdeviceBinding(AbstractProfile profile, Fd iommufd, Vdevice vdevice) {
    this.profile = profile;
    this.iommufd = iommufd;
    this.vdevice = vdevice;
  }

  final Fd iommufd() {
    return iommufd;
  }

  final Vdevice vdevice() {
    return vdevice;
  }

  /** Unbinds, by the proposal's call for it; nothing where it has none. */
  abstract void unbind();

  @Override
  public boolean isLockedByBind() {
    return true;
  }

  @Override
  public void setState(TdiState to) {
    throw profile.unsupported(TsmOperation.SET_STATE);
  }

  @Override
  public void validateMmio(long gpaBase, long gpaTop, long physical) {
    throw profile.unsupported(TsmOperation.VALIDATE_MMIO);
  }

  @Override
  public byte[] report() {
    throw profile.unsupported(TsmOperation.READ_REPORT);
  }

  @Override
  public final byte[] measurements(byte[] nonce) {
    if (nonce.length != Measurements.NONCE_BYTES) {
      throw new IllegalArgumentException(
          "a nonce has %d bytes, not %d".formatted(Measurements.NONCE_BYTES, nonce.length));
    }
    return measure(MemorySegment.ofArray(nonce));
  }

  /**
   * Reads the measurements.
   *
   * @param nonce of the right length
   */
  byte[] measure(MemorySegment nonce) {
    throw profile.unsupported(TsmOperation.READ_MEASUREMENTS);
  }

  @Override
  public void enableDma() {
    throw profile.unsupported(TsmOperation.ENABLE_DMA);
  }

  @Override
  public void disableDma() {
    throw profile.unsupported(TsmOperation.DISABLE_DMA);
  }

  @Override
  public final void close() {
    if (released) {
      return;
    }
    TsmCallException first = null;
    if (!unbound) {
      unbound = true;
      try {
        unbind();
      } catch (TsmCallException e) {
        first = e;
      }
    }
    try {
      vdevice.close();
      released = true;
    } catch (KernelException e) {
      var destroy = profile.caller().failed(TsmOperation.UNBIND, e, OptionalLong.empty());
      if (first == null) {
        throw destroy;
      }
      first.addSuppressed(destroy);
    }
    if (first != null) {
      throw first;
    }
  }

  @Override
  public final boolean isReleased() {
    return released;
  }

  @Override
  public final String toString() {
    return "binding of " + vdevice + " under " + profile;
  }
}
