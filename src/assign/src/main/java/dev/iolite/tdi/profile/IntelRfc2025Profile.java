package dev.iolite.tdi.profile;

import static dev.iolite.tdi.profile.TsmOperation.BIND;
import static dev.iolite.tdi.profile.TsmOperation.READ_REPORT;
import static dev.iolite.tdi.profile.TsmOperation.SET_STATE;
import static dev.iolite.tdi.profile.TsmOperation.UNBIND;

import dev.iolite.tdi.layout.Kind;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.TsmIntelRfc2025Ioctls;
import dev.iolite.uapi.tsmintelrfc2025.TsmIntelRfc2025;
import dev.iolite.uapi.tsmintelrfc2025.iommu_vdevice_tsm_guest_request;
import dev.iolite.uapi.tsmintelrfc2025.vfio_device_tsm_bind;
import dev.iolite.uapi.tsmintelrfc2025.vfio_device_tsm_unbind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The proposal in which VFIO binds and a private slot takes a whole dma-buf, of no particular kind.
 * The messages of requests are architecture-specific and not described: as in the model, an empty
 * request returns the report, and any other takes the state, 32 bits.
 *
 * <p>The number of its requests is that of 7.3's IOMMU_HW_QUEUE_ALLOC.
 */
final class IntelRfc2025Profile {
  private IntelRfc2025Profile() {}

  static List<Ability> abilities(TsmCaller caller) {
    return List.of(
        new VfioBinds(caller),
        new Requests(caller),
        new PlainDmaBufs(),
        new Ability.PrivateSlots((int) TsmIntelRfc2025.KVM_MEM_VFIO_DMABUF(), true));
  }

  /** A private dma-buf is like any other. */
  private record PlainDmaBufs() implements Ability.ExportsPrivate {
    @Override
    public int flags(Kind kind) {
      return 0;
    }
  }

  /** VFIO_DEVICE_TSM_BIND and VFIO_DEVICE_TSM_UNBIND. */
  private record VfioBinds(TsmCaller caller) implements Ability.Binds {
    @Override
    public boolean locks() {
      return true;
    }

    @Override
    public void bind(TdiBinding binding) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment bind = vfio_device_tsm_bind.allocate(arena);
        vfio_device_tsm_bind.argsz(bind, (int) vfio_device_tsm_bind.sizeof());
        vfio_device_tsm_bind.vdevice_id(bind, binding.vdeviceId());
        caller.make(BIND, binding.device(), TsmIntelRfc2025Ioctls.VFIO_DEVICE_TSM_BIND, bind);
      }
    }

    @Override
    public void unbind(TdiBinding binding) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment unbind = vfio_device_tsm_unbind.allocate(arena);
        vfio_device_tsm_unbind.argsz(unbind, (int) vfio_device_tsm_unbind.sizeof());
        caller.make(UNBIND, binding.device(), TsmIntelRfc2025Ioctls.VFIO_DEVICE_TSM_UNBIND, unbind);
      }
    }
  }

  /** IOMMU_VDEVICE_TSM_GUEST_REQUEST. */
  private record Requests(TsmCaller caller) implements Ability.SetsState, Ability.ReadsReport {
    private static final Ioctl GUEST_REQUEST =
        TsmIntelRfc2025Ioctls.IOMMU_VDEVICE_TSM_GUEST_REQUEST;

    @Override
    public void setState(TdiBinding binding, TdiState to) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment state = arena.allocateFrom(ValueLayout.JAVA_INT, to.number());
        ask(SET_STATE, binding, state, MemorySegment.NULL);
      }
    }

    @Override
    public byte[] report(TdiBinding binding) {
      return ReportRoom.read(room -> ask(READ_REPORT, binding, MemorySegment.NULL, room));
    }

    private long ask(
        TsmOperation operation, TdiBinding binding, MemorySegment asked, MemorySegment answer) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment req = iommu_vdevice_tsm_guest_request.allocate(arena);
        iommu_vdevice_tsm_guest_request.size(req, (int) req.byteSize());
        iommu_vdevice_tsm_guest_request.vdevice_id(req, binding.vdeviceId());
        iommu_vdevice_tsm_guest_request.req_len(req, (int) asked.byteSize());
        iommu_vdevice_tsm_guest_request.req_uptr(req, asked.address());
        iommu_vdevice_tsm_guest_request.resp_len(req, (int) answer.byteSize());
        iommu_vdevice_tsm_guest_request.resp_uptr(req, answer.address());
        return caller.request(operation, binding.iommufd(), GUEST_REQUEST, req, _ -> 0, answer);
      }
    }
  }
}
