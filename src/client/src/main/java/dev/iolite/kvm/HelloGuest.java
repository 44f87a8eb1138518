package dev.iolite.kvm;

import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kvm.RealModeCode.Register;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * A minimal guest that shows that KVM works: it prints a text through an I/O port and halts. It
 * needs no file other than {@code /dev/kvm}.
 *
 * <p>Safe for use by several threads.
 */
public final class HelloGuest {
  /** The longest text that it can print, in bytes as UTF-8. */
  public static final int MOST_BYTES = 4080;

  private static final int PORT = 0x3f8;
  private static final long GPA = 0x1000;
  private static final long BYTES = 0x1000;

  private static final int CODE_BYTES = 15;

  /**
   * What the guest did.
   *
   * @param text what it printed
   * @param exits how often it left for the host: once for each byte and once for the halt
   */
  public record Result(String text, int exits) {}

  private HelloGuest() {}

  /**
   * Runs a guest that prints a text.
   *
   * @param text what to print: at most {@link #MOST_BYTES} as UTF-8, without NUL characters
   * @param deadline how long it may take
   * @throws IllegalArgumentException if the text is too long or has a NUL character
   * @throws IllegalStateException if the guest did anything else
   * @throws GuestDeadlineException if it did not halt in time
   * @throws dev.iolite.kernel.KernelException what the kernel said
   */
  public static Result run(Kernel kernel, String text, Duration deadline) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (text.indexOf('\0') >= 0 || bytes.length > MOST_BYTES) {
      throw new IllegalArgumentException(
          "the guest can't print a text of " + bytes.length + " bytes, or one with NUL characters");
    }
    try (Kvm kvm = Kvm.open(kernel);
        Mapping ram = Mapping.anonymous(kernel, BYTES);
        Vm vm = kvm.createVm(VmType.DEFAULT)) {
      code().copyTo(ram.segment(), 0);
      MemorySegment.copy(MemorySegment.ofArray(bytes), 0, ram.segment(), CODE_BYTES, bytes.length);
      Vcpu vcpu = vm.createVcpu(0, vm.addSlot(GPA, BYTES, ram.address()));
      vcpu.enterRealMode(GPA);
      var printed = new Printed();
      Exit last = vcpu.run(deadline, printed::add);
      if (!(last instanceof Exit.Hlt)) {
        throw new IllegalStateException("the guest was to print and halt, but made: " + last);
      }
      return new Result(printed.bytes.toString(StandardCharsets.UTF_8), printed.exits);
    }
  }

  /** The guest's code, which the text follows. */
  private static RealModeCode code() {
    return new RealModeCode()
        .setLow(Register.ESI, (int) GPA + CODE_BYTES)
        .setLow(Register.EDX, PORT)
        .put(0xac) // next: lodsb
        .put(0x84, 0xc0) // test al, al
        .put(0x74, 0x03) // jz done
        .put(0xee) // out dx, al
        .put(0xeb, 0xf8) // jmp next
        .halt(); // done:
  }

  private static final class Printed {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private int exits;

    boolean add(Exit exit) {
      exits++;
      if (exit instanceof Exit.IoOut out && out.port() == PORT) {
        bytes.write(out.value());
        return true;
      }
      return false;
    }
  }
}
