package dev.iolite.examples;

import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;

/** Runs a guest that writes "hello" to an I/O port, byte by byte, and halts. */
public final class HelloFromGuest {
  private static final long GPA = 0x1000;
  private static final long BYTES = 0x1000;
  private static final int PORT = 0xe9;

  /** 16-bit code: writes the bytes from GPA + 0x100 to the port, up to the first 0. */
  private static final byte[] CODE =
      HexFormat.of()
          .parseHex(
              "be0011" // mov si, 0x1100
                  + "ac" // next: lodsb
                  + "08c0" // or al, al
                  + "7404" // jz end
                  + "e6e9" // out 0xe9, al
                  + "ebf7" // jmp next
                  + "f4"); // end: hlt

  private HelloFromGuest() {}

  /** Runs the guest on the model's KVM. */
  public static void main(String[] args) {
    try (MockKernel kernel = MockKernel.plain()) {
      System.out.println(run(kernel));
    }
  }

  /** Makes a VM with one memory slot and one vCPU, runs it, and returns what it printed. */
  static String run(Kernel kernel) {
    try (Kvm kvm = Kvm.open(kernel);
        Mapping memory = Mapping.anonymous(kernel, BYTES);
        Vm vm = kvm.createVm(VmType.DEFAULT)) {
      MemorySegment.copy(MemorySegment.ofArray(CODE), 0, memory.segment(), 0, CODE.length);
      memory.segment().setString(0x100, "hello", StandardCharsets.US_ASCII);
      Vcpu vcpu = vm.createVcpu(0, vm.addSlot(GPA, BYTES, memory.address()));
      vcpu.enterRealMode(GPA);
      StringBuilder printed = new StringBuilder();
      Exit last =
          vcpu.run(
              Duration.ofSeconds(10),
              exit -> {
                if (exit instanceof Exit.IoOut out && out.port() == PORT) {
                  printed.append((char) out.value());
                  return true;
                }
                return false;
              });
      if (!(last instanceof Exit.Hlt)) {
        throw new IllegalStateException("the guest was to halt, but left with " + last);
      }
      return printed.toString();
    }
  }
}
