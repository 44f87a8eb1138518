package dev.iolite.mock.tsm;

import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.TeeFunction;
import java.util.Optional;
import java.util.function.LongSupplier;

/** How a platform's TSM locks interfaces. */
public final class LockRules {
  private final LongSupplier reportingOffsets;
  private final Check check;
  private final StartCheck startCheck;

  /** A check before an interface runs. */
  @FunctionalInterface
  private interface StartCheck {
    Optional<String> refusal(TeeFunction function, KvmReference vm);
  }

  /** A check of an interface that was locked. */
  @FunctionalInterface
  private interface Check {
    Optional<String> refusal(TeeFunction function, byte[] report);
  }

  private LockRules(LongSupplier reportingOffsets, Check check, StartCheck startCheck) {
    this.reportingOffsets = reportingOffsets;
    this.check = check;
    this.startCheck = startCheck;
  }

  /** The rules of a TSM in software: addresses are reported unchanged. */
  public static LockRules software() {
    return new LockRules(() -> 0, (_, _) -> Optional.empty(), (_, _) -> Optional.empty());
  }

  /**
   * The rules of a TDX module, for which Linux takes the first reported range of a BAR as the BAR's
   * start.
   *
   * @param seed determines its choices
   */
  public static LockRules tdx(long seed) {
    return new LockRules(ReportingOffsets.any(seed), TdxModule::refusal, TdxModule::startRefusal);
  }

  /**
   * The rules of the secure processor of a SEV-TIO host, for which Linux places reported ranges by
   * alignment; the parameter is that of {@link #tdx}.
   */
  public static LockRules sev(long seed) {
    return new LockRules(
        ReportingOffsets.aligned(seed), (_, _) -> Optional.empty(), (_, _) -> Optional.empty());
  }

  /** The MMIO_REPORTING_OFFSET of the next lock. */
  long nextReportingOffset() {
    return reportingOffsets.getAsLong();
  }

  /**
   * Why the platform does not accept an interface that was locked.
   *
   * @param report its DEVICE_INTERFACE_REPORT
   * @return the reason; empty if it accepts the interface
   */
  Optional<String> refusal(TeeFunction function, byte[] report) {
    return check.refusal(function, report);
  }

  /** Why the platform does not let a locked interface run in a VM; empty if it does. */
  Optional<String> startRefusal(TeeFunction function, KvmReference vm) {
    return startCheck.refusal(function, vm);
  }
}
