package dev.iolite.tdi.profile;

import static dev.iolite.tdi.profile.TsmOperation.READ_MEASUREMENTS;
import static dev.iolite.tdi.profile.TsmOperation.READ_REPORT;
import static dev.iolite.tdi.profile.TsmOperation.SET_STATE;

import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.TsmArmV5Ioctls;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsmarmv5.TsmArmV5;
import dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_info;
import dev.iolite.uapi.tsmarmv5.iommu_vdevice_tsm_req;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The iommufd calls whose requests have a scope. The messages in them are architecture-specific and
 * not described. It is this project's choice, in the client and in the model, that INFO takes what
 * to return (the report, or the measurements with a nonce) and STATE_CHANGE the state, 32 bits.
 *
 * <p>Here, IOMMU_VDEVICE_TSM_OP has the number of 7.3's IOMMU_IOAS_NOIOMMU_GET_PA.
 */
final class ArmV5Profile {
  private ArmV5Profile() {}

  static List<Ability> abilities(TsmCaller caller) {
    return List.of(
        new TsmOp(caller, TsmArmV5Ioctls.IOMMU_VDEVICE_TSM_OP), new ScopedRequest(caller));
  }

  /** IOMMU_VDEVICE_TSM_REQ with a scope. */
  private record ScopedRequest(TsmCaller caller)
      implements Ability.SetsState, Ability.ReadsReport, Ability.Measures {
    private static final Ioctl COMMAND = TsmArmV5Ioctls.IOMMU_VDEVICE_TSM_REQ;

    @Override
    public void setState(TdiBinding binding, TdiState to) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment state = arena.allocateFrom(ValueLayout.JAVA_INT, to.number());
        int scope = TsmArmV5.IOMMU_VDEVICE_TSM_SCOPE_STATE_CHANGE();
        ask(SET_STATE, binding, scope, state, MemorySegment.NULL);
      }
    }

    @Override
    public byte[] report(TdiBinding binding) {
      MemorySegment nonce = MemorySegment.ofArray(new byte[Measurements.NONCE_BYTES]);
      return info(READ_REPORT, binding, Tsm.IOMMU_VDEVICE_TSM_OBJECT_REPORT(), nonce);
    }

    @Override
    public byte[] measurements(TdiBinding binding, MemorySegment nonce) {
      return info(READ_MEASUREMENTS, binding, Tsm.IOMMU_VDEVICE_TSM_OBJECT_MEASUREMENTS(), nonce);
    }

    private byte[] info(
        TsmOperation operation, TdiBinding binding, int object, MemorySegment nonce) {
      int scope = TsmArmV5.IOMMU_VDEVICE_TSM_SCOPE_INFO();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment asked = iommu_vdevice_tsm_info.allocate(arena);
        iommu_vdevice_tsm_info.object(asked, object);
        iommu_vdevice_tsm_info.nonce(asked, nonce);
        return ReportRoom.read(room -> ask(operation, binding, scope, asked, room));
      }
    }

    private long ask(
        TsmOperation operation,
        TdiBinding binding,
        int scope,
        MemorySegment asked,
        MemorySegment answer) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment req = iommu_vdevice_tsm_req.allocate(arena);
        iommu_vdevice_tsm_req.size(req, (int) iommu_vdevice_tsm_req.sizeof());
        iommu_vdevice_tsm_req.vdevice_id(req, binding.vdeviceId());
        iommu_vdevice_tsm_req.scope(req, scope);
        iommu_vdevice_tsm_req.req_len(req, (int) asked.byteSize());
        iommu_vdevice_tsm_req.req_uptr(req, asked.address());
        iommu_vdevice_tsm_req.resp_len(req, (int) answer.byteSize());
        iommu_vdevice_tsm_req.resp_uptr(req, answer.address());
        return caller.request(operation, binding.iommufd(), COMMAND, req, _ -> 0, answer);
      }
    }
  }
}
