package dev.iolite.mock.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_sev_cmd;
import dev.iolite.uapi.kvm.kvm_sev_init;
import dev.iolite.uapi.kvm.kvm_sev_launch_start;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_finish;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_start;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_update;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** arch/x86/kvm/svm/sev.c. */
class SevVmTest {
  private static final long PAGE = RawKvm.PAGE;
  private static final int EINVAL = Errno.EINVAL.negated();
  private static final int EIO = Errno.EIO.negated();
  private static final long POLICY = 0x3_0000;

  private final List<Long> seen = new ArrayList<>();
  private String failing = "";
  private final RawKvm kvm =
      new RawKvm(
          MockKernel.builder()
              .platform(Platform.SEV)
              .guests((vm, _) ->
                  vm.type() == Kvm.KVM_X86_SNP_VM() ? Optional.of(script()) : Optional.empty())
              .firmware(call -> call.equals(failing) ? 7 : 0)
              .build());
  private final int vm = kvm.createVm(Kvm.KVM_X86_SNP_VM());
  private final int processor = kvm.kernel.open("/dev/sev", Libc.O_RDWR());

  private GuestScript script() {
    return GuestScript.builder()
        .readPrivate(0x1000, 4, seen::add)
        .mapGpa(0x2000, PAGE, true, seen::add)
        .expectPrivate(0x1000, 4, 0)
        .build();
  }

  /** The result and, after a colon, the secure processor's error. */
  private String command(int on, int id, long data, int fd) {
    MemorySegment command = kvm.allocate(kvm_sev_cmd.sizeof());
    kvm_sev_cmd.id(command, id);
    kvm_sev_cmd.data(command, data);
    kvm_sev_cmd.sev_fd(command, fd);
    int result = kvm.call(on, Kvm.KVM_MEMORY_ENCRYPT_OP(), command);
    return result + ":" + kvm_sev_cmd.error(command);
  }

  private String init(int on, int ghcbVersion) {
    MemorySegment init = kvm.allocate(kvm_sev_init.sizeof());
    kvm_sev_init.ghcb_version(init, (short) ghcbVersion);
    return command(on, Kvm.KVM_SEV_INIT2(), init.address(), processor);
  }

  private String start(long policy, int fd) {
    MemorySegment start = kvm.allocate(kvm_sev_snp_launch_start.sizeof());
    kvm_sev_snp_launch_start.policy(start, policy);
    return command(vm, Kvm.KVM_SEV_SNP_LAUNCH_START(), start.address(), fd);
  }

  private String update(long page, long source, long bytes, int type) {
    MemorySegment update = kvm.allocate(kvm_sev_snp_launch_update.sizeof());
    kvm_sev_snp_launch_update.gfn_start(update, page);
    kvm_sev_snp_launch_update.uaddr(update, source);
    kvm_sev_snp_launch_update.len(update, bytes);
    kvm_sev_snp_launch_update.type(update, (byte) type);
    String result = command(vm, Kvm.KVM_SEV_SNP_LAUNCH_UPDATE(), update.address(), processor);
    return result + " left " + kvm_sev_snp_launch_update.len(update);
  }

  private String finish() {
    MemorySegment finish = kvm.allocate(kvm_sev_snp_launch_finish.sizeof());
    return command(vm, Kvm.KVM_SEV_SNP_LAUNCH_FINISH(), finish.address(), processor);
  }

  @Test
  void withoutSevThereIsNoCommand() {
    RawKvm plain = new RawKvm(MockKernel.plain());
    int other = plain.createVm(Kvm.KVM_X86_DEFAULT_VM());
    assertThat(plain.kernel.ioctl(other, Kvm.KVM_MEMORY_ENCRYPT_OP(), 0))
        .isEqualTo(Errno.ENOTTY.negated());
    assertThat(kvm.kernel.ioctl(vm, Kvm.KVM_MEMORY_ENCRYPT_OP(), 0)).isZero();
    assertThat(kvm.kernel.ioctl(vm, Kvm.KVM_MEMORY_ENCRYPT_OP(), 8))
        .isEqualTo(Errno.EFAULT.negated());
  }

  @Test
  void anSnpVmTakesOnlyItsOwnCommandsOnceItIsInitialized() {
    assertThat(start(POLICY, processor)).startsWith(Errno.ENOTTY.negated() + ":");
    assertThat(init(vm, 1)).isEqualTo(EINVAL + ":0");
    assertThat(init(vm, 0)).isEqualTo("0:0");
    assertThat(init(vm, 0)).isEqualTo(Errno.EPERM.negated() + ":0");
    assertThat(command(vm, 99, 0, processor)).isEqualTo(Errno.EPERM.negated() + ":0");
    assertThat(command(vm, 200, 0, processor)).isEqualTo(EINVAL + ":0");
    int plain = kvm.createVm(Kvm.KVM_X86_DEFAULT_VM());
    assertThat(init(plain, 0)).isEqualTo(EINVAL + ":0");
  }

  /** sev_guest_init. */
  @Test
  void theDeprecatedCommandsEncryptADefaultVm() {
    for (int id : new int[] {Kvm.KVM_SEV_INIT(), Kvm.KVM_SEV_ES_INIT()}) {
      assertThat(command(vm, id, 0, processor)).isEqualTo(EINVAL + ":0");
      int plain = kvm.createVm(Kvm.KVM_X86_DEFAULT_VM());
      assertThat(start(plain)).isEqualTo(Errno.ENOTTY.negated() + ":0");
      assertThat(command(plain, id, 0, processor)).isEqualTo("0:0");
      assertThat(command(plain, id, 0, processor)).isEqualTo(EINVAL + ":0");
      assertThat(start(plain)).isEqualTo("0:0");
    }
  }

  private String start(int on) {
    MemorySegment start = kvm.allocate(kvm_sev_launch_start.sizeof());
    return command(on, Kvm.KVM_SEV_LAUNCH_START(), start.address(), processor);
  }

  @Test
  void theLaunchHasItsOrder() {
    assertThat(init(vm, 2)).isEqualTo("0:0");
    assertThat(finish()).isEqualTo(EINVAL + ":0");
    assertThat(start(0x1_0000, processor)).isEqualTo(EINVAL + ":0");
    assertThat(start(POLICY | 1L << 40, processor)).isEqualTo(EINVAL + ":0");
    assertThat(start(POLICY, kvm.kvm)).isEqualTo(Errno.ENOTTY.negated() + ":0");
    failing = "SNP_LAUNCH_START";
    assertThat(start(POLICY, processor)).isEqualTo(EIO + ":7");
    failing = "";
    assertThat(start(POLICY, processor)).isEqualTo("0:0");
    assertThat(start(POLICY, processor)).isEqualTo(EINVAL + ":0");
  }

  @Test
  void itsMemoryIsMeasuredAndItsGuestRuns() {
    assertThat(init(vm, 2)).isEqualTo("0:0");
    assertThat(kvm.enable(vm, Kvm.KVM_CAP_EXIT_HYPERCALL(), 1 << 12)).isZero();
    int vcpu = kvm.createVcpu(vm, 0);
    int file = kvm.guestMemfd(vm, 2 * PAGE, 0);
    long ram = kvm.memory(2 * PAGE);
    kvm.memoryAt(ram, PAGE).set(ValueLayout.JAVA_INT, 0, 0xbeef);
    assertThat(kvm.region(vm, 0, Kvm.KVM_MEM_GUEST_MEMFD(), 0x1000, 2 * PAGE, ram, file, 0))
        .isZero();
    int normal = Kvm.KVM_SEV_SNP_PAGE_TYPE_NORMAL();
    assertThat(update(1, ram, PAGE, normal)).startsWith(EINVAL + ":");
    assertThat(start(POLICY, processor)).isEqualTo("0:0");
    assertThat(update(1, ram, PAGE, 77)).startsWith(EINVAL + ":");
    assertThat(update(1, 0, PAGE, normal)).startsWith(EINVAL + ":");
    assertThat(update(9, ram, PAGE, normal)).startsWith(EINVAL + ":");
    assertThat(update(1, ram, PAGE, normal)).isEqualTo(EIO + ":0 left 4096");
    assertThat(kvm.makePrivate(vm, 0x1000, PAGE)).isZero();
    failing = "SNP_LAUNCH_UPDATE";
    assertThat(update(1, ram, PAGE, normal)).isEqualTo(EIO + ":7 left 4096");
    failing = "";
    assertThat(update(1, ram, 2 * PAGE, normal)).isEqualTo("0:0 left 4096");
    assertThat(update(1, ram, PAGE, normal)).isEqualTo(EIO + ":0 left 4096");

    MemorySegment run = kvm.run(vcpu);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 reason " + Kvm.KVM_EXIT_FAIL_ENTRY());
    long regs = kvm.allocate(512).address();
    assertThat(kvm.kernel.ioctl(vcpu, Kvm.KVM_GET_REGS(), regs)).isZero();
    assertThat(finish()).isEqualTo("0:0");
    assertThat(kvm.kernel.ioctl(vcpu, Kvm.KVM_GET_REGS(), regs)).isEqualTo(EINVAL);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 hypercall 12 0x2000 1 16");
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 event " + Kvm.KVM_SYSTEM_EVENT_SEV_TERM());
    assertThat(seen).containsExactly(0xbeefL, 0L);
  }

  @Test
  void readOnlySlotsAreForVmsWhoseStateCanBeSeen() {
    assertThat(kvm.region(vm, 0, Kvm.KVM_MEM_READONLY(), 0, PAGE, 0)).isEqualTo(EINVAL);
    int es = kvm.createVm(Kvm.KVM_X86_SEV_ES_VM());
    assertThat(kvm.region(es, 0, Kvm.KVM_MEM_READONLY(), 0, PAGE, 0)).isEqualTo(EINVAL);
    int sev = kvm.createVm(Kvm.KVM_X86_SEV_VM());
    assertThat(kvm.region(sev, 0, Kvm.KVM_MEM_READONLY(), 0, PAGE, 0)).isZero();
    assertThat(kvm.createVm(Kvm.KVM_X86_TDX_VM())).isEqualTo(EINVAL);
  }
}
