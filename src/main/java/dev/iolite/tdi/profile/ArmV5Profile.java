package dev.iolite.tdi.profile;

import static dev.iolite.tdi.profile.TsmOperation.BIND;
import static dev.iolite.tdi.profile.TsmOperation.READ_MEASUREMENTS;
import static dev.iolite.tdi.profile.TsmOperation.READ_REPORT;
import static dev.iolite.tdi.profile.TsmOperation.SET_STATE;
import static dev.iolite.tdi.profile.TsmOperation.UNBIND;

import dev.iolite.iommufd.Vdevice;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.FdKind;
import dev.iolite.kernel.Ioctl;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tdi.plan.Abilities;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.uapi.tsmarmv5.TsmArmV5;
import dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_info;
import dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_req;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.List;

/**
 * The iommufd calls whose requests have a scope. The messages in them belong to the architecture
 * and are not described. It is this project's choice, in the client and in the model, that INFO
 * takes what to return (the report, or the measurements with a nonce) and STATE_CHANGE the state,
 * 32 bits.
 *
 * <p>IOMMU_VDEVICE_TSM_OP has the number of 7.3's IOMMU_IOAS_NOIOMMU_GET_PA here.
 */
final class ArmV5Profile extends TsmOpProfile {
  private static final Ioctl REQUEST =
      Ioctl.of(
              FdKind.IOMMUFD,
              "IOMMU_VDEVICE_TSM_REQ",
              TsmArmV5.IOMMU_VDEVICE_TSM_REQ(),
              iommu_vdevice_tsm_req.layout())
          .reportingInterrupts()
          .answering(TsmCaller.RESIDUE);

  ArmV5Profile(Arch arch) {
    super(
        ProfileName.ARM_V5,
        arch,
        TsmArmV5.IOMMU_VDEVICE_TSM_OP(),
        EnumSet.of(BIND, UNBIND, SET_STATE, READ_REPORT, READ_MEASUREMENTS));
  }

  @Override
  public Abilities abilities(int slots) {
    return new Abilities(SharedSlots.BY_ADDRESS, PrivateMmio.NOT_AT_ALL, false, slots);
  }

  @Override
  TdiBinding binding(Fd iommufd, Vdevice vdevice) {
    return new Binding(iommufd, vdevice);
  }

  @Override
  public List<Ioctl> ioctls() {
    return List.of(op().command(), REQUEST);
  }

  private final class Binding extends VdeviceBinding {
    Binding(Fd iommufd, Vdevice vdevice) {
      super(ArmV5Profile.this, iommufd, vdevice);
    }

    @Override
    void unbind() {
      op().unbind(iommufd(), vdevice().id());
    }

    @Override
    public void setState(TdiState to) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment state = arena.allocateFrom(ValueLayout.JAVA_INT, to.number());
        int scope = TsmArmV5.IOMMU_VDEVICE_TSM_SCOPE_STATE_CHANGE();
        ask(SET_STATE, scope, state, MemorySegment.NULL);
      }
    }

    @Override
    public byte[] report() {
      return info(
          READ_REPORT,
          TsmArmV5.IOMMU_VDEVICE_TSM_OBJECT_REPORT(),
          MemorySegment.ofArray(new byte[Measurements.NONCE_BYTES]));
    }

    @Override
    byte[] measure(MemorySegment nonce) {
      return info(READ_MEASUREMENTS, TsmArmV5.IOMMU_VDEVICE_TSM_OBJECT_MEASUREMENTS(), nonce);
    }

    private byte[] info(TsmOperation operation, int object, MemorySegment nonce) {
      int scope = TsmArmV5.IOMMU_VDEVICE_TSM_SCOPE_INFO();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment asked = iommu_vdevice_tsm_info.allocate(arena);
        iommu_vdevice_tsm_info.object(asked, object);
        iommu_vdevice_tsm_info.nonce(asked, nonce);
        return ReportRoom.read(room -> ask(operation, scope, asked, room));
      }
    }

    private long ask(TsmOperation operation, int scope, MemorySegment asked, MemorySegment answer) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment req = iommu_vdevice_tsm_req.allocate(arena);
        iommu_vdevice_tsm_req.size(req, (int) iommu_vdevice_tsm_req.sizeof());
        iommu_vdevice_tsm_req.vdevice_id(req, vdevice().id().value());
        iommu_vdevice_tsm_req.scope(req, scope);
        iommu_vdevice_tsm_req.req_len(req, (int) asked.byteSize());
        iommu_vdevice_tsm_req.req_uptr(req, asked.address());
        iommu_vdevice_tsm_req.resp_len(req, (int) answer.byteSize());
        iommu_vdevice_tsm_req.resp_uptr(req, answer.address());
        return caller().request(operation, iommufd(), REQUEST, req, _ -> 0, answer);
      }
    }
  }
}
