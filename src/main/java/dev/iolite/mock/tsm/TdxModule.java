package dev.iolite.mock.tsm;

import dev.iolite.mock.core.TeeFunction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * What a TDX module demands of a locked interface before it accepts it: Intel's guide to TEE-IO
 * devices, table A-5.
 */
final class TdxModule {
  private static final int DMA_WITHOUT_PASID = 1 << 1;
  private static final int DMA_WITH_PASID = 1 << 2;
  private static final int ATS = 1 << 3;
  private static final int PRS = 1 << 4;
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
    int info = head.getShort(0);
    if ((info & DMA_WITHOUT_PASID) == 0) {
      return Optional.of("it makes no DMA without PASIDs");
    }
    if ((info & (DMA_WITH_PASID | ATS | PRS)) != 0) {
      return Optional.of("it uses PASIDs, ATS or PRS");
    }
    if (head.getShort(MSIX_CONTROL_AT) != 0
        || head.getShort(LNR_CONTROL_AT) != 0
        || head.getInt(TPH_CONTROL_AT) != 0) {
      return Optional.of("MSI-X, LNR or TPH control is not 0");
    }
    return function.teeBars().stream()
        .filter(bar -> !bar.wide() || Long.compareUnsigned(bar.address(), LOW_END) < 0)
        .findFirst()
        .map(bar ->
            "BAR%d has TEE memory and is not a 64-bit BAR above 4 GiB (0x%x)"
                .formatted(bar.index(), bar.address()));
  }
}
