package dev.iolite.mock.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_tdx_capabilities;
import dev.iolite.uapi.kvm.kvm_tdx_cmd;
import dev.iolite.uapi.kvm.kvm_tdx_init_mem_region;
import dev.iolite.uapi.kvm.kvm_tdx_init_vm;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** arch/x86/kvm/vmx/tdx.c. */
class TdxVmTest {
  private static final long PAGE = RawKvm.PAGE;
  private static final int EINVAL = Errno.EINVAL.negated();
  private static final long UNSUPPORTED = 0x8000_0000_0000_0003L;

  private final List<Long> seen = new ArrayList<>();
  private long firmware;
  private RawKvm kvm = new RawKvm(MockKernel.plain());
  private int vm;

  private void host(GuestScript script) {
    kvm =
        new RawKvm(
            MockKernel.builder()
                .platform(Platform.TDX)
                .guests((_, _) -> Optional.of(script))
                .firmware(call -> call.equals("TDH_MNG_CREATE") ? 0 : firmware)
                .build());
    vm = kvm.createVm(Kvm.KVM_X86_TDX_VM());
  }

  private int command(int fd, int id, long flags, long data) {
    MemorySegment command = kvm.allocate(kvm_tdx_cmd.sizeof());
    kvm_tdx_cmd.id(command, id);
    kvm_tdx_cmd.flags(command, (int) flags);
    kvm_tdx_cmd.data(command, data);
    int result = kvm.call(fd, Kvm.KVM_MEMORY_ENCRYPT_OP(), command);
    firmware = kvm_tdx_cmd.hw_error(command);
    return result;
  }

  private int init(int addressBits, int leaf) {
    MemorySegment init = kvm.allocate(kvm_tdx_init_vm.sizeof() + 2 * kvm_cpuid_entry2.sizeof());
    kvm_cpuid2.nent(kvm_tdx_init_vm.cpuid(init), 2);
    MemorySegment entries = init.asSlice(kvm_tdx_init_vm.sizeof());
    kvm_cpuid_entry2.function(kvm_cpuid_entry2.asSlice(entries, 0), 0x8000_0008);
    kvm_cpuid_entry2.eax(kvm_cpuid_entry2.asSlice(entries, 0), addressBits << 16);
    kvm_cpuid_entry2.function(kvm_cpuid_entry2.asSlice(entries, 1), leaf);
    return command(vm, Kvm.KVM_TDX_INIT_VM(), 0, init.address());
  }

  /** A finalized domain with a slot of two pages at 0x1000, the first private, and one vCPU. */
  private int domain() {
    assertThat(init(48, 1)).isZero();
    assertThat(kvm.enable(vm, Kvm.KVM_CAP_SPLIT_IRQCHIP(), 24)).isZero();
    assertThat(kvm.enable(vm, Kvm.KVM_CAP_EXIT_HYPERCALL(), 1 << 12)).isZero();
    int vcpu = kvm.createVcpu(vm, 0);
    showX2apic(vcpu);
    assertThat(command(vcpu, Kvm.KVM_TDX_INIT_VCPU(), 0, 0)).isZero();
    int file = kvm.guestMemfd(vm, 2 * PAGE, 0);
    long ram = kvm.memory(2 * PAGE);
    assertThat(kvm.region(vm, 0, Kvm.KVM_MEM_GUEST_MEMFD(), 0x1000, 2 * PAGE, ram, file, 0))
        .isZero();
    assertThat(kvm.makePrivate(vm, 0x1000, PAGE)).isZero();
    long source = kvm.memory(PAGE);
    kvm.memoryAt(source, PAGE).set(ValueLayout.JAVA_INT, 0, 0xcafe);
    assertThat(addMemory(vcpu, source, 0x1000, 1)).isEqualTo("0 0x2000 0");
    assertThat(addMemory(vcpu, source, 0x1000, 1)).isEqualTo("-5 0x1000 1");
    assertThat(addMemory(vcpu, source, 0x2000, 1)).isEqualTo("-22 0x2000 1");
    assertThat(addMemory(vcpu, source, 1L << 47, 1)).isEqualTo("-22 0x800000000000 1");
    assertThat(command(vm, Kvm.KVM_TDX_FINALIZE_VM(), 0, 0)).isZero();
    return vcpu;
  }

  /** Gives a vCPU a CPUID that has nothing but x2APIC. */
  private void showX2apic(int vcpu) {
    MemorySegment cpuid = kvm.allocate(kvm_cpuid2.sizeof() + kvm_cpuid_entry2.sizeof());
    kvm_cpuid2.nent(cpuid, 1);
    MemorySegment entry = cpuid.asSlice(kvm_cpuid2.sizeof());
    kvm_cpuid_entry2.function(entry, 1);
    kvm_cpuid_entry2.ecx(entry, 1 << 21);
    assertThat(kvm.call(vcpu, Kvm.KVM_SET_CPUID2(), cpuid)).isZero();
  }

  private String addMemory(int vcpu, long source, long gpa, long pages) {
    MemorySegment region = kvm.allocate(kvm_tdx_init_mem_region.sizeof());
    kvm_tdx_init_mem_region.source_addr(region, source);
    kvm_tdx_init_mem_region.gpa(region, gpa);
    kvm_tdx_init_mem_region.nr_pages(region, pages);
    int result = command(vcpu, Kvm.KVM_TDX_INIT_MEM_REGION(), 0, region.address());
    return "%d 0x%x %d"
        .formatted(
            result, kvm_tdx_init_mem_region.gpa(region), kvm_tdx_init_mem_region.nr_pages(region));
  }

  @Test
  void otherVmsKnowNoSuchCommand() {
    host(GuestScript.builder().build());
    int plain = kvm.createVm(Kvm.KVM_X86_DEFAULT_VM());
    assertThat(command(plain, Kvm.KVM_TDX_CAPABILITIES(), 0, 0)).isEqualTo(Errno.ENOTTY.negated());
    assertThat(command(kvm.createVcpu(plain, 0), Kvm.KVM_TDX_INIT_VCPU(), 0, 0)).isEqualTo(EINVAL);
  }

  @Test
  void capabilitiesNeedRoomForEveryLeaf() {
    host(GuestScript.builder().build());
    MemorySegment capabilities =
        kvm.allocate(kvm_tdx_capabilities.sizeof() + 8 * kvm_cpuid_entry2.sizeof());
    long at = capabilities.address();
    assertThat(command(vm, Kvm.KVM_TDX_CAPABILITIES(), 1, at)).isEqualTo(EINVAL);
    assertThat(command(vm, Kvm.KVM_TDX_CAPABILITIES(), 0, 8)).isEqualTo(Errno.EFAULT.negated());
    assertThat(command(vm, Kvm.KVM_TDX_CAPABILITIES(), 0, at)).isEqualTo(Errno.E2BIG.negated());
    kvm_cpuid2.nent(kvm_tdx_capabilities.cpuid(capabilities), 8);
    assertThat(command(vm, Kvm.KVM_TDX_CAPABILITIES(), 0, at)).isZero();
    assertThat(kvm_cpuid2.nent(kvm_tdx_capabilities.cpuid(capabilities))).isEqualTo(4);
  }

  @Test
  void aDomainIsInitializedOnceAndBeforeItsVcpus() {
    host(GuestScript.builder().build());
    assertThat(kvm.createVcpu(vm, 0)).isEqualTo(Errno.EIO.negated());
    assertThat(command(vm, Kvm.KVM_TDX_FINALIZE_VM(), 0, 0)).isEqualTo(EINVAL);
    assertThat(init(47, 1)).isEqualTo(EINVAL);
    assertThat(init(48, 0x1234)).isEqualTo(EINVAL);
    assertThat(init(48, 1)).isZero();
    assertThat(init(48, 1)).isEqualTo(EINVAL);
    assertThat(kvm.createVcpu(vm, 0)).isEqualTo(EINVAL);
    assertThat(kvm.enable(vm, Kvm.KVM_CAP_SPLIT_IRQCHIP(), 24)).isZero();
    int vcpu = kvm.createVcpu(vm, 0);
    assertThat(kvm.enter(vcpu)).isEqualTo(EINVAL);
    assertThat(command(vcpu, Kvm.KVM_TDX_INIT_VCPU(), 1, 0)).isEqualTo(EINVAL);
    assertThat(command(vcpu, Kvm.KVM_TDX_INIT_VCPU(), 0, 0)).as("no x2APIC").isEqualTo(EINVAL);
    showX2apic(vcpu);
    assertThat(command(vcpu, Kvm.KVM_TDX_INIT_VCPU(), 0, 0)).isZero();
    assertThat(command(vcpu, Kvm.KVM_TDX_INIT_VCPU(), 0, 0)).isEqualTo(EINVAL);
    assertThat(command(vm, Kvm.KVM_TDX_FINALIZE_VM(), 0, 0)).isZero();
    assertThat(command(vm, Kvm.KVM_TDX_FINALIZE_VM(), 0, 0)).isEqualTo(EINVAL);
    assertThat(kvm.createVcpu(vm, 1)).isEqualTo(Errno.EIO.negated());
  }

  @Test
  void whatTheTdxModuleRefusesIsReported() {
    host(GuestScript.builder().build());
    firmware = 0xc000_0100_0000_0008L;
    assertThat(init(48, 1)).isEqualTo(EINVAL);
    assertThat(firmware).isEqualTo(0xc000_0100_0000_0008L);
    firmware = 0;
    assertThat(init(48, 1)).isZero();
    firmware = 0x8000_0200_0000_0000L;
    assertThat(command(vm, Kvm.KVM_TDX_FINALIZE_VM(), 0, 0)).isEqualTo(Errno.EBUSY.negated());
    firmware = 0x8000_0000_0000_0001L;
    assertThat(command(vm, Kvm.KVM_TDX_FINALIZE_VM(), 0, 0)).isEqualTo(Errno.EIO.negated());
    firmware = 0;
    assertThat(command(vm, Kvm.KVM_TDX_FINALIZE_VM(), 0, 0)).isEqualTo(Errno.EIO.negated());
    assertThat(kvm.region(vm, 0, 0, 0, PAGE, 0)).isEqualTo(Errno.EIO.negated());
  }

  @Test
  void aBitThatTheModuleFixesIsAnInvalidOperand() {
    host(GuestScript.builder().build());
    MemorySegment init = kvm.allocate(kvm_tdx_init_vm.sizeof() + 2 * kvm_cpuid_entry2.sizeof());
    kvm_cpuid2.nent(kvm_tdx_init_vm.cpuid(init), 2);
    MemorySegment entries = init.asSlice(kvm_tdx_init_vm.sizeof());
    kvm_cpuid_entry2.function(entries, 0x8000_0008);
    kvm_cpuid_entry2.eax(entries, 48 << 16);
    MemorySegment features = kvm_cpuid_entry2.asSlice(entries, 1);
    kvm_cpuid_entry2.function(features, 7);
    for (int unsupported : new int[] {1 << 4, 1 << 11}) {
      kvm_cpuid_entry2.ebx(features, unsupported);
      assertThat(command(vm, Kvm.KVM_TDX_INIT_VM(), 0, init.address())).isEqualTo(EINVAL);
      assertThat(firmware).as("KVM refuses TSX itself").isZero();
    }
    kvm_cpuid_entry2.ebx(features, 1);
    assertThat(command(vm, Kvm.KVM_TDX_INIT_VM(), 0, init.address())).isEqualTo(EINVAL);
    assertThat(firmware).isEqualTo(0xc000_0100_0000_0000L);
    firmware = 0;
    kvm_cpuid_entry2.ebx(features, 0);
    kvm_cpuid_entry2.ecx(features, 1 << 5);
    assertThat(command(vm, Kvm.KVM_TDX_INIT_VM(), 0, init.address())).isEqualTo(EINVAL);
    assertThat(firmware).as("nor WAITPKG").isZero();
    kvm_cpuid_entry2.ecx(features, 0);
    assertThat(command(vm, Kvm.KVM_TDX_INIT_VM(), 0, init.address())).isZero();
  }

  @Test
  void nothingOfItIsSeenOrShared() {
    host(GuestScript.builder().build());
    int vcpu = domain();
    assertThat(kvm.kernel.ioctl(vcpu, Kvm.KVM_GET_REGS(), kvm.allocate(512).address()))
        .isEqualTo(EINVAL);
    assertThat(kvm.kernel.ioctl(vcpu, Kvm.KVM_SET_SREGS(), kvm.allocate(512).address()))
        .isEqualTo(EINVAL);
    assertThat(kvm.region(vm, 1, Kvm.KVM_MEM_READONLY(), 0x9000, PAGE, 0)).isEqualTo(EINVAL);
    assertThat(kvm.guestMemfd(vm, PAGE, Kvm.GUEST_MEMFD_FLAG_INIT_SHARED())).isEqualTo(EINVAL);
    assertThat(kvm.kernel.ioctl(vm, Kvm.KVM_CREATE_IRQCHIP(), 0)).isEqualTo(Errno.EEXIST.negated());
  }

  @Test
  void accessesThatDoNotFitTheAttributeLeaveUntilItFits() {
    host(
        GuestScript.builder()
            .readPrivate(0x1000, 4, seen::add)
            .writePrivate(0x2000, 4, 7)
            .readShared(0x2000, 4, seen::add)
            .build());
    int vcpu = domain();
    MemorySegment run = kvm.run(vcpu);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("-14 fault 0x2000 0x1000 8");
    assertThat(seen).containsExactly(0xcafeL);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("-14 fault 0x2000 0x1000 8");
    assertThat(kvm.makePrivate(vm, 0x2000, PAGE)).isZero();
    assertThat(kvm.enter(vcpu, run)).isEqualTo("-14 fault 0x2000 0x1000 0");
    assertThat(kvm.attributes(vm, 0x2000, PAGE, 0, 0)).isZero();
    kvm_run.immediate_exit(run, (byte) 1);
    assertThat(kvm.enter(vcpu)).isEqualTo(Errno.EINTR.negated());
  }

  @Test
  void privateAccessesFindNothingBehindASlotWithoutGuestMemfd() {
    host(GuestScript.builder().readPrivate(0x9000, 4, seen::add).build());
    int vcpu = domain();
    assertThat(kvm.region(vm, 1, 0, 0x9000, PAGE, kvm.memory(PAGE))).isZero();
    assertThat(kvm.makePrivate(vm, 0x9000, PAGE)).isZero();
    MemorySegment run = kvm.run(vcpu);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("-14 fault 0x9000 0x1000 8");
    assertThat(kvm.enter(vcpu, run)).isEqualTo("-14 fault 0x9000 0x1000 8");
  }

  @Test
  void mapGpaIsAskedOfTheOwnerInPieces() {
    host(GuestScript.builder().mapGpa(0x20_0000, 5 << 20, true, seen::add).terminate().build());
    int vcpu = domain();
    MemorySegment run = kvm.run(vcpu);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 hypercall 12 0x200000 512 16");
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 hypercall 12 0x400000 512 16");
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 hypercall 12 0x600000 256 16");
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 event " + Kvm.KVM_SYSTEM_EVENT_TDX_FATAL());
    assertThat(seen).containsExactly(0L);
  }

  @Test
  void anAnswerThatNoGuestUnderstandsIsTheOwnersMistake() {
    host(GuestScript.builder().mapGpa(0x20_0000, PAGE, false, seen::add).terminate().build());
    int vcpu = domain();
    MemorySegment run = kvm.run(vcpu);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 hypercall 12 0x200000 1 0");
    kvm_run.hypercall.ret(kvm_run.hypercall(run), 1);
    assertThat(kvm.enter(vcpu)).isEqualTo(EINVAL);
  }

  @Test
  void onlyThreeCallsReachTheOwnerAndTheOthersAreUnsupported() {
    host(
        GuestScript.builder()
            .tdVmCall(0x1_2345, result -> seen.add(result.getFirst()))
            .tdVmCall(0x10002, result -> seen.add(result.getFirst()), (1L << 47) | 0x5000, PAGE)
            .terminate()
            .build());
    int vcpu = domain();
    MemorySegment run = kvm.run(vcpu);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 reason " + Kvm.KVM_EXIT_TDX());
    MemorySegment tdx = kvm_run.tdx(run);
    assertThat(kvm_run.tdx.nr(tdx)).isEqualTo(0x10002);
    assertThat(kvm_run.tdx.get_quote.gpa(kvm_run.tdx.get_quote(tdx))).isEqualTo(0x5000);
    kvm_run.tdx.get_quote.ret(kvm_run.tdx.get_quote(tdx), 0);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 event " + Kvm.KVM_SYSTEM_EVENT_TDX_FATAL());
    assertThat(seen).containsExactly(UNSUPPORTED, 0L);
  }

  @Test
  void aScriptGoesBackAndEndsTheGuestAtAValueThatItDoesNotExpect() {
    host(
        GuestScript.builder()
            .out(0x10, 1, 5)
            .expectShared(0x2000, 4, 7)
            .readShared(0x2000, 4, seen::add)
            .goTo(0)
            .build());
    int vcpu = domain();
    long ram = kvm.memory(PAGE);
    assertThat(kvm.region(vm, 0, 0, 0, 0, 0)).isZero();
    assertThat(kvm.region(vm, 0, 0, 0x2000, PAGE, ram)).isZero();
    MemorySegment value = kvm.memoryAt(ram, PAGE);
    value.set(ValueLayout.JAVA_INT, 0, 7);
    MemorySegment run = kvm.run(vcpu);
    for (int round = 0; round < 3; round++) {
      assertThat(kvm.enter(vcpu, run)).isEqualTo("0 out 0x10 1");
      assertThat(seen).hasSize(round);
    }
    value.set(ValueLayout.JAVA_INT, 0, 8);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 event " + Kvm.KVM_SYSTEM_EVENT_TDX_FATAL());
    assertThat(seen).containsExactly(7L, 7L);
  }

  @Test
  void aScriptCanLeaveInAWayOfItsOwn() {
    host(
        GuestScript.builder()
            .leave(
                new GuestExit() {
                  @Override
                  public void leave(KvmVm of, MemorySegment kvmRun) {
                    kvm_run.exit_reason(kvmRun, 99);
                  }

                  @Override
                  public void answered(KvmVm of, MemorySegment kvmRun) {
                    seen.add((long) of.type());
                  }
                })
            .out(0x10, 1, 5)
            .in(0x10, 2, seen::add)
            .readShared(0xd000_0000L, 8, seen::add)
            .terminate()
            .build());
    int vcpu = domain();
    MemorySegment run = kvm.run(vcpu);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 reason 99");
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 out 0x10 1");
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 in 0x10 2");
    run.set(ValueLayout.JAVA_SHORT, PAGE, (short) 0x1234);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 mmio 0xd0000000 8 read");
    kvm_run.mmio.data(kvm_run.mmio(run)).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, 77);
    kvm.enter(vcpu);
    assertThat(seen).containsExactly((long) Kvm.KVM_X86_TDX_VM(), 0x1234L, 77L);
  }
}
