package dev.iolite.tdi.profile;

import dev.iolite.kernel.Page;
import dev.iolite.kvm.Exit;
import dev.iolite.uapi.tsm.Tsm;
import java.util.Optional;
import java.util.function.LongConsumer;

/** The hypercalls of a guest that the VMM answers. */
final class GuestCalls {
  /**
   * KVM_HC_MAP_GPA_RANGE of linux/kvm_para.h, a header for guests that the bindings do not cover.
   */
  private static final int MAP_GPA_RANGE = 12;

  /** KVM_MAP_GPA_RANGE_ENCRYPTED. */
  private static final long MAP_ENCRYPTED = 1 << 4;

  /** The mask of the range id, which is next to the virtual BDF. */
  private static final int RANGE_ID = 0xffff;

  private GuestCalls() {}

  /** What an exit asks for; empty if it is not such a hypercall. */
  static Optional<GuestRequest> decode(Exit exit) {
    return exit instanceof Exit.Hypercall call ? decode(call) : Optional.empty();
  }

  private static Optional<GuestRequest> decode(Exit.Hypercall call) {
    LongConsumer answer = call::respond;
    long number = call.number();
    long bdf = call.argument(0);
    if (number == MAP_GPA_RANGE) {
      return Optional.of(
          new GuestRequest.MapGpa(
              bdf, bytes(call.argument(1)), (call.argument(2) & MAP_ENCRYPTED) != 0, answer));
    }
    if (number == Tsm.KVM_HC_TSM_BIND()) {
      return Optional.of(new GuestRequest.Bind(bdf, answer));
    }
    if (number == Tsm.KVM_HC_TSM_UNBIND()) {
      return Optional.of(new GuestRequest.Unbind(bdf, answer));
    }
    if (number == Tsm.KVM_HC_TSM_VALIDATE_MMIO()) {
      return Optional.of(
          new GuestRequest.ValidateMmio(
              bdf & ~((long) RANGE_ID << Short.SIZE),
              call.argument(1),
              call.argument(2),
              call.argument(3),
              (int) (bdf >>> Short.SIZE) & RANGE_ID,
              answer));
    }
    if (number == Tsm.KVM_HC_TSM_SET_TDI_STATE()) {
      return Optional.of(new GuestRequest.SetState(bdf, call.argument(1), answer));
    }
    if (number == Tsm.KVM_HC_TSM_READ_REPORT()) {
      return Optional.of(
          new GuestRequest.ReadReport(bdf, call.argument(1), call.argument(2), answer));
    }
    if (number == Tsm.KVM_HC_TSM_READ_MEASUREMENTS()) {
      return Optional.of(
          new GuestRequest.ReadMeasurements(bdf, call.argument(1), call.argument(2), answer));
    }
    return Optional.empty();
  }

  /**
   * The length of a number of pages; more pages than an address space has become a length that no
   * memory has.
   */
  private static long bytes(long pages) {
    return pages < 0 || pages > Long.MAX_VALUE >>> Page.SHIFT
        ? Long.MAX_VALUE
        : pages << Page.SHIFT;
  }
}
