package dev.iolite.mock.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_msr_entry;
import dev.iolite.uapi.kvm.kvm_msrs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** The registers of machine checks (arch/x86/kvm/msrs.c:set_msr_mce, get_msr_mce). */
class MachineChecksTest {
  private static final int CONTROL = 0x17b;
  private static final int FIRST_BANK = 0x400;
  private static final long ALL = -1;
  private static final long WITH_CONTROL = 1 << 8;

  private final RawKvm kvm = new RawKvm(MockKernel.plain());
  private final int vcpu = kvm.createVcpu(kvm.createVm(Kvm.KVM_X86_DEFAULT_VM()), 0);

  private void setUp(long features) {
    MemorySegment argument = kvm.allocate(Long.BYTES);
    argument.set(ValueLayout.JAVA_LONG, 0, features);
    assertThat(kvm.call(vcpu, Kvm.KVM_X86_SETUP_MCE(), argument)).isZero();
  }

  private MemorySegment one(int register, long value) {
    MemorySegment registers = kvm.allocate(kvm_msrs.sizeof() + kvm_msr_entry.sizeof());
    kvm_msrs.nmsrs(registers, 1);
    MemorySegment entry = registers.asSlice(kvm_msrs.sizeof());
    kvm_msr_entry.index(entry, register);
    kvm_msr_entry.data(entry, value);
    return registers;
  }

  private boolean takes(int register, long value) {
    return kvm.call(vcpu, Kvm.KVM_SET_MSRS(), one(register, value)) == 1;
  }

  private long get(int register) {
    MemorySegment registers = one(register, 0);
    assertThat(kvm.call(vcpu, Kvm.KVM_GET_MSRS(), registers)).isEqualTo(1);
    return kvm_msr_entry.data(registers.asSlice(kvm_msrs.sizeof()));
  }

  @Test
  void withoutAControlRegisterItIsZero() {
    assertThat(get(CONTROL)).isZero();
    assertThat(takes(CONTROL, ALL)).isFalse();
    assertThat(takes(CONTROL, 0)).isTrue();
  }

  @Test
  void theControlRegisterIsAllOnesOrZero() {
    setUp(WITH_CONTROL | 2);
    assertThat(get(CONTROL)).isEqualTo(ALL);
    assertThat(takes(CONTROL, 1)).isFalse();
    assertThat(get(CONTROL)).isEqualTo(ALL);
    assertThat(takes(CONTROL, 0)).isTrue();
    assertThat(get(CONTROL)).isZero();
    assertThat(takes(CONTROL, ALL)).isTrue();
    assertThat(get(CONTROL)).isEqualTo(ALL);
  }

  @Test
  void aBanksControlRegisterMayLackTwoBits() {
    setUp(2);
    assertThat(get(FIRST_BANK)).isEqualTo(ALL);
    assertThat(takes(FIRST_BANK, ALL & ~(1 << 10 | 1))).isTrue();
    assertThat(get(FIRST_BANK)).isEqualTo(ALL & ~(1 << 10 | 1));
    assertThat(takes(FIRST_BANK, ALL & ~2)).isFalse();
    assertThat(takes(FIRST_BANK, 0)).isTrue();
    assertThat(takes(FIRST_BANK + 2 * 4, 0)).as("a bank that is not there").isFalse();
  }
}
