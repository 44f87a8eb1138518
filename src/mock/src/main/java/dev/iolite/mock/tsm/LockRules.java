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

  /** What must be right before an interface runs. */
  @FunctionalInterface
  private interface StartCheck {
    Optional<String> refusal(TeeFunction function, KvmReference vm);
  }

  /** What must be right of an interface that was locked. */
  @FunctionalInterface
  private interface Check {
    Optional<String> refusal(TeeFunction function, byte[] report);
  }

  private LockRules(LongSupplier reportingOffsets, Check check, StartCheck startCheck) {
    this.reportingOffsets = reportingOffsets;
    this.check = check;
    this.startCheck = startCheck;
  }

  /** A TSM in software: addresses are reported as they are. */
  public static LockRules software() {
    return new LockRules(() -> 0, (_, _) -> Optional.empty(), (_, _) -> Optional.empty());
  }

  /**
   * A TDX module, for which Linux takes the first reported range of a BAR for the BAR's start.
   *
   * @param seed what its choices follow from
   */
  public static LockRules tdx(long seed) {
    return new LockRules(ReportingOffsets.any(seed), TdxModule::refusal, TdxModule::startRefusal);
  }

  /**
   * The secure processor of a SEV-TIO host, for which Linux places reported ranges by alignment; as
   * {@link #tdx}.
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
   * Why the platform does not take an interface that was locked.
   *
   * @param report its DEVICE_INTERFACE_REPORT
   * @return empty if it takes it
   */
  Optional<String> refusal(TeeFunction function, byte[] report) {
    return check.refusal(function, report);
  }

  /** Why the platform does not let a locked interface run in a VM; empty if it does. */
  Optional<String> startRefusal(TeeFunction function, KvmReference vm) {
    return startCheck.refusal(function, vm);
  }
}
