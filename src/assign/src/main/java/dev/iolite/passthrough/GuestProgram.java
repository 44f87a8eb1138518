package dev.iolite.passthrough;

import dev.iolite.kvm.Exit;
import dev.iolite.kvm.Vcpu;
import dev.iolite.steps.ScenarioException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;

/**
 * A guest that reads a 32-bit register of the device, tells the host what it read, writes another
 * register, and halts.
 */
final class GuestProgram {
  private static final int REPORT_PORT = 0x3f8;
  private static final long CODE_GPA = 0x1000;
  private static final int CODE_BYTES = 32;
  private static final Duration DEADLINE = Duration.ofSeconds(20);

  private GuestProgram() {}

  /**
   * Runs it.
   *
   * @param readGpa the register to read, below 4 GiB
   * @param writeGpa the register to write, below 4 GiB
   * @param value what to write
   * @return what it read
   * @throws ScenarioException if the guest did anything else
   */
  static int run(Assignment assignment, long readGpa, long writeGpa, int value) {
    MemorySegment code = MemorySegment.ofArray(code(readGpa, writeGpa, value));
    MemorySegment.copy(code, 0, assignment.ram(), CODE_GPA, CODE_BYTES);
    try (Vcpu vcpu = assignment.vm().createVcpu(0, assignment.ramSlot())) {
      vcpu.enterRealMode(CODE_GPA);
      Exit report = vcpu.run(DEADLINE);
      if (!(report instanceof Exit.IoOut out && out.port() == REPORT_PORT)) {
        throw new ScenarioException("the guest was to report what it read, but made: " + report);
      }
      int read = out.value();
      Exit last = vcpu.run(DEADLINE);
      if (!(last instanceof Exit.Hlt)) {
        throw new ScenarioException("the guest was to halt, but made: " + last);
      }
      return read;
    }
  }

  private static byte[] code(long readGpa, long writeGpa, int value) {
    return ByteBuffer.allocate(CODE_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(new byte[] {0x67, 0x66, (byte) 0xa1}) // mov eax, [readGpa]
        .putInt((int) readGpa)
        .put((byte) 0xba) // mov dx, REPORT_PORT
        .putShort((short) REPORT_PORT)
        .put(new byte[] {0x66, (byte) 0xef}) // out dx, eax
        .put(new byte[] {0x67, 0x66, (byte) 0xc7, 0x05}) // mov dword [writeGpa], value
        .putInt((int) writeGpa)
        .putInt(value)
        .put((byte) 0xf4) // hlt
        .array();
  }
}
