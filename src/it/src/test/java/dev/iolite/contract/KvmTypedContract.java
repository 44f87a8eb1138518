package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kvm.Capability;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.uapi.catalog.Ioctl;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Cases that call KVM by the client's typed methods. */
abstract class KvmTypedContract extends KvmContract {
  /** Long enough for any guest of the contract, on any machine. */
  static final Duration PATIENCE = Duration.ofMinutes(2);

  KvmTypedContract(Backend backend) {
    super(backend);
  }

  final Kvm typedKvm() {
    return closed(Kvm.open(kernel));
  }

  /** Closes it when the case ends. */
  final <T extends AutoCloseable> T closed(T opened) {
    atEnd(() -> {
      try {
        opened.close();
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    });
    return opened;
  }

  /** A VM of the plain type. */
  final Vm typedVm() {
    return closed(typedKvm().createVm(VmType.DEFAULT));
  }

  final Vcpu typedVcpu(Vm vm) {
    return vm.createVcpu(0);
  }

  /** A slot with memory of its own. */
  final MemorySlot slot(Vm vm, long gpa, long bytes) {
    return vm.addSlot(gpa, bytes, closed(Mapping.anonymous(kernel, bytes)).address());
  }

  /** A vCPU that is about to run this 16-bit code. */
  final Vcpu running(Vm vm, int... code) {
    Mapping ram = closed(Mapping.anonymous(kernel, PAGE));
    for (int i = 0; i < code.length; i++) {
      ram.segment().set(ValueLayout.JAVA_BYTE, i, (byte) code[i]);
    }
    Vcpu vcpu = vm.createVcpu(0, vm.addSlot(CODE, PAGE, ram.address()));
    vcpu.enterRealMode(CODE);
    return vcpu;
  }

  /** Skips the case where a VM does not have a capability. */
  final void assumeOffered(Vm vm, Capability capability) {
    assumeTrue(
        vm.check(capability) != 0, () -> backend.name() + " does not offer " + capability.name());
  }

  static void refused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            KernelException.class,
            e -> {
              if (e.errno() != errno) {
                throw new AssertionError("not " + errno + ": " + e.getMessage(), e);
              }
            });
  }

  final int raw(Vm vm, Ioctl command, MemorySegment argument) {
    return ioctl(vm.fd().number(), command, argument);
  }

  final int raw(Vcpu vcpu, Ioctl command, MemorySegment argument) {
    return ioctl(vcpu.fd().number(), command, argument);
  }
}
