package dev.iolite.mock.tsm;

import static dev.iolite.mock.tsm.AssignedEndpoint.no;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.kvm.GuestScript;
import dev.iolite.mock.kvm.GuestScripts;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_op;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsmv6.TsmV6;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_irq_set;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Binding and requests under the proposal with numbers that are free in 7.3. */
class V6ProfileTest {
  private static final int BIND = Tsm.IOMMU_VDEVICE_TSM_BIND();
  private static final int UNBIND = Tsm.IOMMU_VDEVICE_TSM_UNBIND();
  private static final int STATE = Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE();
  private static final int VALIDATE = Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO();
  private static final int TDX = Tsm.IOMMU_VDEVICE_TSM_ARCH_TDX();
  private static final int SEV = Tsm.IOMMU_VDEVICE_TSM_ARCH_SEV();
  private static final int MEMORY_ONLY = 2;
  private static final int BAR0 = 0x10;
  private static final long GPA = 0x1_0000_0000L;

  private static AssignedEndpoint endpoint() {
    return AssignedEndpoint.on(Platform.TDX, Profile.V6);
  }

  private static int operate(AssignedEndpoint at, int type, int flags, int vdevice) {
    MemorySegment op = at.sized(iommu_vdevice_tsm_op.sizeof());
    iommu_vdevice_tsm_op.type(op, type);
    iommu_vdevice_tsm_op.flags(op, flags);
    iommu_vdevice_tsm_op.vdevice_id(op, vdevice);
    return at.ioctl(at.iommufd, TsmV6.IOMMU_VDEVICE_TSM_OP(), op);
  }

  private static int operate(AssignedEndpoint at, int type) {
    return operate(at, type, 0, at.vdevice);
  }

  private static MemorySegment request(AssignedEndpoint at, int op, int arch, long... payload) {
    MemorySegment bytes = at.struct(8L * Math.max(1, payload.length));
    MemorySegment.copy(payload, 0, bytes, ValueLayout.JAVA_LONG, 0, payload.length);
    MemorySegment req = at.sized(iommu_vdevice_tsm_req.sizeof());
    iommu_vdevice_tsm_req.vdevice_id(req, at.vdevice);
    iommu_vdevice_tsm_req.op(req, op);
    iommu_vdevice_tsm_req.tvm_arch(req, arch);
    iommu_vdevice_tsm_req.req_len(req, op == STATE ? Integer.BYTES : Long.BYTES * payload.length);
    iommu_vdevice_tsm_req.req_uptr(req, bytes.address());
    iommu_vdevice_tsm_req.tsm_code(req, -1);
    return req;
  }

  private static int ask(AssignedEndpoint at, MemorySegment req) {
    return at.ioctl(at.iommufd, TsmV6.IOMMU_VDEVICE_TSM_REQ(), req);
  }

  private static int setState(AssignedEndpoint at, TdiState state) {
    return ask(at, request(at, STATE, TDX, state.number()));
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void bindLocksTheInterfaceAndUnbindFreesIt(Platform platform) {
    try (AssignedEndpoint at = AssignedEndpoint.on(platform, Profile.V6)) {
      assertThat(operate(at, BIND)).isZero();
      assertThat(at.bound()).isEqualTo("tsm0");
      assertThat(at.state()).isEqualTo(TdiState.CONFIG_LOCKED);
      assertThat(operate(at, BIND)).isZero();

      assertThat(operate(at, UNBIND)).isZero();
      assertThat(at.bound()).isEmpty();
      assertThat(operate(at, UNBIND)).isZero();
    }
  }

  @Test
  void theOperationIsCheckedInOrder() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(operate(at, 9, 1, 999)).isEqualTo(no(Errno.EOPNOTSUPP));
      assertThat(operate(at, 9, 0, 999)).isEqualTo(no(Errno.ENOENT));
      assertThat(operate(at, BIND, 0, at.viommu)).isEqualTo(no(Errno.ENOENT));
      assertThat(operate(at, 0)).isEqualTo(no(Errno.EINVAL));
      assertThat(operate(at, 3)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.bound()).isEmpty();
    }
  }

  @Test
  void aDeviceWithoutVmCanNotBeBound() {
    try (AssignedEndpoint at = AssignedEndpoint.withoutVm(Platform.TDX, Profile.V6)) {
      assertThat(operate(at, 9)).isEqualTo(no(Errno.ENODEV));
      assertThat(operate(at, BIND)).isEqualTo(no(Errno.ENODEV));
      assertThat(ask(at, request(at, STATE, TDX, 2))).isEqualTo(no(Errno.ENODEV));
    }
  }

  @Test
  void aDeviceThatNoTsmIsConnectedToCanNotBeBound() {
    try (AssignedEndpoint at =
        AssignedEndpoint.unconnected(Platform.SEV, Profile.V6, GuestScripts.none())) {
      assertThat(operate(at, BIND)).isEqualTo(no(Errno.EINVAL));
      assertThat(ask(at, request(at, STATE, SEV, 2))).isEqualTo(no(Errno.ENXIO));
    }
  }

  @Test
  void aRequestNamesThePlatformsArchitectureAndAnOperationOfIt() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(operate(at, BIND)).isZero();
      assertThat(ask(at, request(at, STATE, SEV, 2))).isEqualTo(no(Errno.EINVAL));
      assertThat(ask(at, request(at, STATE, 0, 2))).isEqualTo(no(Errno.EINVAL));
      assertThat(ask(at, request(at, 0, TDX, 2))).isEqualTo(no(Errno.EINVAL));
      assertThat(ask(at, request(at, 3, TDX, 2))).isEqualTo(no(Errno.EINVAL));
      assertThat(at.state()).isEqualTo(TdiState.CONFIG_LOCKED);
    }
  }

  @Test
  void dmaIsSwitchedOnSevOnlyAndOnlyWhileTheInterfaceRuns() {
    try (AssignedEndpoint at = AssignedEndpoint.on(Platform.SEV, Profile.V6)) {
      int enable = Tsm.IOMMU_VDEVICE_TSM_SEV_ENABLE_DMA();
      assertThat(ask(at, request(at, enable, SEV))).isEqualTo(no(Errno.ENXIO));
      assertThat(operate(at, BIND)).isZero();
      assertThat(ask(at, request(at, enable, SEV))).isEqualTo(no(Errno.EIO));
      assertThat(ask(at, request(at, STATE, SEV, TdiState.RUN.number()))).isZero();
      assertThat(ask(at, request(at, enable, SEV))).isZero();
    }
  }

  @Test
  void theStateIsChangedAndTheTsmsCodeComesBackWhateverHappened() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(setState(at, TdiState.RUN)).isEqualTo(no(Errno.ENXIO));
      assertThat(operate(at, BIND)).isZero();
      MemorySegment run = request(at, STATE, TDX, TdiState.RUN.number());
      assertThat(ask(at, run)).isZero();
      assertThat(iommu_vdevice_tsm_req.tsm_code(run)).isZero();
      assertThat(at.state()).isEqualTo(TdiState.RUN);

      MemorySegment again = request(at, STATE, TDX, TdiState.RUN.number());
      assertThat(ask(at, again)).isEqualTo(no(Errno.EIO));
      assertThat(iommu_vdevice_tsm_req.tsm_code(again)).isEqualTo(-no(Errno.EIO));
      assertThat(setState(at, TdiState.CONFIG_LOCKED)).isEqualTo(no(Errno.EBUSY));
      assertThat(setState(at, TdiState.ERROR)).isEqualTo(no(Errno.EINVAL));
    }
  }

  @Test
  void aRequestThatIsTooShortOrAtABadAddressChangesNothing() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(operate(at, BIND)).isZero();
      MemorySegment shorter = request(at, STATE, TDX, 2);
      iommu_vdevice_tsm_req.req_len(shorter, 3);
      assertThat(ask(at, shorter)).isEqualTo(no(Errno.EINVAL));
      MemorySegment bad = request(at, STATE, TDX, 2);
      iommu_vdevice_tsm_req.req_uptr(bad, 8);
      assertThat(ask(at, bad)).isEqualTo(no(Errno.EFAULT));
      assertThat(at.state()).isEqualTo(TdiState.CONFIG_LOCKED);
    }
  }

  @Test
  void whatARequestDidNotUseIsReturned() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(operate(at, BIND)).isZero();
      MemorySegment longer = request(at, STATE, TDX, 2);
      iommu_vdevice_tsm_req.req_len(longer, 8);
      assertThat(ask(at, longer)).isEqualTo(4);
      MemorySegment room = request(at, STATE, TDX, 0);
      iommu_vdevice_tsm_req.resp_len(room, 100);
      assertThat(ask(at, room)).isEqualTo(100);
    }
  }

  @Test
  void mmioIsValidatedIfItIsTeeMemoryAndMappedForTheGuest() {
    try (AssignedEndpoint at = endpoint()) {
      long bar = at.bar(0);
      assertThat(operate(at, BIND)).isZero();
      assertThat(ask(at, request(at, VALIDATE, TDX, 0x1000, 0x3000, bar))).isZero();
      assertThat(ask(at, request(at, VALIDATE, TDX, 0x2000, 0x3000, bar)))
          .isEqualTo(no(Errno.EEXIST));
      assertThat(ask(at, request(at, VALIDATE, TDX, 0x5000, 0x6000, bar + 0x2000)))
          .as("the doorbells are not TEE memory")
          .isEqualTo(no(Errno.EINVAL));
      assertThat(ask(at, request(at, VALIDATE, TDX, 0x5000, 0x5000, bar)))
          .isEqualTo(no(Errno.EINVAL));
      assertThat(ask(at, request(at, VALIDATE, TDX, 0, -0x1000, bar)))
          .as("more than any BAR has")
          .isEqualTo(no(Errno.EINVAL));
      assertThat(operate(at, UNBIND)).isZero();
      assertThat(operate(at, BIND)).isZero();
      assertThat(ask(at, request(at, VALIDATE, TDX, 0x2000, 0x3000, bar)))
          .as("unbinding has unmapped it")
          .isZero();
    }
  }

  @Test
  void switchingBusMasteringOffLeadsToErrorAndOnlyAStopLeadsOut() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(operate(at, BIND)).isZero();
      assertThat(setState(at, TdiState.RUN)).isZero();
      at.command(MEMORY_ONLY);
      assertThat(at.state()).isEqualTo(TdiState.ERROR);
      assertThat(at.bound()).isEqualTo("tsm0");
      at.command(MEMORY_ONLY | 4);
      assertThat(setState(at, TdiState.CONFIG_LOCKED)).isEqualTo(no(Errno.EBUSY));
      assertThat(setState(at, TdiState.CONFIG_UNLOCKED)).isZero();
      assertThat(setState(at, TdiState.CONFIG_LOCKED)).isZero();
      assertThat(at.state()).isEqualTo(TdiState.CONFIG_LOCKED);
    }
  }

  /** Writes configuration space as the host's root does: to the device, not to VFIO's copy. */
  private static void writeConfig(AssignedEndpoint at, int offset, int value) {
    int config = at.open("/sys/bus/pci/devices/" + AssignedEndpoint.ADDRESS + "/config");
    MemorySegment bytes = at.struct(Integer.BYTES);
    bytes.set(ValueLayout.JAVA_INT, 0, value);
    assertThat(at.kernel.pwrite(config, bytes.address(), Integer.BYTES, offset)).isEqualTo(4);
    assertThat(at.kernel.close(config)).isZero();
  }

  @Test
  void movingABarLeadsToErrorButNotAWriteToTheCopyThatVfioKeeps() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(operate(at, BIND)).isZero();
      MemorySegment ones = at.struct(Integer.BYTES);
      ones.set(ValueLayout.JAVA_INT, 0, -1);
      assertThat(at.kernel.pwrite(at.device, ones.address(), 4, (7L << 40) + BAR0)).isEqualTo(4);
      assertThat(at.state()).isEqualTo(TdiState.CONFIG_LOCKED);
      writeConfig(at, BAR0, 0x1000_0000);
      assertThat(at.state()).isEqualTo(TdiState.ERROR);
    }
  }

  @Test
  void switchingMessagesOnIsAllowedForTheirControlIsNotLocked() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(operate(at, BIND)).isZero();
      assertThat(setState(at, TdiState.RUN)).isZero();
      MemorySegment set = at.struct(vfio_irq_set.sizeof() + Integer.BYTES);
      vfio_irq_set.argsz(set, (int) set.byteSize());
      vfio_irq_set.flags(
          set, Vfio.VFIO_IRQ_SET_DATA_EVENTFD() | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER());
      vfio_irq_set.index(set, Vfio.VFIO_PCI_MSIX_IRQ_INDEX());
      vfio_irq_set.count(set, 1);
      set.set(ValueLayout.JAVA_INT, vfio_irq_set.sizeof(), at.kernel.eventfd(0, 0));
      assertThat(at.ioctl(at.device, Vfio.VFIO_DEVICE_SET_IRQS(), set)).isZero();
      assertThat(at.state()).isEqualTo(TdiState.RUN);
    }
  }

  @Test
  void theGuestReachesValidatedMmioWithoutASlotWhileTheInterfaceRuns() {
    List<Long> seen = new ArrayList<>();
    GuestScript script =
        GuestScript.builder()
            .readPrivate(GPA, 8, seen::add)
            .out(0x80, 1, 0)
            .readPrivate(GPA, 8, seen::add)
            .writePrivate(GPA + 8, 8, 5)
            .readPrivate(GPA + 8, 8, seen::add)
            .out(0x80, 1, 0)
            .readPrivate(GPA, 8, seen::add)
            .build();
    try (AssignedEndpoint at =
        AssignedEndpoint.on(Platform.TDX, Profile.V6, (_, _) -> Optional.of(script))) {
      assertThat(operate(at, BIND)).isZero();
      assertThat(ask(at, request(at, VALIDATE, TDX, GPA, GPA + 0x2000, at.bar(0)))).isZero();
      int vcpu = at.startDomain();
      assertThat(at.enter(vcpu)).as("KVM takes it to be shared").isEqualTo(no(Errno.EFAULT));
      assertThat(at.makePrivate(GPA, 0x2000)).isZero();
      assertThat(at.enter(vcpu)).isZero();
      assertThat(seen).as("locked, but not running").containsExactly(-1L);

      assertThat(setState(at, TdiState.RUN)).isZero();
      assertThat(at.enter(vcpu)).isZero();
      assertThat(seen).containsExactly(-1L, TdispEndpoint.IDENTIFICATION, 5L);

      assertThat(operate(at, UNBIND)).isZero();
      assertThat(at.enter(vcpu)).as("nothing is mapped there").isEqualTo(no(Errno.EFAULT));
      assertThat(kvm_run.exit_reason(at.run)).isEqualTo(Kvm.KVM_EXIT_MEMORY_FAULT());
      assertThat(seen).hasSize(3);
    }
  }

  @Test
  void destroyingTheVdeviceUnbinds() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(operate(at, BIND)).isZero();
      assertThat(at.destroy(at.vdevice)).isZero();
      assertThat(at.bound()).isEmpty();
    }
  }

  @Test
  void closingTheDeviceUnbindsAndItsVdeviceIsGone() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(operate(at, BIND)).isZero();
      at.takeBack();
      assertThat(at.bound()).as("the VM that was there at bind counts").isEqualTo("tsm0");
      assertThat(at.kernel.close(at.device)).isZero();
      assertThat(at.bound()).isEmpty();
      assertThat(operate(at, BIND)).isEqualTo(no(Errno.ENOENT));
    }
  }

  @Test
  void disconnectingUnbinds() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(operate(at, BIND)).isZero();
      at.disconnect();
      assertThat(at.bound()).isEmpty();
      assertThat(setState(at, TdiState.RUN)).isEqualTo(no(Errno.ENXIO));
    }
  }

  @Test
  void aLostLinkLeadsToError() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(operate(at, BIND)).isZero();
      at.kernel.tsm().fail(AssignedEndpoint.ADDRESS);
      assertThat(at.state()).isEqualTo(TdiState.ERROR);
    }
  }

  @Test
  void aPlannedErrorOfTheBindComesBeforeOrAfterItsEffect() {
    try (AssignedEndpoint at = endpoint()) {
      at.kernel.tsm().failNext(TsmErrors.Operation.BIND, Errno.EIO, false);
      assertThat(operate(at, BIND)).isEqualTo(no(Errno.EIO));
      assertThat(at.bound()).isEmpty();
      at.kernel.tsm().failNext(TsmErrors.Operation.BIND, Errno.EINTR, true);
      assertThat(operate(at, BIND)).isEqualTo(no(Errno.EINTR));
      assertThat(at.bound()).isEqualTo("tsm0");
    }
  }
}
