package dev.iolite.passthrough;

import dev.iolite.kvm.Exit;
import dev.iolite.kvm.RealModeCode;
import dev.iolite.kvm.RealModeCode.Register;
import dev.iolite.kvm.Vcpu;
import dev.iolite.steps.ScenarioException;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * A guest that reads a 32-bit register of the device, reports the value to the host, writes another
 * register, and halts.
 */
final class GuestProgram {
  private static final int REPORT_PORT = 0x3f8;
  private static final long CODE_GPA = 0x1000;
  private static final Duration DEADLINE = Duration.ofSeconds(20);

  private GuestProgram() {}

  /**
   * Runs it.
   *
   * @param readGpa the register to read, below 4 GiB
   * @param writeGpa the register to write, below 4 GiB
   * @param value what to write
   * @param stop whether to stop the guest
   * @return what it read
   * @throws ScenarioException if the guest did anything else
   */
  static int run(
      Assignment assignment, long readGpa, long writeGpa, int value, BooleanSupplier stop) {
    new RealModeCode()
        .load(readGpa)
        .out(REPORT_PORT)
        .set(Register.EAX, value)
        .store(writeGpa)
        .halt()
        .copyTo(assignment.ram(), CODE_GPA);
    try (Vcpu vcpu = assignment.vm().createVcpu(0, assignment.ramSlot())) {
      vcpu.enterRealMode(CODE_GPA);
      Exit report = vcpu.run(DEADLINE, stop, _ -> false);
      if (!(report instanceof Exit.IoOut out && out.port() == REPORT_PORT)) {
        throw new ScenarioException("the guest was to report what it read, but made: " + report);
      }
      int read = out.value();
      Exit last = vcpu.run(DEADLINE, stop, _ -> false);
      if (!(last instanceof Exit.Hlt)) {
        throw new ScenarioException("the guest was to halt, but made: " + last);
      }
      return read;
    }
  }
}
