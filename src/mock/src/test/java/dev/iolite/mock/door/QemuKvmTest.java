package dev.iolite.mock.door;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.mock.MockKernel;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * QEMU runs a machine on the model's KVM: it sets up interrupt controllers, slots, CPUID, MSRs and
 * all registers, and serves the devices that the guest reaches. The guest is a firmware in 16-bit
 * code, which is all that the model's processors know.
 */
@Timeout(120)
class QemuKvmTest {
  private static final int ROM_BYTES = 1 << 16;
  private static final int RESET = 0xfff0;
  private static final int HLT = 0xf4;

  /** jmp to the start of the ROM. */
  private static final byte[] JUMP = {(byte) 0xe9, 0x0d, 0};

  /** Of QEMU's device isa-debug-exit, whose exit status is odd: 2 * 16 + 1. */
  private static final int EXIT = 33;

  @TempDir private Path directory;

  @BeforeAll
  static void onlyWithQemu() throws Exception {
    assumeTrue(
        CProgram.runHere(List.of("sh", "-c", "command -v qemu-system-x86_64")).status() == 0,
        "there is no qemu-system-x86_64: apt-get install qemu-system-x86");
  }

  /** Writes to the serial port, and ends the machine. */
  private static byte[] rom(String text) {
    ByteArrayOutputStream code = new ByteArrayOutputStream();
    code.writeBytes(new byte[] {(byte) 0xba, (byte) 0xf8, 0x03}); // mov dx, 0x3f8
    for (byte each : text.getBytes(StandardCharsets.US_ASCII)) {
      code.writeBytes(new byte[] {(byte) 0xb0, each, (byte) 0xee}); // mov al, each; out dx, al
    }
    code.writeBytes(new byte[] {(byte) 0xb0, 0x10, (byte) 0xe6, (byte) 0xf4}); // out 0xf4, 0x10
    byte[] rom = new byte[ROM_BYTES];
    Arrays.fill(rom, (byte) HLT);
    System.arraycopy(code.toByteArray(), 0, rom, 0, code.size());
    System.arraycopy(JUMP, 0, rom, RESET, JUMP.length);
    return rom;
  }

  private CProgram.Run run(byte[] rom) throws Exception {
    Files.write(directory.resolve("rom"), rom);
    String script =
        """
        exec < /dev/null > %1$s/output 2> %1$s/errors
        exec qemu-system-x86_64 -accel kvm -m 64 -nodefaults -nographic -no-reboot -bios %1$s/rom \
          -serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 -action panic=exit-failure
        """
            .formatted(directory);
    int status =
        new Door(MockKernel.builder(), (kernel, _) -> kernel).run(List.of("sh", "-c", script));
    return new CProgram.Run(status, Files.readString(directory.resolve("output")));
  }

  @Test
  void aFirmwareWritesToQemusSerialPort() throws Exception {
    assertEquals(new CProgram.Run(EXIT, "hello\n"), run(rom("hello\n")));
  }
}
