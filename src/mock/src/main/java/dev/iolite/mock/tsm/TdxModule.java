package dev.iolite.mock.tsm;

import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.InterfaceFlag;
import dev.iolite.tsm.TdxRefusal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/**
 * What a TDX module demands of a locked interface before it accepts it, and before it runs: Intel's
 * guide to TEE-IO devices, table A-5.
 */
final class TdxModule {
  private static final int MSIX_CONTROL_AT = 4;
  private static final int LNR_CONTROL_AT = 6;
  private static final int TPH_CONTROL_AT = 8;
  private static final long LOW_END = 1L << 32;
  private static final int LEAST_ADDRESS_WIDTH = 52;

  private TdxModule() {}

  /**
   * Why it does not accept an interface; empty if it does.
   *
   * @param report its DEVICE_INTERFACE_REPORT
   */
  static Optional<String> refusal(TeeFunction function, byte[] report) {
    if (report.length < TPH_CONTROL_AT + Integer.BYTES) {
      return Optional.of("its report is too short");
    }
    ByteBuffer head = ByteBuffer.wrap(report).order(ByteOrder.LITTLE_ENDIAN);
    List<TdxRefusal> refusals =
        TdxRefusal.of(
            InterfaceFlag.of(head.getShort(0)),
            head.getShort(MSIX_CONTROL_AT),
            head.getShort(LNR_CONTROL_AT),
            head.getInt(TPH_CONTROL_AT));
    if (!refusals.isEmpty()) {
      return Optional.of(refusals.getFirst().toString());
    }
    if (function.addressWidth() < LEAST_ADDRESS_WIDTH) {
      return Optional.of(
          "its addresses have %d bits, and %d are needed"
              .formatted(function.addressWidth(), LEAST_ADDRESS_WIDTH));
    }
    return function.teeBars().stream()
        .filter(bar -> !bar.wide() || Long.compareUnsigned(bar.address(), LOW_END) < 0)
        .findFirst()
        .map(bar ->
            "BAR%d has TEE memory and is not a 64-bit BAR above 4 GiB (0x%x)"
                .formatted(bar.index(), bar.address()));
  }

  /**
   * Why it does not let an interface run: before that, all TEE memory must be mapped as private
   * MMIO. Empty if it does.
   */
  static Optional<String> startRefusal(TeeFunction function, KvmReference vm) {
    for (TeeFunction.TeeBar bar : function.teeBars()) {
      List<BarRange> mapped = vm.privateSlots(function, bar.index());
      for (BarRange tee : function.teeRanges(bar.index())) {
        long at = covered(mapped, tee);
        if (at < tee.offset() + tee.bytes()) {
          return Optional.of(
              "the interface does not run: BAR%d+0x%x is TEE memory and not mapped private"
                  .formatted(bar.index(), at));
        }
      }
    }
    return Optional.empty();
  }

  /** How many bytes of a range are covered, from its start on. */
  private static long covered(List<BarRange> mapped, BarRange wanted) {
    long at = wanted.offset();
    boolean more = true;
    while (more) {
      long from = at;
      at =
          mapped.stream()
              .filter(one -> one.offset() <= from && from < one.offset() + one.bytes())
              .mapToLong(one -> one.offset() + one.bytes())
              .max()
              .orElse(from);
      more = at > from;
    }
    return at;
  }
}
