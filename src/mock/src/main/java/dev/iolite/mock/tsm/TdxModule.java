package dev.iolite.mock.tsm;

import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.InterfaceFlag;
import dev.iolite.tsm.TdxRefusal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/**
 * What a TDX module demands of a locked interface before it accepts it: Intel's guide to TEE-IO
 * devices, table A-5.
 */
final class TdxModule {
  private static final int MSIX_CONTROL_AT = 4;
  private static final int LNR_CONTROL_AT = 6;
  private static final int TPH_CONTROL_AT = 8;
  private static final long LOW_END = 1L << 32;

  private TdxModule() {}

  /**
   * Why it does not take an interface; empty if it does.
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
    return function.teeBars().stream()
        .filter(bar -> !bar.wide() || Long.compareUnsigned(bar.address(), LOW_END) < 0)
        .findFirst()
        .map(bar ->
            "BAR%d has TEE memory and is not a 64-bit BAR above 4 GiB (0x%x)"
                .formatted(bar.index(), bar.address()));
  }
}
