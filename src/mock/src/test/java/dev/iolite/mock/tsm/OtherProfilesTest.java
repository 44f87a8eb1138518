package dev.iolite.mock.tsm;

import static dev.iolite.mock.tsm.AssignedEndpoint.no;
import static dev.iolite.mock.tsm.AssignedEndpoint.ok;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.DeviceMeasurements;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.kvm.GuestScript;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsmarmv5.TsmArmV5;
import dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_info;
import dev.iolite.uapi.tsmccav7.TsmCcaV7;
import dev.iolite.uapi.tsmintelrfc2025.TsmIntelRfc2025;
import dev.iolite.uapi.tsmintelrfc2025.iommu_vdevice_tsm_guest_request;
import dev.iolite.uapi.tsmintelrfc2025.vfio_device_tsm_bind;
import dev.iolite.uapi.tsmintelrfc2025.vfio_device_tsm_unbind;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Binding and requests under arm-v5, cca-v7 and intel-rfc-2025. */
class OtherProfilesTest {
  private static final int REPORT_BYTES = 16 + 16 * 7 + 4;
  private static final byte[] NONCE = "a nonce, and so it has 32 bytes.".getBytes(US_ASCII);
  private static final long GPA = 0x1_0000_0000L;
  private static final int TDX = Tsm.IOMMU_VDEVICE_TSM_ARCH_TDX();

  private static AssignedEndpoint on(Profile profile) {
    return AssignedEndpoint.on(Platform.TDX, profile);
  }

  private static MemorySegment longs(AssignedEndpoint at, long... values) {
    MemorySegment bytes = at.struct(8L * values.length);
    MemorySegment.copy(values, 0, bytes, ValueLayout.JAVA_LONG, 0, values.length);
    return bytes;
  }

  /** VT-d has none, and these proposals add none. */
  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"ARM_V5", "INTEL_RFC_2025"})
  void aViommuIsOfATypeThatTheIommuHas(Profile profile) {
    try (AssignedEndpoint at = on(profile)) {
      assertThat(at.makeViommu(at.viommuType() + 1)).isEqualTo(no(Errno.EOPNOTSUPP));
    }
  }

  // -- arm-v5

  private static int armOperate(AssignedEndpoint at, int type) {
    MemorySegment op = at.sized(dev.iolite.uapi.tsm.iommu_vdevice_tsm_op.sizeof());
    dev.iolite.uapi.tsm.iommu_vdevice_tsm_op.type(op, type);
    dev.iolite.uapi.tsm.iommu_vdevice_tsm_op.vdevice_id(op, at.vdevice);
    return at.ioctl(at.iommufd, TsmArmV5.IOMMU_VDEVICE_TSM_OP(), op);
  }

  private static int armAsk(AssignedEndpoint at, int scope, int state, MemorySegment answer) {
    return armAsk(at, scope, longs(at, state).asSlice(0, Integer.BYTES), answer);
  }

  private static int armAsk(
      AssignedEndpoint at, int scope, MemorySegment asked, MemorySegment answer) {
    MemorySegment req = at.sized(dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_req.sizeof());
    dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_req.vdevice_id(req, at.vdevice);
    dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_req.scope(req, scope);
    dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_req.req_len(req, (int) asked.byteSize());
    dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_req.req_uptr(req, asked.address());
    dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_req.resp_len(req, (int) answer.byteSize());
    dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_req.resp_uptr(req, answer.address());
    return at.ioctl(at.iommufd, TsmArmV5.IOMMU_VDEVICE_TSM_REQ(), req);
  }

  @Test
  void armV5BindsByTheNumberThatIsAnotherCommandsIn73() {
    try (AssignedEndpoint at = on(Profile.ARM_V5)) {
      assertThat(armOperate(at, 3)).isEqualTo(no(Errno.EINVAL));
      assertThat(armOperate(at, Tsm.IOMMU_VDEVICE_TSM_BIND())).isZero();
      assertThat(at.state()).isEqualTo(TdiState.CONFIG_LOCKED);
      assertThat(armOperate(at, Tsm.IOMMU_VDEVICE_TSM_UNBIND())).isZero();
      assertThat(at.bound()).isEmpty();
    }
  }

  @Test
  void armV5sRequestsHaveAScopeThatIsNotForDebugging() {
    try (AssignedEndpoint at = on(Profile.ARM_V5)) {
      int change = TsmArmV5.IOMMU_VDEVICE_TSM_SCOPE_STATE_CHANGE();
      MemorySegment nothing = at.struct(0);
      assertThat(armAsk(at, TsmArmV5.IOMMU_VDEVICE_TSM_SCOPE_DEBUG_READ(), 2, nothing))
          .isEqualTo(no(Errno.EINVAL));
      assertThat(armAsk(at, change, 2, nothing)).isEqualTo(no(Errno.ENXIO));
      assertThat(armOperate(at, Tsm.IOMMU_VDEVICE_TSM_BIND())).isZero();
      assertThat(armAsk(at, change, 2, nothing)).isZero();
      assertThat(at.state()).isEqualTo(TdiState.RUN);
      int info = TsmArmV5.IOMMU_VDEVICE_TSM_SCOPE_INFO();
      assertThat(armAsk(at, info, 0, at.struct(REPORT_BYTES))).isZero();
    }
  }

  private static int armInfo(AssignedEndpoint at, int object, int bytes, MemorySegment answer) {
    MemorySegment asked = at.struct(iommu_vdevice_tsm_info.sizeof());
    iommu_vdevice_tsm_info.object(asked, object);
    iommu_vdevice_tsm_info.nonce(asked, MemorySegment.ofArray(NONCE));
    return armAsk(at, TsmArmV5.IOMMU_VDEVICE_TSM_SCOPE_INFO(), asked.asSlice(0, bytes), answer);
  }

  @Test
  void armV5sInfoGivesTheReportOrTheMeasurements() {
    try (AssignedEndpoint at = on(Profile.ARM_V5)) {
      byte[] expected = DeviceMeasurements.usual().message(NONCE);
      MemorySegment room = at.struct(expected.length);
      assertThat(armInfo(at, 1, 36, room)).isEqualTo(no(Errno.ENXIO));
      assertThat(armOperate(at, Tsm.IOMMU_VDEVICE_TSM_BIND())).isZero();
      assertThat(armInfo(at, 1, 35, room)).isEqualTo(no(Errno.EINVAL));
      assertThat(armInfo(at, 2, 36, room)).isEqualTo(no(Errno.EINVAL));
      assertThat(armInfo(at, 0, 3, room)).isEqualTo(no(Errno.EINVAL));
      assertThat(armInfo(at, 1, 36, room)).isZero();
      assertThat(room.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
      assertThat(armInfo(at, 0, 36, at.struct(REPORT_BYTES + 3))).isEqualTo(3);
    }
  }

  // -- cca-v7

  private static int ccaAsk(
      AssignedEndpoint at, int op, int bytes, MemorySegment payload, MemorySegment answer) {
    return ccaAsk(at, TDX, op, bytes, payload, answer);
  }

  private static int ccaAsk(
      AssignedEndpoint at,
      int arch,
      int op,
      int bytes,
      MemorySegment payload,
      MemorySegment answer) {
    MemorySegment req = at.sized(iommu_vdevice_tsm_req.sizeof());
    iommu_vdevice_tsm_req.vdevice_id(req, at.vdevice);
    iommu_vdevice_tsm_req.op(req, op);
    iommu_vdevice_tsm_req.tvm_arch(req, arch);
    iommu_vdevice_tsm_req.req_len(req, bytes);
    iommu_vdevice_tsm_req.req_uptr(req, payload.address());
    iommu_vdevice_tsm_req.resp_len(req, (int) answer.byteSize());
    iommu_vdevice_tsm_req.resp_uptr(req, answer.address());
    return at.ioctl(at.iommufd, TsmCcaV7.IOMMU_VDEVICE_TSM_REQ(), req);
  }

  @Test
  void ccaV7BindsWithTheVdeviceAndLocksByARequest() {
    try (AssignedEndpoint at = bound()) {
      assertThat(at.bound()).isEqualTo("tsm0");
      assertThat(at.state()).isEqualTo(TdiState.CONFIG_UNLOCKED);
      int state = Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE();
      MemorySegment nothing = at.struct(0);
      assertThat(ccaAsk(at, state, 4, longs(at, 2), nothing)).isEqualTo(no(Errno.EIO));
      assertThat(ccaAsk(at, state, 4, longs(at, 1), nothing)).isZero();
      assertThat(ccaAsk(at, state, 4, longs(at, 2), nothing)).isZero();
      assertThat(at.state()).isEqualTo(TdiState.RUN);
      assertThat(at.destroy(at.vdevice)).isZero();
      assertThat(at.bound()).isEmpty();
    }
  }

  @Test
  void ccaV7sRequestsNameThePlatformsArchitecture() {
    try (AssignedEndpoint at = bound()) {
      int state = Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE();
      for (int other : new int[] {0, Tsm.IOMMU_VDEVICE_TSM_ARCH_SEV()}) {
        assertThat(ccaAsk(at, other, state, 4, longs(at, 1), at.struct(0)))
            .isEqualTo(no(Errno.EINVAL));
      }
      assertThat(at.state()).isEqualTo(TdiState.CONFIG_UNLOCKED);
    }
  }

  /** Connected before the vDEVICE is made, which the bind needs. */
  private static AssignedEndpoint bound() {
    AssignedEndpoint made = AssignedEndpoint.withoutVdevice(Platform.TDX, Profile.CCA_V7);
    ok(made.makeViommu(made.viommuType()));
    ok(made.allocVdevice());
    return made;
  }

  @Test
  void theErrorsOfCcaV7sBindAreThoseOfTheVdevice() {
    try (AssignedEndpoint at = AssignedEndpoint.withoutVdevice(Platform.TDX, Profile.CCA_V7)) {
      ok(at.makeViommu(at.viommuType()));
      at.kernel.tsm().failNext(TsmErrors.Operation.BIND, Errno.EIO, true);
      assertThat(at.allocVdevice()).isEqualTo(no(Errno.EIO));
      assertThat(at.bound()).as("what had happened is undone").isEmpty();
      at.disconnect();
      assertThat(at.allocVdevice()).isEqualTo(no(Errno.EINVAL));
      at.connect();
      assertThat(at.allocVdevice()).isZero();
    }
  }

  @Test
  void ccaV7sObjectsAreReadFromAnOffset() {
    try (AssignedEndpoint at = bound()) {
      MemorySegment nothing = at.struct(0);
      MemorySegment size = at.struct(Long.BYTES);
      int info = TsmCcaV7.IOMMU_VDEVICE_TSM_OBJECT_INFO();
      int read = TsmCcaV7.IOMMU_VDEVICE_TSM_READ_OBJECT();
      assertThat(ccaAsk(at, info, 4, longs(at, 0), size)).isEqualTo(no(Errno.EIO));
      int state = Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE();
      assertThat(ccaAsk(at, state, 4, longs(at, 1), nothing)).isZero();
      assertThat(ccaAsk(at, info, 4, longs(at, 9), size)).isEqualTo(no(Errno.EINVAL));
      assertThat(ccaAsk(at, info, 4, longs(at, 0), size)).isZero();
      assertThat(size.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(REPORT_BYTES);
      MemorySegment part = at.struct(100);
      assertThat(ccaAsk(at, read, 16, longs(at, 0, 12), part)).isZero();
      assertThat(part.get(ValueLayout.JAVA_INT, 0)).isEqualTo(7);
      assertThat(ccaAsk(at, read, 16, longs(at, 0, REPORT_BYTES - 4), part)).isEqualTo(96);
      assertThat(ccaAsk(at, read, 16, longs(at, 0, REPORT_BYTES + 1), part))
          .isEqualTo(no(Errno.EINVAL));
    }
  }

  @Test
  void ccaV7sMeasurementsAreThereOnceTheyWereRegeneratedWithANonce() {
    try (AssignedEndpoint at = bound()) {
      MemorySegment nothing = at.struct(0);
      MemorySegment size = at.struct(Long.BYTES);
      int info = TsmCcaV7.IOMMU_VDEVICE_TSM_OBJECT_INFO();
      int read = TsmCcaV7.IOMMU_VDEVICE_TSM_READ_OBJECT();
      int again = TsmCcaV7.IOMMU_VDEVICE_TSM_REGENERATE_OBJECT();
      int measurements = Tsm.IOMMU_VDEVICE_TSM_OBJECT_MEASUREMENTS();
      byte[] expected = DeviceMeasurements.usual().message(NONCE);
      MemorySegment room = at.struct(expected.length);
      assertThat(ccaAsk(at, info, 4, longs(at, measurements), size)).isEqualTo(no(Errno.ENODATA));
      assertThat(ccaAsk(at, read, 16, longs(at, measurements, 0), room))
          .isEqualTo(no(Errno.ENODATA));
      MemorySegment nonce = at.struct(NONCE.length).copyFrom(MemorySegment.ofArray(NONCE));
      long there = nonce.address();
      assertThat(ccaAsk(at, again, 24, longs(at, measurements, 1, there), nothing))
          .isEqualTo(no(Errno.EINVAL));
      assertThat(ccaAsk(at, again, 24, longs(at, 9, 0, there), nothing))
          .isEqualTo(no(Errno.EINVAL));
      assertThat(ccaAsk(at, again, 24, longs(at, measurements, 0, 8), nothing))
          .isEqualTo(no(Errno.EFAULT));
      assertThat(ccaAsk(at, again, 24, longs(at, measurements, 0, there), nothing)).isZero();
      assertThat(ccaAsk(at, info, 4, longs(at, measurements), size)).isZero();
      assertThat(size.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(expected.length);
      assertThat(ccaAsk(at, read, 16, longs(at, measurements, 0), room)).isZero();
      assertThat(room.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
      assertThat(ccaAsk(at, read, 16, longs(at, measurements, 8), room)).isEqualTo(8);
    }
  }

  // -- intel-rfc-2025

  private static int rfcBind(AssignedEndpoint at, int argsz, int flags, int vdevice) {
    MemorySegment bind = at.struct(vfio_device_tsm_bind.sizeof());
    vfio_device_tsm_bind.argsz(bind, argsz);
    vfio_device_tsm_bind.flags(bind, flags);
    vfio_device_tsm_bind.vdevice_id(bind, vdevice);
    return at.ioctl(at.device, TsmIntelRfc2025.VFIO_DEVICE_TSM_BIND(), bind);
  }

  private static int rfcUnbind(AssignedEndpoint at, int argsz) {
    MemorySegment unbind = at.struct(vfio_device_tsm_unbind.sizeof());
    vfio_device_tsm_unbind.argsz(unbind, argsz);
    return at.ioctl(at.device, TsmIntelRfc2025.VFIO_DEVICE_TSM_UNBIND(), unbind);
  }

  private static int rfcState(AssignedEndpoint at, int state) {
    MemorySegment req = at.sized(iommu_vdevice_tsm_guest_request.sizeof());
    iommu_vdevice_tsm_guest_request.vdevice_id(req, at.vdevice);
    iommu_vdevice_tsm_guest_request.req_len(req, Integer.BYTES);
    iommu_vdevice_tsm_guest_request.req_uptr(req, longs(at, state).address());
    return at.ioctl(at.iommufd, TsmIntelRfc2025.IOMMU_VDEVICE_TSM_GUEST_REQUEST(), req);
  }

  @Test
  void vfioBindsUnderIntelsProposal() {
    try (AssignedEndpoint at = on(Profile.INTEL_RFC_2025)) {
      assertThat(rfcBind(at, 15, 0, at.vdevice)).isEqualTo(no(Errno.EINVAL));
      assertThat(rfcBind(at, 16, 1, at.vdevice)).isEqualTo(no(Errno.EINVAL));
      assertThat(rfcBind(at, 16, 0, 999)).isEqualTo(no(Errno.ENOENT));
      assertThat(rfcState(at, 2)).isEqualTo(no(Errno.ENOENT));
      assertThat(rfcBind(at, 16, 0, at.vdevice)).isZero();
      assertThat(rfcBind(at, 16, 0, at.vdevice)).isEqualTo(no(Errno.EEXIST));
      assertThat(rfcState(at, 2)).as("not mapped private yet").isEqualTo(no(Errno.EIO));
      at.giveTeeMemory(0, TsmIntelRfc2025.KVM_MEM_VFIO_DMABUF());
      assertThat(rfcState(at, 2)).isZero();
      assertThat(at.state()).isEqualTo(TdiState.RUN);
      assertThat(rfcUnbind(at, 7)).isEqualTo(no(Errno.EINVAL));
      assertThat(rfcUnbind(at, 8)).isZero();
      assertThat(at.bound()).isEmpty();
    }
  }

  @Test
  void itsBindNeedsAVm() {
    try (AssignedEndpoint at = AssignedEndpoint.withoutVm(Platform.TDX, Profile.INTEL_RFC_2025)) {
      assertThat(rfcBind(at, 16, 0, at.vdevice)).isEqualTo(no(Errno.ENOENT));
      assertThat(rfcState(at, 2)).isEqualTo(no(Errno.ENOENT));
    }
  }

  @Test
  void itsSlotsTakeAWholeDmaBuf() {
    List<Long> seen = new ArrayList<>();
    GuestScript script =
        GuestScript.builder().readPrivate(GPA, 8, seen::add).out(0x80, 1, 0).build();
    try (AssignedEndpoint at =
        AssignedEndpoint.on(Platform.TDX, Profile.INTEL_RFC_2025, (_, _) -> Optional.of(script))) {
      long flags = TsmIntelRfc2025.KVM_MEM_VFIO_DMABUF();
      int file = ok(at.export(0, 0, 0, 0x2000));
      assertThat(at.slot(1, flags, GPA, 0x1000, file, 0)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, flags, GPA, 0x1000, file, 0x1000)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, flags | Kvm.KVM_MEM_GUEST_MEMFD(), GPA, 0x2000, file, 0))
          .isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, flags, GPA, 0x2000, 999, 0)).isEqualTo(no(Errno.EBADF));
      assertThat(at.slot(1, flags, GPA, 0x2000, file, 0)).isZero();
      assertThat(rfcBind(at, 16, 0, at.vdevice)).isZero();
      at.giveTeeMemory(0, flags);
      assertThat(rfcState(at, 2)).isZero();
      int vcpu = at.startDomain();
      assertThat(at.enter(vcpu)).as("the attribute decides").isEqualTo(no(Errno.EFAULT));
      assertThat(at.makePrivate(GPA, 0x2000)).isZero();
      at.command(4);
      assertThat(at.enter(vcpu)).as("revoked").isEqualTo(no(Errno.EIO));
      assertThat(seen).isEmpty();
      at.command(6);
      assertThat(rfcUnbind(at, 8)).isZero();
      assertThat(rfcBind(at, 16, 0, at.vdevice)).isZero();
      assertThat(rfcState(at, 2)).isZero();
      at.kernel.close(file);
      assertThat(at.enter(vcpu)).isZero();
      assertThat(seen).containsExactly(TdispEndpoint.IDENTIFICATION);
    }
  }
}
