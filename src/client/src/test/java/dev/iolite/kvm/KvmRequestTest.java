package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_clock_data;
import dev.iolite.uapi.kvm.kvm_enc_region;
import dev.iolite.uapi.kvm.kvm_msi;
import dev.iolite.uapi.kvm.kvm_reinject_control;
import dev.iolite.uapi.kvm.kvm_tpr_access_ctl;
import dev.iolite.uapi.kvm.kvm_xen_vcpu_attr;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** What KVM is asked for where it does not tell what it was given: a kernel says yes to all. */
class KvmRequestTest {
  private long request;
  private MemorySegment given = MemorySegment.NULL;
  private final Kernel kernel =
      new ForwardingKernel(new HostKernel()) {
        @Override
        public int ioctl(int fd, long number, long argument) {
          request = number;
          given =
              MemorySegment.ofArray(
                  MemorySegment.ofAddress(argument)
                      .reinterpret(bytes(number))
                      .toArray(ValueLayout.JAVA_LONG));
          return 0;
        }
      };

  private final Fd vm = Fd.borrowed(kernel, FdKind.KVM_VM, 100, "VM");
  private final Fd vcpu = Fd.borrowed(kernel, FdKind.KVM_VCPU, 101, "vCPU");

  /**
   * include/uapi/asm-generic/ioctl.h: the size is in bits 16 to 29. KVM_REINJECT_CONTROL has it
   * left out.
   */
  private static long bytes(long request) {
    long size = request >>> 16 & 0x3fff;
    return size == 0 ? kvm_reinject_control.sizeof() : size;
  }

  private MemorySegment given(Ioctl call) {
    assertThat(request).isEqualTo(call.number());
    return given;
  }

  @Test
  void missedTicksAreGivenLaterOrNever() {
    new Pit(vm).reinjectTicks(true);
    assertThat(kvm_reinject_control.pit_reinject(given(KvmIoctls.KVM_REINJECT_CONTROL)))
        .isEqualTo((byte) 1);
    new Pit(vm).reinjectTicks(false);
    assertThat(kvm_reinject_control.pit_reinject(given(KvmIoctls.KVM_REINJECT_CONTROL))).isZero();
  }

  @Test
  void accessesToTheTaskPriorityAreReportedOrNot() {
    new TaskPriority(vcpu).reportAccesses(true);
    assertThat(kvm_tpr_access_ctl.enabled(given(KvmIoctls.KVM_TPR_ACCESS_REPORTING))).isEqualTo(1);
    new TaskPriority(vcpu).reportAccesses(false);
    assertThat(kvm_tpr_access_ctl.enabled(given(KvmIoctls.KVM_TPR_ACCESS_REPORTING))).isZero();
  }

  @Test
  void theClockIsToldOfTheHostOnlyWhatTheMomentKnows() {
    new VmClock(vm).set(new VmClock.Moment(5, true, OptionalLong.of(6), OptionalLong.of(1L << 40)));
    MemorySegment all = given(KvmIoctls.KVM_SET_CLOCK);
    assertThat(kvm_clock_data.clock(all)).isEqualTo(5);
    assertThat(kvm_clock_data.flags(all))
        .isEqualTo(
            Kvm.KVM_CLOCK_TSC_STABLE() | Kvm.KVM_CLOCK_REALTIME() | Kvm.KVM_CLOCK_HOST_TSC());
    assertThat(kvm_clock_data.realtime(all)).isEqualTo(6);
    assertThat(kvm_clock_data.host_tsc(all)).isEqualTo(1L << 40);

    new VmClock(vm).set(VmClock.Moment.of(7));
    MemorySegment guest = given(KvmIoctls.KVM_SET_CLOCK);
    assertThat(kvm_clock_data.clock(guest)).isEqualTo(7);
    assertThat(kvm_clock_data.flags(guest)).isZero();
  }

  @Test
  void aMessageHasAllBitsOfItsAddressAndItsDeviceIfItIsSaid() {
    VmInterrupts interrupts = new VmInterrupts(vm);
    interrupts.signalMsi(0x12_fee0_3000L, 0x41, OptionalInt.empty());
    MemorySegment message = given(KvmIoctls.KVM_SIGNAL_MSI);
    assertThat(kvm_msi.address_lo(message)).isEqualTo(0xfee0_3000);
    assertThat(kvm_msi.address_hi(message)).isEqualTo(0x12);
    assertThat(kvm_msi.data(message)).isEqualTo(0x41);
    assertThat(kvm_msi.flags(message)).isZero();

    interrupts.signalMsi(0xfee0_3000L, 0x41, OptionalInt.of(7));
    MemorySegment ofDevice = given(KvmIoctls.KVM_SIGNAL_MSI);
    assertThat(kvm_msi.flags(ofDevice)).isEqualTo(Kvm.KVM_MSI_VALID_DEVID());
    assertThat(kvm_msi.devid(ofDevice)).isEqualTo(7);
  }

  @Test
  void anAttributeOfXensIsSetByItsType() {
    new XenVcpu(vcpu)
        .setAttribute(
            Kvm.KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID(), value -> kvm_xen_vcpu_attr.u.vcpu_id(value, 3));
    MemorySegment attribute = given(KvmIoctls.KVM_XEN_VCPU_SET_ATTR);
    assertThat(kvm_xen_vcpu_attr.type(attribute))
        .isEqualTo((short) Kvm.KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID());
    assertThat(kvm_xen_vcpu_attr.u.vcpu_id(kvm_xen_vcpu_attr.u(attribute))).isEqualTo(3);
  }

  @Test
  void encryptedMemoryIsReleasedByTheRangeThatWasPinned() {
    EncryptedMemory memory = new EncryptedMemory(vm);
    memory.register(0x7000, 0x2000);
    MemorySegment pinned = given(KvmIoctls.KVM_MEMORY_ENCRYPT_REG_REGION);
    assertThat(kvm_enc_region.addr(pinned)).isEqualTo(0x7000);
    assertThat(kvm_enc_region.size(pinned)).isEqualTo(0x2000);
    memory.unregister(0x7000, 0x2000);
    assertThat(given(KvmIoctls.KVM_MEMORY_ENCRYPT_UNREG_REGION).mismatch(pinned)).isEqualTo(-1);
  }
}
