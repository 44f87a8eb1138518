package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_msr_entry;
import dev.iolite.uapi.kvm.kvm_msr_list;
import dev.iolite.uapi.kvm.kvm_msrs;
import dev.iolite.uapi.kvm.kvm_one_reg;
import dev.iolite.uapi.kvm.kvm_reg_list;
import dev.iolite.uapi.kvm.kvm_segment;
import dev.iolite.uapi.kvm.kvm_sregs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A vCPU's model-specific registers: those that guests of any processor have. None of them changes
 * what the model's guests do.
 */
final class VcpuMsrs {
  private static final int TSC = 0x10;
  private static final int APIC_BASE = 0x1b;
  private static final int TSC_ADJUST = 0x3b;
  private static final int UCODE_REVISION = 0x8b;
  private static final int PLATFORM_INFO = 0xce;
  private static final int MISC_FEATURES_ENABLES = 0x140;
  private static final int SYSENTER_CS = 0x174;
  private static final int SYSENTER_ESP = 0x175;
  private static final int SYSENTER_EIP = 0x176;
  private static final int MCG_CAP = 0x179;
  private static final int MCG_STATUS = 0x17a;
  private static final int MCG_CTL = 0x17b;
  private static final int MISC_ENABLE = 0x1a0;
  private static final int PAT = 0x277;
  private static final int ASYNC_PF_INT = 0x4b56_4d06;
  private static final int EFER = 0xc000_0080;
  private static final int STAR = 0xc000_0081;
  private static final int LSTAR = 0xc000_0082;
  private static final int CSTAR = 0xc000_0083;
  private static final int SYSCALL_MASK = 0xc000_0084;
  private static final int FS_BASE = 0xc000_0100;
  private static final int GS_BASE = 0xc000_0101;
  private static final int KERNEL_GS_BASE = 0xc000_0102;
  private static final int VM_HSAVE_PA = 0xc001_0117;

  private static final long PAT_AT_RESET = 0x0007_0406_0007_0406L;

  private static final int CANONICAL_SHIFT = Long.SIZE - 48;

  /** arch/x86/kvm/msrs.c: MAX_IO_MSRS. */
  private static final int MOST = 256;

  /** What a migration has to save: msrs_to_save_base, then emulated_msrs_all. */
  private static final int[] TO_SAVE = {
    SYSENTER_CS,
    SYSENTER_ESP,
    SYSENTER_EIP,
    STAR,
    CSTAR,
    KERNEL_GS_BASE,
    SYSCALL_MASK,
    LSTAR,
    TSC,
    PAT,
    VM_HSAVE_PA,
    TSC_ADJUST,
    MISC_ENABLE,
    MCG_STATUS,
    MCG_CTL,
    PLATFORM_INFO,
    MISC_FEATURES_ENABLES,
    UCODE_REVISION
  };

  /**
   * KVM's own clocks and notices (MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME, MSR_KVM_ASYNC_PF_EN,
   * MSR_KVM_STEAL_TIME, MSR_KVM_PV_EOI_EN and their like). Linux lets a VMM switch them on, too;
   * the model's CPUID has none of them, and they stay off.
   */
  private static final Set<Integer> OFF =
      Set.of(
          0x11,
          0x12,
          0x4b56_4d00,
          0x4b56_4d01,
          0x4b56_4d02,
          0x4b56_4d03,
          0x4b56_4d04,
          ASYNC_PF_INT,
          0x4b56_4d07);

  private static final Set<Integer> CANONICAL =
      Set.of(LSTAR, CSTAR, KERNEL_GS_BASE, FS_BASE, GS_BASE, SYSENTER_ESP, SYSENTER_EIP);

  private final KvmVcpu vcpu;

  /** The registers that only keep their value. */
  private final Map<Integer, Long> kept = new HashMap<>();

  private final MemoryTypes memoryTypes = new MemoryTypes();

  VcpuMsrs(KvmVcpu vcpu) {
    this.vcpu = vcpu;
    for (int plain :
        new int[] {
          SYSENTER_CS,
          SYSENTER_ESP,
          SYSENTER_EIP,
          STAR,
          LSTAR,
          CSTAR,
          SYSCALL_MASK,
          KERNEL_GS_BASE,
          VM_HSAVE_PA,
          TSC_ADJUST,
          MISC_FEATURES_ENABLES,
          UCODE_REVISION
        }) {
      kept.put(plain, 0L);
    }
    OFF.forEach(own -> kept.put(own, 0L));
    kept.put(PAT, PAT_AT_RESET);
    kept.put(MISC_ENABLE, 1L);
    kept.put(PLATFORM_INFO, 1L << 31);
  }

  /**
   * KVM_GET_MSR_INDEX_LIST; arch/x86/kvm/msrs.c:kvm_get_msr_index_list: E2BIG, with their number.
   */
  static void list(Task task, long argument) {
    MemorySegment head = task.in(argument, kvm_msr_list.sizeof());
    int room = kvm_msr_list.nmsrs(head);
    kvm_msr_list.nmsrs(head, TO_SAVE.length);
    task.out(argument, head);
    refuseIf(Integer.compareUnsigned(room, TO_SAVE.length) < 0, Errno.E2BIG);
    task.out(argument + kvm_msr_list.sizeof(), MemorySegment.ofArray(TO_SAVE));
  }

  /** Reads or sets one register; returns whether that worked. */
  private interface Access {
    boolean to(MemorySegment entry);
  }

  /** KVM_GET_MSRS; arch/x86/kvm/msrs.c:msr_io. Returns how many were read. */
  int getAll(long argument) {
    return each(
        argument,
        true,
        entry -> {
          OptionalLong value = get(kvm_msr_entry.index(entry));
          value.ifPresent(found -> kvm_msr_entry.data(entry, found));
          return value.isPresent();
        });
  }

  /** KVM_SET_MSRS; arch/x86/kvm/msrs.c:msr_io. Returns how many were set. */
  int setAll(long argument) {
    return each(
        argument, false, entry -> set(kvm_msr_entry.index(entry), kvm_msr_entry.data(entry)));
  }

  private int each(long argument, boolean writesBack, Access access) {
    Task task = vcpu.vm().task();
    MemorySegment head = task.in(argument, kvm_msrs.sizeof());
    int count = kvm_msrs.nmsrs(head);
    refuseIf(Integer.compareUnsigned(count, MOST) >= 0, Errno.E2BIG);
    long at = argument + kvm_msrs.sizeof();
    MemorySegment entries = task.in(at, count * kvm_msr_entry.sizeof());
    int done = 0;
    while (done < count && access.to(kvm_msr_entry.asSlice(entries, done))) {
      done++;
    }
    if (writesBack) {
      task.out(at, entries);
    }
    return done;
  }

  /** arch/x86/kvm/msrs.c:kvm_get_msr_common. */
  OptionalLong get(int index) {
    MachineChecks checks = vcpu.machineChecks();
    MemorySegment special = vcpu.cpu().special();
    if (checks.hasBankRegister(index - MachineChecks.MC0_CTL)) {
      return OptionalLong.of(checks.bankRegister(index - MachineChecks.MC0_CTL));
    }
    return switch (index) {
      case APIC_BASE -> OptionalLong.of(kvm_sregs.apic_base(special));
      case EFER -> OptionalLong.of(kvm_sregs.efer(special));
      case FS_BASE -> OptionalLong.of(kvm_segment.base(kvm_sregs.fs(special)));
      case GS_BASE -> OptionalLong.of(kvm_segment.base(kvm_sregs.gs(special)));
      case TSC -> OptionalLong.of(vcpu.tsc().value());
      case MCG_CAP -> OptionalLong.of(checks.cap());
      case MCG_STATUS -> OptionalLong.of(checks.status());
      case MCG_CTL -> checks.hasControl() ? OptionalLong.of(checks.control()) : OptionalLong.of(0);
      default -> {
        Long value = kept.get(index);
        yield value == null ? memoryTypes.get(index) : OptionalLong.of(value);
      }
    };
  }

  /** The same for RDMSR; arch/x86/kvm/msrs.c:get_msr_mce. */
  OptionalLong getByGuest(int index) {
    return index == MCG_CTL && !vcpu.machineChecks().hasControl()
        ? OptionalLong.empty()
        : get(index);
  }

  /**
   * {@link #set} for WRMSR; arch/x86/kvm/msrs.c:set_msr_mce. The model's processor has no
   * McStatusWrEn.
   */
  boolean setByGuest(int index, long value) {
    MachineChecks checks = vcpu.machineChecks();
    boolean isHosts =
        (index == MCG_CTL && !checks.hasControl())
            || (value != 0 && checks.isBankStatus(index - MachineChecks.MC0_CTL));
    return !isHosts && set(index, value);
  }

  /** arch/x86/kvm/msrs.c:kvm_set_msr_common, __kvm_set_msr. */
  boolean set(int index, long value) {
    MachineChecks checks = vcpu.machineChecks();
    MemorySegment special = vcpu.cpu().special();
    if (CANONICAL.contains(index) && value << CANONICAL_SHIFT >> CANONICAL_SHIFT != value) {
      return false;
    }
    if (OFF.contains(index)) {
      // arch/x86/kvm/msrs.c:kvm_pv_enable_async_pf_int
      return value == 0 && (index != ASYNC_PF_INT || vcpu.vm().hasIrqchip());
    }
    if (checks.hasBankRegister(index - MachineChecks.MC0_CTL)) {
      return checks.setBankRegister(index - MachineChecks.MC0_CTL, value);
    }
    switch (index) {
      case APIC_BASE -> {
        return VcpuRegisters.setApicBase(vcpu.cpu(), vcpu.cpuid(), value);
      }
      case EFER -> {
        return VcpuRegisters.setEfer(vcpu.cpu(), vcpu.cpuid(), value);
      }
      case FS_BASE -> kvm_segment.base(kvm_sregs.fs(special), value);
      case GS_BASE -> kvm_segment.base(kvm_sregs.gs(special), value);
      case TSC -> vcpu.tsc().set(value);
      case MCG_STATUS -> checks.setStatus(value);
      case MCG_CTL -> {
        return (checks.hasControl() || value == 0) && checks.setControl(value);
      }
      case PAT -> {
        return isPat(value) && keep(index, value);
      }
      default -> {
        return kept.containsKey(index)
            ? keep(index, value)
            : memoryTypes.set(index, value, vcpu.cpuid().reservedAddressBits());
      }
    }
    return true;
  }

  private boolean keep(int index, long value) {
    kept.put(index, value);
    return true;
  }

  /** arch/x86/kvm/x86.h:kvm_pat_valid: each byte is 0, 1, 4, 5, 6 or 7. */
  private static boolean isPat(long value) {
    return (value & 0xf8f8_f8f8_f8f8_f8f8L) == 0
        && (value | (value & 0x0202_0202_0202_0202L) << 1) == value;
  }

  /**
   * KVM_GET_ONE_REG and KVM_SET_ONE_REG; arch/x86/kvm/msrs.c:kvm_get_set_one_reg. The model's
   * processor has no shadow stack.
   */
  void one(long argument, boolean isGet) {
    Task task = vcpu.vm().task();
    MemorySegment one = task.in(argument, kvm_one_reg.sizeof());
    long id = kvm_one_reg.id(one);
    refuseIf((id & Kvm.KVM_REG_ARCH_MASK()) != Kvm.KVM_REG_X86(), Errno.EINVAL);
    long reserved = 0x000f_ff00_0000_0000L;
    refuseIf((id & reserved) != 0, Errno.EINVAL);
    refuseIf((id >>> Integer.SIZE & 0xff) != Kvm.KVM_X86_REG_TYPE_MSR(), Errno.EINVAL);
    refuseIf((id & Kvm.KVM_REG_SIZE_MASK()) != Kvm.KVM_REG_SIZE_U64(), Errno.EINVAL);
    long at = kvm_one_reg.addr(one);
    if (isGet) {
      long value = get((int) id).orElseThrow(() -> Refused.refused(Errno.EINVAL));
      task.out(at, MemorySegment.ofArray(new long[] {value}));
    } else {
      long value = task.in(at, Long.BYTES).get(ValueLayout.JAVA_LONG, 0);
      refuseIf(!set((int) id, value), Errno.EINVAL);
    }
  }

  /** KVM_GET_REG_LIST; arch/x86/kvm/msrs.c:kvm_get_reg_list: only the shadow stack's is listed. */
  static void listRegisters(Task task, long argument) {
    MemorySegment head = task.in(argument, kvm_reg_list.sizeof());
    kvm_reg_list.n(head, 0);
    task.out(argument, head);
  }
}
