package dev.iolite.bench;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** A guest's port input, answered; scripts/bench compares it with the same loop in C. */
public class ExitBenchmark extends FastestWindow {
  private static final int EXITS = 512;
  private static final long GPA = 0x1000;
  private static final long PAGE = 0x1000;

  /** next: in al, dx; jmp next. */
  private static final byte[] CODE = {(byte) 0xec, (byte) 0xeb, (byte) 0xfd};

  private final CloseStack open = new CloseStack();
  private @Nullable Vcpu vcpu;
  private int exits;

  /** Makes the guest. */
  @Setup
  public void start() {
    Kernel kernel = new HostKernel();
    Kvm kvm = open.push(Kvm.open(kernel));
    Mapping ram = open.push(Mapping.anonymous(kernel, PAGE));
    ram.segment().asSlice(0, CODE.length).copyFrom(MemorySegment.ofArray(CODE));
    Vm vm = open.push(kvm.createVm(VmType.DEFAULT));
    Vcpu made = vm.createVcpu(0, vm.addSlot(GPA, PAGE, ram.address()));
    made.enterRealMode(GPA);
    vcpu = made;
  }

  /** Many exits in one run, as a guest makes them. */
  @Benchmark
  @OperationsPerInvocation(EXITS)
  public Exit exit() {
    exits = 0;
    return vcpu().run(Duration.ofMinutes(1), this::answer);
  }

  private boolean answer(Exit exit) {
    respond(exit, exits);
    return ++exits < EXITS;
  }

  static void respond(Exit exit, int value) {
    if (!(exit instanceof Exit.IoIn in)) {
      throw new IllegalStateException("another exit: " + exit);
    }
    in.respond(value);
  }

  Vcpu vcpu() {
    return Objects.requireNonNull(vcpu);
  }

  /** Closes the guest. */
  @TearDown
  public void stop() {
    open.close();
  }
}
