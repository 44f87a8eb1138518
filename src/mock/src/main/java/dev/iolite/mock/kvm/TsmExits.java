package dev.iolite.mock.kvm;

import dev.iolite.mock.core.MappingRequest;
import dev.iolite.mock.core.TdiNonces;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsmccav7.TsmCcaV7;
import dev.iolite.uapi.tsmccav7.kvm_exit_arm64_tio;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * The requests that a guest makes to its VMM on its way to a private device; for {@link
 * GuestScript.Builder#leave}. All but the last exit with KVM_EXIT_HYPERCALL and one of this
 * project's own numbers (KVM_HC_TSM_*), because no proposal has one for x86. Where
 * KVM_CAP_EXIT_HYPERCALL has a bit for them, they exit only if the VM's owner has set it; otherwise
 * KVM answers -KVM_ENOSYS.
 *
 * <p>The callback receives the VMM's answer, under the kernel's lock: a negated errno, or 0, or the
 * length of what was read.
 */
public final class TsmExits {
  private TsmExits() {}

  private static GuestExit hypercall(int number, LongConsumer result, long... arguments) {
    return new GuestExit() {
      @Override
      public boolean answeredByKvm(KvmVm vm) {
        if (vm.leavesForTsm()) {
          return false;
        }
        result.accept(Hypercalls.ENOSYS);
        return true;
      }

      @Override
      public void leave(KvmVm vm, MemorySegment kvmRun) {
        kvm_run.exit_reason(kvmRun, Kvm.KVM_EXIT_HYPERCALL());
        MemorySegment call = kvm_run.hypercall(kvmRun);
        call.fill((byte) 0);
        kvm_run.hypercall.nr(call, number);
        for (int i = 0; i < arguments.length; i++) {
          kvm_run.hypercall.args(call, i, arguments[i]);
        }
      }

      @Override
      public void answered(KvmVm vm, MemorySegment kvmRun) {
        result.accept(kvm_run.hypercall.ret(kvm_run.hypercall(kvmRun)));
      }
    };
  }

  /** Asks for a device to be bound. */
  public static GuestExit bind(long virtualBdf, LongConsumer result) {
    return hypercall(Tsm.KVM_HC_TSM_BIND(), result, virtualBdf);
  }

  /** Asks for a device to be unbound. */
  public static GuestExit unbind(long virtualBdf, LongConsumer result) {
    return hypercall(Tsm.KVM_HC_TSM_UNBIND(), result, virtualBdf);
  }

  /**
   * Asks for its private view of MMIO to be checked.
   *
   * @param gpaTop the first address after the range
   * @param physical the physical address that the report states for it
   * @param rangeId its id in the report
   */
  public static GuestExit validateMmio(
      long virtualBdf, long gpaBase, long gpaTop, long physical, int rangeId, LongConsumer result) {
    return hypercall(
        Tsm.KVM_HC_TSM_VALIDATE_MMIO(),
        result,
        virtualBdf | (long) rangeId << Short.SIZE,
        gpaBase,
        gpaTop,
        physical);
  }

  /**
   * Asks for an interface's state to be changed.
   *
   * @param state 0 unlocked, 1 locked, 2 run
   */
  public static GuestExit setState(long virtualBdf, int state, LongConsumer result) {
    return hypercall(Tsm.KVM_HC_TSM_SET_TDI_STATE(), result, virtualBdf, state);
  }

  /**
   * Asks for an interface's report.
   *
   * @param gpa the address of the buffer for it, in shared memory
   * @param bytes the length of the buffer
   */
  public static GuestExit readReport(long virtualBdf, long gpa, long bytes, LongConsumer result) {
    return hypercall(Tsm.KVM_HC_TSM_READ_REPORT(), result, virtualBdf, gpa, bytes);
  }

  /**
   * Asks for the measurements of an interface's device.
   *
   * @param gpa the address of the buffer for them, in shared memory; its first 32 bytes are the
   *     guest's nonce
   * @param bytes the length of the buffer
   */
  public static GuestExit readMeasurements(
      long virtualBdf, long gpa, long bytes, LongConsumer result) {
    return hypercall(Tsm.KVM_HC_TSM_READ_MEASUREMENTS(), result, virtualBdf, gpa, bytes);
  }

  /**
   * Asks for its private view of MMIO to be mapped, as a realm does: KVM_EXIT_ARM64_TIO of the
   * proposal for Arm CCA.
   *
   * @param nonces what the realm has looked at, which only its monitor sees
   * @param result receives the response, which is 0 (allowed) unless the VMM says otherwise
   */
  public static GuestExit validateMapping(
      long vdevice,
      long gpaBase,
      long gpaTop,
      long physical,
      TdiNonces nonces,
      LongConsumer result) {
    return new GuestExit() {
      private MemorySegment exit(MemorySegment kvmRun) {
        return kvmRun.asSlice(kvm_run.hypercall$offset(), kvm_exit_arm64_tio.sizeof());
      }

      @Override
      public void leave(KvmVm vm, MemorySegment kvmRun) {
        kvm_run.exit_reason(kvmRun, TsmCcaV7.KVM_EXIT_ARM64_TIO());
        MemorySegment exit = exit(kvmRun);
        exit.fill((byte) 0);
        kvm_exit_arm64_tio.nr(exit, TsmCcaV7.KVM_ARM64_TIO_VDEV_VALIDATE_MAPPING());
        kvm_exit_arm64_tio.vdev_id(exit, vdevice);
        kvm_exit_arm64_tio.gpa_base(exit, gpaBase);
        kvm_exit_arm64_tio.gpa_top(exit, gpaTop);
        kvm_exit_arm64_tio.pa_base(exit, physical);
        vm.setMappingRequest(Optional.of(new MappingRequest(gpaBase, gpaTop, physical, nonces)));
      }

      @Override
      public void answered(KvmVm vm, MemorySegment kvmRun) {
        vm.setMappingRequest(Optional.empty());
        result.accept(kvm_exit_arm64_tio.response(exit(kvmRun)));
      }
    };
  }
}
