package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_VCPU;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_CPUID2;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_DEVICE_ATTR;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_REGS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_HAS_DEVICE_ATTR;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_IRQFD;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_RUN;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_DEVICE_ATTR;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Mapping;
import dev.iolite.kvm.Capability;
import dev.iolite.kvm.CpuidEntry;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.GuestDebugFlag;
import dev.iolite.kvm.KvmEvent;
import dev.iolite.kvm.LapicState;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.Msr;
import dev.iolite.kvm.SlotFlag;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.VcpuEvents;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmClock.Moment;
import dev.iolite.kvm.VmDirtyLog;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import dev.iolite.uapi.kvm.kvm_device_attr;
import dev.iolite.uapi.kvm.kvm_irqfd;
import dev.iolite.uapi.kvm.kvm_regs;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_segment;
import dev.iolite.uapi.kvm.kvm_sregs;
import dev.iolite.uapi.kvm.kvm_sync_regs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** What VMMs rely on that others wrote, beyond the other cases; rust-vmm's kvm-ioctls tests it. */
abstract class KvmMonitorContract extends KvmTypedContract {
  private static final int FEATURES = 0x8000_0001;
  private static final int SVM = 1 << 2;
  private static final long FAR_AHEAD = 1L << 50;
  private static final int APART_KHZ = 500_000;
  private static final int ICR = 0x300;

  KvmMonitorContract(Backend backend) {
    super(backend);
  }

  private static CpuidEntry leaf(List<CpuidEntry> entries, int function) {
    return entries.stream().filter(e -> e.function() == function).findFirst().orElseThrow();
  }

  @Test
  void aGuestAsksForSharedMemory() {
    // x86.c:____kvm_emulate_hypercall: KVM_HC_MAP_GPA_RANGE; emulate.c:em_hypercall makes none
    assumeTrue(backend.runsRealMode(), () -> backend.name() + " may emulate the guest");
    Vm vm = typedVm();
    assumeTrue(vm.exitOnMapGpa(), () -> backend.name() + " lets no hypercall leave the guest");
    boolean isAmd = (leaf(typedKvm().supportedCpuid(), FEATURES).ecx() & SVM) != 0;
    // mov eax, 12; mov ebx, 0x1234000; mov ecx, 1; mov edx, 0; vmmcall; out 0x80, eax
    int[] code = {
      0x66, 0xb8, 12, 0, 0, 0, 0x66, 0xbb, 0x00, 0x40, 0x23, 0x01, 0x66, 0xb9, 1, 0, 0, 0, 0x66,
      0xba, 0, 0, 0, 0, 0x0f, 0x01, 0xd9, 0x66, 0xe7, 0x80
    };
    if (!isAmd) {
      code[26] = 0xc1; // vmcall
    }
    Vcpu vcpu = running(vm, code);
    assertThat(vcpu.run(PATIENCE))
        .isInstanceOfSatisfying(
            Exit.Hypercall.class,
            call -> {
              assertThat(call.number()).isEqualTo(12);
              assertThat(call.argument(0)).isEqualTo(0x123_4000);
              assertThat(call.argument(1)).isEqualTo(1);
              assertThat(call.argument(2)).isZero();
              call.respond(-5);
            });
    assertThat(vcpu.run(PATIENCE))
        .isInstanceOfSatisfying(Exit.IoOut.class, out -> assertThat(out.value()).isEqualTo(-5));
  }

  @Test
  void registersAreSetAndReadInTheSharedState() {
    // x86.c:sync_regs, store_regs: inc ax; hlt
    int vm = vm();
    long all = Kvm.KVM_SYNC_X86_REGS() | Kvm.KVM_SYNC_X86_SREGS() | Kvm.KVM_SYNC_X86_EVENTS();
    assumeTrue(
        (check(kvm, Kvm.KVM_CAP_SYNC_REGS()) & all) == all,
        () -> backend.name() + " has no registers in kvm_run");
    int vcpu = vcpuWithCode(vm, 0x40, 0xf4);
    MemorySegment run = stateOf(vcpu);
    kvm_run.kvm_valid_regs(run, all);
    kvm_run.immediate_exit(run, (byte) 1);
    fails(Errno.EINTR, ioctl(vcpu, KVM_RUN, 0));
    kvm_run.immediate_exit(run, (byte) 0);
    MemorySegment regs = kvm_sync_regs.regs(kvm_run.s(run));
    MemorySegment cs = kvm_sregs.cs(kvm_sync_regs.sregs(kvm_run.s(run)));
    assertThat(kvm_regs.rip(regs)).as("an interrupted run stores them, too").isEqualTo(CODE);
    kvm_regs.rax(regs, 0x8000);
    kvm_regs.rip(regs, 0);
    kvm_segment.base(cs, CODE);
    kvm_segment.selector(cs, (short) (CODE >> 4));
    kvm_run.kvm_dirty_regs(run, all);
    succeeds(ioctl(vcpu, KVM_RUN, 0));
    assertThat(kvm_run.exit_reason(run)).isEqualTo(Kvm.KVM_EXIT_HLT());
    assertThat(kvm_run.kvm_dirty_regs(run)).as("they were taken").isZero();
    assertThat(kvm_regs.rax(regs)).isEqualTo(0x8001);
    assertThat(kvm_regs.rip(regs)).isEqualTo(2);
    assertThat(kvm_segment.selector(cs)).isEqualTo((short) (CODE >> 4));
    MemorySegment read = struct(kvm_regs.layout());
    succeeds(ioctl(vcpu, KVM_GET_REGS, read));
    assertThat(read.mismatch(regs)).isEqualTo(-1);
    kvm_regs.rax(regs, 0x1234);
    kvm_run.kvm_valid_regs(run, 0);
    kvm_run.immediate_exit(run, (byte) 1);
    fails(Errno.EINTR, ioctl(vcpu, KVM_RUN, 0));
    assertThat(kvm_regs.rax(regs)).as("nobody asked for them").isEqualTo(0x1234);
  }

  @Test
  void aPageThatIsExecutedCountsAsWrittenTheFirstTime() {
    // mmu/spte.c:make_spte: it is mapped for writing; mov al, 0x5a; mov [0x2000], al; hlt; jmp
    assumeTrue(backend.runsRealMode(), () -> backend.name() + " may emulate the guest");
    Vm vm = typedVm();
    Mapping ram = closed(Mapping.anonymous(kernel, 4 * PAGE));
    byte[] code = {
      (byte) 0xb0, 0x5a, (byte) 0xa2, 0x00, 0x20, (byte) 0xf4, (byte) 0xeb, (byte) 0xf8
    };
    MemorySegment.copy(code, 0, ram.segment(), ValueLayout.JAVA_BYTE, 0, code.length);
    MemorySlot slot = vm.addSlot(CODE, 4 * PAGE, ram.address(), SlotFlag.LOG_DIRTY_PAGES);
    Vcpu vcpu = vm.createVcpu(0, slot);
    vcpu.enterRealMode(CODE);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.Hlt.class);
    MemorySegment dirty = zeros(VmDirtyLog.bitmapBytes(slot));
    vm.dirtyLog().get(slot, dirty);
    assertThat(dirty.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(0b11);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.Hlt.class);
    vm.dirtyLog().get(slot, dirty);
    assertThat(dirty.get(ValueLayout.JAVA_LONG, 0)).as("what is written").isEqualTo(0b10);
  }

  @Test
  void aGuestIsSteppedUntilItIsNoLonger() {
    // svm/svm.c:db_interception, vmx/vmx.c:handle_exception_nmi
    // mov al, 0x5a; add al, 1; out 0x10, al; mov [0x2000], al; hlt; a step that is emulated has no
    // DR7: x86.c:kvm_vcpu_do_singlestep
    assumeTrue(backend.runsRealMode(), () -> backend.name() + " may emulate the guest");
    Vcpu vcpu = running(typedVm(), 0xb0, 0x5a, 0x04, 0x01, 0xe6, 0x10, 0xa2, 0x00, 0x20, 0xf4);
    vcpu.debug().enable(EnumSet.of(GuestDebugFlag.SINGLE_STEP));
    for (long at = CODE + 2; at <= CODE + 4; at += 2) {
      long here = at;
      assertThat(vcpu.run(PATIENCE))
          .isInstanceOfSatisfying(
              Exit.Debug.class,
              step -> {
                assertThat(step.pc()).isEqualTo(here);
                assertThat(step.dr6() & 0xffff).as("one step").isEqualTo(0x4ff0);
                assertThat(step.dr7()).as("no breakpoint").isEqualTo(0x400);
              });
    }
    vcpu.debug().disable();
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.IoOut.class);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.MmioWrite.class);
    assertThat(vcpu.run(PATIENCE)).isInstanceOf(Exit.Hlt.class);
  }

  @Test
  void theRateOfAVcpusTimeStampCounterIsSet() {
    // x86.c:set_tsc_khz
    Vm vm = typedVm();
    assumeOffered(vm, Capability.raw(Kvm.KVM_CAP_TSC_CONTROL()));
    Vcpu vcpu = typedVcpu(vm);
    int rate = vcpu.clock().tscKhz();
    for (int other : new int[] {rate - APART_KHZ, rate + APART_KHZ}) {
      vcpu.clock().setTscKhz(other);
      assertThat(vcpu.clock().tscKhz()).isEqualTo(other);
    }
  }

  @Test
  void theClockOfAVmIsSetBack() {
    // x86.c:kvm_vm_ioctl_set_clock
    Vm vm = typedVm();
    vm.clock().set(Moment.of(FAR_AHEAD));
    assertThat(vm.clock().now().nanos()).isGreaterThanOrEqualTo(FAR_AHEAD);
    vm.clock().set(Moment.of(10));
    assertThat(vm.clock().now().nanos()).isBetween(10L, FAR_AHEAD - 1);
  }

  @Test
  void anEventfdIsForAValueOfAnyWidth() {
    // eventfd.c:kvm_assign_ioeventfd, ioeventfd_in_range
    Vm vm = typedVm();
    for (boolean isPort : new boolean[] {true, false}) {
      for (int bytes : new int[] {1, 2, 4, 8}) {
        EventFd event = closed(EventFd.create(kernel));
        long address = 0xc0 + 8L * bytes;
        OptionalLong match = OptionalLong.of(0x88);
        KvmEvent signals = vm.interrupts().ioeventfd(event, address, isPort, bytes, match);
        refused(
            Errno.EEXIST, () -> vm.interrupts().ioeventfd(event, address, isPort, bytes, match));
        signals.close();
        closed(vm.interrupts().ioeventfd(event, address, isPort, bytes, match));
      }
      EventFd any = closed(EventFd.create(kernel));
      closed(vm.interrupts().ioeventfd(any, 0x80, isPort, 0, OptionalLong.empty()));
      refused(
          Errno.EINVAL, () -> vm.interrupts().ioeventfd(any, 0x90, isPort, 0, OptionalLong.of(1)));
    }
  }

  @Test
  void onlyTheValueSignals() {
    // eventfd.c:ioeventfd_in_range
    // mov eax, 0x88; out 0xc8, al; out 0xd0, ax; out 0xe0, eax; mov ax, 0x89; out 0xd0, ax
    Vm vm = typedVm();
    int[] code = {
      0x66, 0xb8, 0x88, 0, 0, 0, 0xe6, 0xc8, 0xe7, 0xd0, 0x66, 0xe7, 0xe0, 0xb8, 0x89, 0, 0xe7, 0xd0
    };
    Vcpu vcpu = running(vm, code);
    List<EventFd> events = new ArrayList<>();
    for (int bytes : new int[] {1, 2, 4}) {
      EventFd event = closed(EventFd.create(kernel));
      closed(
          vm.interrupts().ioeventfd(event, 0xc0 + 8L * bytes, true, bytes, OptionalLong.of(0x88)));
      events.add(event);
    }
    assertThat(vcpu.run(PATIENCE))
        .isInstanceOfSatisfying(
            Exit.IoOut.class,
            out -> {
              assertThat(out.port()).isEqualTo(0xd0);
              assertThat(out.value()).isEqualTo(0x89);
            });
    for (EventFd event : events) {
      assertThat(event.await(Duration.ZERO)).isEqualTo(1);
    }
  }

  private int irqfd(Vm vm, EventFd event, int gsi, int flags) {
    MemorySegment irqfd = struct(kvm_irqfd.layout());
    kvm_irqfd.fd(irqfd, event.fd().number());
    kvm_irqfd.gsi(irqfd, gsi);
    kvm_irqfd.flags(irqfd, flags);
    return raw(vm, KVM_IRQFD, irqfd);
  }

  @Test
  void anEventfdIsGivenOnceAndTakenAwayAnyNumberOfTimes() {
    // eventfd.c:kvm_irqfd_assign, kvm_irqfd_deassign, kvm_irqfd_register
    Vm vm = typedVm();
    vm.interrupts().createIrqchip();
    EventFd first = closed(EventFd.create(kernel));
    EventFd second = closed(EventFd.create(kernel));
    int takeAway = Kvm.KVM_IRQFD_FLAG_DEASSIGN();
    succeeds(irqfd(vm, first, 4, takeAway));
    succeeds(irqfd(vm, first, 4, 0));
    succeeds(irqfd(vm, second, 4, 0));
    fails(Errno.EBUSY, irqfd(vm, first, 4, 0));
    fails(Errno.EBUSY, irqfd(vm, first, 5, 0));
    succeeds(irqfd(vm, first, 5, takeAway));
    fails(Errno.EBUSY, irqfd(vm, first, 4, 0));
    succeeds(irqfd(vm, first, 4, takeAway));
    succeeds(irqfd(vm, first, 4, takeAway));
    succeeds(irqfd(vm, first, 5, 0));
    fails(Errno.EINVAL, irqfd(vm, first, 5, 1 << 7));
    EventFd level = closed(EventFd.create(kernel));
    EventFd resample = closed(EventFd.create(kernel));
    KvmEvent raises = vm.interrupts().irqfd(level, 6, resample);
    fails(Errno.EBUSY, irqfd(vm, level, 7, 0));
    raises.close();
    succeeds(irqfd(vm, level, 7, 0));
  }

  @Test
  void anIdOfAVcpuIsBelowTheLimit() {
    // kvm_main.c:kvm_vm_ioctl_create_vcpu
    int vm = vm();
    int limit = check(vm, Kvm.KVM_CAP_MAX_VCPU_ID());
    fails(Errno.EINVAL, ioctl(vm, KVM_CREATE_VCPU, limit));
    keep(ioctl(vm, KVM_CREATE_VCPU, limit - 1));
  }

  @Test
  void theCpuidThatIsSupportedIsThatOfEachVcpu() {
    // cpuid.c:kvm_vcpu_ioctl_set_cpuid2, kvm_vcpu_ioctl_get_cpuid2
    Vm vm = typedVm();
    List<CpuidEntry> supported = typedKvm().supportedCpuid();
    CpuidEntry vendor = leaf(supported, 0);
    for (int id = 0; id < 2; id++) {
      Vcpu vcpu = vm.createVcpu(id);
      vcpu.x86().setCpuid(supported);
      List<CpuidEntry> read = vcpu.x86().cpuid();
      assertThat(read).hasSameSizeAs(supported).startsWith(vendor);
      assertThat(read)
          .extracting(CpuidEntry::function)
          .isEqualTo(supported.stream().map(CpuidEntry::function).toList());
    }
    Vcpu vcpu = vm.createVcpu(2);
    List<CpuidEntry> changed =
        supported.stream()
            .map(e -> e.function() == 0 ? e.with(e.eax(), 0x4b56_4d4b, e.ecx(), e.edx()) : e)
            .toList();
    vcpu.x86().setCpuid(changed);
    assertThat(leaf(vcpu.x86().cpuid(), 0).ebx()).isEqualTo(0x4b56_4d4b);
    vcpu.x86().setCpuid(supported);
    assertThat(leaf(vcpu.x86().cpuid(), 0)).as("before it has run, again").isEqualTo(vendor);
    MemorySegment list = zeros(kvm_cpuid2.sizeof() + 256 * kvm_cpuid_entry2.sizeof());
    kvm_cpuid2.nent(list, supported.size() - 1);
    fails(Errno.E2BIG, raw(vcpu, KVM_GET_CPUID2, list));
    kvm_cpuid2.nent(list, supported.size());
    succeeds(raw(vcpu, KVM_GET_CPUID2, list));
  }

  @Test
  void theHostSaysWhatItEmulatesAndWhichRegistersThereAre() {
    // cpuid.c:__do_cpuid_func_emulated, x86.c:kvm_arch_dev_ioctl
    dev.iolite.kvm.Kvm typed = typedKvm();
    assertThat(leaf(typed.emulatedCpuid(), 1).ecx() & 1 << 22).as("MOVBE").isNotZero();
    assertThat(typed.msrIndexes()).contains(0x174, 0x175, 0x176);
    List<Integer> features = typed.msrFeatureIndexes();
    assertThat(features).isNotEmpty();
    assertThat(typed.msrFeatures(features)).extracting(Msr::index).isEqualTo(features);
  }

  @Test
  void whereIntelsPagesAreAndWhichVcpuStartsIsSetBeforehand() {
    // x86.c:kvm_vm_ioctl_set_tss_addr, kvm_vm_ioctl_set_identity_map_addr
    Vm vm = typedVm();
    vm.setTssAddress(0xfffb_d000L);
    vm.setIdentityMapAddress(0xfffb_c000L);
    vm.setBootCpuId(1);
    refused(Errno.EINVAL, () -> vm.setTssAddress(0xffff_f000L));
    vm.createVcpu(0);
    refused(Errno.EINVAL, () -> vm.setIdentityMapAddress(0));
    refused(Errno.EBUSY, () -> vm.setBootCpuId(0));
  }

  @Test
  void theCommandOfALocalApicIsReadAsItWasSet() {
    // lapic.c:kvm_apic_set_state
    Vm vm = typedVm();
    vm.interrupts().createIrqchip();
    Vcpu vcpu = typedVcpu(vm);
    LapicState set = vcpu.x86().lapic().with(ICR, 2);
    vcpu.x86().setLapic(set);
    assertThat(vcpu.x86().lapic().register(ICR)).isEqualTo(2);
  }

  @Test
  void whatIsOnItsWayIsSetAsItWasRead() {
    // x86.c:kvm_vcpu_ioctl_x86_set_vcpu_events
    Vcpu vcpu = typedVcpu(typedVm());
    vcpu.injection()
        .setEvents(VcpuEvents.NONE.with(new VcpuEvents.Nmi(false, OptionalInt.of(1), true)));
    VcpuEvents read = vcpu.injection().events();
    vcpu.injection().setEvents(VcpuEvents.NONE);
    assertThat(vcpu.injection().events()).isNotEqualTo(read);
    vcpu.injection().setEvents(read);
    assertThat(vcpu.injection().events()).isEqualTo(read);
  }

  @Test
  void aSlotThatIsNotThereIsNotDeleted() {
    // kvm_main.c:kvm_set_memory_region
    int vm = vm();
    fails(Errno.EINVAL, setV1(vm, 0, 0, 0, 0, 0));
    fails(Errno.EINVAL, set(vm, 0, 0, 0, 0, 0));
  }

  @Test
  void anEventfdHasNoAttributes() {
    // fs/ioctl.c:vfs_ioctl
    MemorySegment attribute = struct(kvm_device_attr.layout());
    int event = eventfd();
    fails(Errno.ENOTTY, ioctl(event, KVM_HAS_DEVICE_ATTR, attribute));
    fails(Errno.ENOTTY, ioctl(event, KVM_GET_DEVICE_ATTR, attribute));
    fails(Errno.ENOTTY, ioctl(event, KVM_SET_DEVICE_ATTR, attribute));
  }
}
