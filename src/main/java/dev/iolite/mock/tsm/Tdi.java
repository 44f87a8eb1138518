package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.TeeFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A device interface that is bound to a VM (struct pci_tdi), with the state that the device keeps.
 *
 * <p>TDISP: lock leads from CONFIG_UNLOCKED to CONFIG_LOCKED and gives a nonce; start leads from
 * there to RUN, once for each nonce; stop leads to CONFIG_UNLOCKED from everywhere. RUN never goes
 * back to CONFIG_LOCKED. A change of what was locked leads to ERROR.
 */
public final class Tdi {
  private final TeeFunction function;
  private final KvmReference vm;
  private final int id;
  private final Runnable onChange;
  private final List<Long> mapped = new ArrayList<>();
  private TdiState state = TdiState.CONFIG_UNLOCKED;
  private long nonce;
  private long reportingOffset;
  private boolean nonceUnused;

  /**
   * An unlocked interface.
   *
   * @param id its virtual BDF in the guest
   * @param onChange told when the state has changed
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
   * LOCK_INTERFACE_REQUEST.
   *
   * @param newNonce what start must give back
   * @param newReportingOffset what is added to addresses that the device reports, in bytes
   * @throws dev.iolite.mock.core.Refused EBUSY: it is not unlocked; EIO: the device refuses, since
   *     memory decode or bus mastering is off
   */
  void lock(long newNonce, long newReportingOffset) {
    refuseIf(state != TdiState.CONFIG_UNLOCKED, Errno.EBUSY);
    refuseIf(!function.isActive(), Errno.EIO);
    nonce = newNonce;
    reportingOffset = newReportingOffset;
    nonceUnused = true;
    function.setGuard(Optional.of(guard()));
    change(TdiState.CONFIG_LOCKED);
  }

  /**
   * START_INTERFACE_REQUEST.
   *
   * @throws dev.iolite.mock.core.Refused EIO: it is not locked, or the nonce is used up
   */
  void start() {
    refuseIf(state != TdiState.CONFIG_LOCKED || !nonceUnused, Errno.EIO);
    nonceUnused = false;
    change(TdiState.RUN);
  }

  /**
   * Maps TEE memory into the VM, until the interface is stopped.
   *
   * @throws dev.iolite.mock.core.Refused EEXIST: something is mapped there
   */
  void map(long gpa, long bytes, Memory memory) {
    refuseIf(!vm.mapPrivate(gpa, bytes, memory, function.name()), Errno.EEXIST);
    mapped.add(gpa);
  }

  /**
   * STOP_INTERFACE_REQUEST. That is told even if it was unlocked already (tsm-sim.c:sim_change).
   */
  void stop() {
    mapped.forEach(vm::unmapPrivate);
    mapped.clear();
    nonceUnused = false;
    function.setGuard(Optional.empty());
    state = TdiState.CONFIG_UNLOCKED;
    onChange.run();
  }

  /** Something that was locked has changed, or a link was lost. */
  void fail() {
    if (state == TdiState.CONFIG_LOCKED || state == TdiState.RUN) {
      nonceUnused = false;
      change(TdiState.ERROR);
    }
  }

  /** The nonce of the last lock, by which the guest knows that it was this one. */
  long nonce() {
    return nonce;
  }

  /**
   * The interface's report.
   *
   * @throws dev.iolite.mock.core.Refused EIO: it is not locked and does not run
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

  private TeeFunction.Guard guard() {
    return new TeeFunction.Guard() {
      @Override
      public boolean admits(int bar, long offset, boolean trusted) {
        if (function.isEmulatedTee()) {
          // The device knows nothing of it; VFIO and KVM see to what can be seen to.
          return true;
        }
        boolean tee = function.isTeeMemory(bar, offset);
        return trusted ? tee && state == TdiState.RUN : !tee;
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
