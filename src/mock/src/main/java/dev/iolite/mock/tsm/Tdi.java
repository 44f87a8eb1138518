package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Reach;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.TdiState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A device interface that is bound to a VM (struct pci_tdi), with the state that the device keeps.
 *
 * <p>TDISP: lock leads from CONFIG_UNLOCKED to CONFIG_LOCKED and returns a nonce of 32 bytes, which
 * is not visible here; start leads from there to RUN, once for each nonce; stop leads to
 * CONFIG_UNLOCKED from every state. RUN never goes back to CONFIG_LOCKED. A change of what was
 * locked leads to ERROR.
 */
public final class Tdi {
  private final TeeFunction function;
  private final KvmReference vm;
  private final int id;
  private final Runnable onChange;
  private final List<Long> mapped = new ArrayList<>();
  private TdiState state = TdiState.CONFIG_UNLOCKED;
  private long reportingOffset;
  private boolean nonceUnused;

  /**
   * Makes an unlocked interface.
   *
   * @param id its virtual BDF in the guest
   * @param onChange called when the state has changed
   */
  Tdi(TeeFunction function, KvmReference vm, int id, Runnable onChange) {
    this.function = function;
    this.vm = vm;
    this.id = id;
    this.onChange = onChange;
  }

  /** The VM it is bound to. */
  public KvmReference vm() {
    return vm;
  }

  /** Its virtual BDF in the guest. */
  public int id() {
    return id;
  }

  /** Its state. */
  public TdiState state() {
    return state;
  }

  /**
   * LOCK_INTERFACE_REQUEST. Neither memory decode nor bus mastering has to be on (11.3.8).
   *
   * @param newReportingOffset what is added to addresses that the device reports, in bytes
   * @param msix whether its MSI-X table and control are locked too (LOCK_MSIX)
   * @throws dev.iolite.mock.core.Refused EBUSY: it is not unlocked; EIO: the device is gone
   */
  void lock(long newReportingOffset, boolean msix) {
    refuseIf(state != TdiState.CONFIG_UNLOCKED, Errno.EBUSY);
    refuseIf(!function.isPresent(), Errno.EIO);
    reportingOffset = newReportingOffset;
    nonceUnused = true;
    function.setGuard(Optional.of(guard(msix)));
    change(TdiState.CONFIG_LOCKED);
  }

  /**
   * START_INTERFACE_REQUEST.
   *
   * @throws dev.iolite.mock.core.Refused EIO: it is not locked, or the nonce has been used
   */
  void start() {
    refuseIf(state != TdiState.CONFIG_LOCKED || !nonceUnused, Errno.EIO);
    nonceUnused = false;
    change(TdiState.RUN);
  }

  /**
   * Maps TEE memory into the VM, until the interface is stopped.
   *
   * @throws dev.iolite.mock.core.Refused an error of {@link KvmReference#mapPrivate}
   */
  void map(long gpa, long bytes, Memory memory) {
    vm.mapPrivate(gpa, bytes, memory, function.name(), this::reach);
    mapped.add(gpa);
  }

  /**
   * drivers/vfio/pci/vfio_pci_tdi.c:vfio_pci_tdi_mute, vfio_pci_tdi_leave. A device with TDISP
   * refuses by itself what comes too early or too late.
   */
  private Reach reach() {
    if (!function.isEmulatedTee() || state == TdiState.RUN) {
      return Reach.OPEN;
    }
    return state == TdiState.ERROR ? Reach.REVOKED : Reach.MUTE;
  }

  /**
   * Called when the TSM looks at the interface, which may have left the locked states by itself
   * (drivers/virt/coco/tsm-sim/tsm-sim.c:sim_state).
   */
  void look() {
    if (function.isEmulatedTee() && state == TdiState.ERROR) {
      unmap();
    }
  }

  private void unmap() {
    mapped.forEach(vm::unmapPrivate);
    mapped.clear();
  }

  /**
   * STOP_INTERFACE_REQUEST. Notifies of the change even if it was unlocked already
   * (tsm-sim.c:sim_change).
   */
  void stop() {
    unmap();
    nonceUnused = false;
    function.setGuard(Optional.empty());
    state = TdiState.CONFIG_UNLOCKED;
    onChange.run();
  }

  /** Called when something that was locked has changed, or a link was lost. */
  void fail() {
    if (state == TdiState.CONFIG_LOCKED || state == TdiState.RUN) {
      nonceUnused = false;
      change(TdiState.ERROR);
    }
  }

  /**
   * The interface's report.
   *
   * @throws dev.iolite.mock.core.Refused EIO: it is neither locked nor running
   */
  byte[] report() {
    refuseIf(state != TdiState.CONFIG_LOCKED && state != TdiState.RUN, Errno.EIO);
    return function.interfaceReport(reportingOffset);
  }

  private void change(TdiState to) {
    if (state != to) {
      state = to;
      onChange.run();
    }
  }

  private TeeFunction.Guard guard(boolean msix) {
    return new TeeFunction.Guard() {
      @Override
      public boolean admits(int bar, long offset, boolean trusted) {
        if (function.isEmulatedTee()) {
          // The device knows nothing about it; VFIO and KVM enforce what can be enforced.
          return true;
        }
        // 11.2.1: non-TEE memory takes requests with and without the T bit.
        boolean tee = function.isTeeMemory(bar, offset);
        return trusted ? state == TdiState.RUN : !tee;
      }

      @Override
      public boolean locksMsix() {
        return msix;
      }

      @Override
      public void configurationChanged() {
        fail();
      }

      @Override
      public void removed() {
        fail();
      }
    };
  }
}
