package dev.iolite.tdi.profile;

import static dev.iolite.tdi.profile.TsmOperation.BIND;
import static dev.iolite.tdi.profile.TsmOperation.EXPORT_PRIVATE;
import static dev.iolite.tdi.profile.TsmOperation.PRIVATE_SLOT;
import static dev.iolite.tdi.profile.TsmOperation.READ_REPORT;
import static dev.iolite.tdi.profile.TsmOperation.SET_STATE;
import static dev.iolite.tdi.profile.TsmOperation.UNBIND;

import dev.iolite.iommufd.Vdevice;
import dev.iolite.kernel.FdKind;
import dev.iolite.kernel.Ioctl;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.Vm;
import dev.iolite.tdi.plan.Abilities;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.uapi.tsmintelrfc2025.TsmIntelRfc2025;
import dev.iolite.uapi.tsmintelrfc2025.iommu_vdevice_tsm_guest_request;
import dev.iolite.uapi.tsmintelrfc2025.vfio_device_tsm_bind;
import dev.iolite.uapi.tsmintelrfc2025.vfio_device_tsm_unbind;
import dev.iolite.vfio.DmaBuf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.List;

/**
 * The proposal in which VFIO binds and a private slot takes a whole dma-buf, of no particular kind.
 * The messages of requests belong to the architecture and are not described: as in the model, one
 * without a request returns the report, and any other takes the state, 32 bits.
 *
 * <p>The number of its requests is 7.3's IOMMU_HW_QUEUE_ALLOC.
 */
final class IntelRfc2025Profile extends AbstractProfile {
  private static final Ioctl TSM_BIND =
      Ioctl.of(
              FdKind.VFIO_DEVICE,
              "VFIO_DEVICE_TSM_BIND",
              TsmIntelRfc2025.VFIO_DEVICE_TSM_BIND(),
              vfio_device_tsm_bind.layout())
          .reportingInterrupts();

  private static final Ioctl TSM_UNBIND =
      Ioctl.of(
              FdKind.VFIO_DEVICE,
              "VFIO_DEVICE_TSM_UNBIND",
              TsmIntelRfc2025.VFIO_DEVICE_TSM_UNBIND(),
              vfio_device_tsm_unbind.layout())
          .reportingInterrupts();

  private static final Ioctl GUEST_REQUEST =
      Ioctl.of(
              FdKind.IOMMUFD,
              "IOMMU_VDEVICE_TSM_GUEST_REQUEST",
              TsmIntelRfc2025.IOMMU_VDEVICE_TSM_GUEST_REQUEST(),
              iommu_vdevice_tsm_guest_request.layout())
          .reportingInterrupts()
          .answering(TsmCaller.RESIDUE);

  private static final int DMABUF = (int) TsmIntelRfc2025.KVM_MEM_VFIO_DMABUF();

  IntelRfc2025Profile(Arch arch) {
    super(
        ProfileName.INTEL_RFC_2025,
        arch,
        EnumSet.of(BIND, UNBIND, SET_STATE, READ_REPORT, EXPORT_PRIVATE, PRIVATE_SLOT));
  }

  @Override
  public Abilities abilities(int slots) {
    return new Abilities(SharedSlots.BY_ADDRESS, PrivateMmio.SLOT_OF_WHOLE_DMABUF, false, slots);
  }

  @Override
  public TdiBinding bind(TdiTarget target) {
    return bind(
        target,
        vdevice -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment bind = vfio_device_tsm_bind.allocate(arena);
            vfio_device_tsm_bind.argsz(bind, (int) vfio_device_tsm_bind.sizeof());
            vfio_device_tsm_bind.vdevice_id(bind, vdevice.id().value());
            caller().make(BIND, target.device().fd(), TSM_BIND, bind);
          }
          return new Binding(target, vdevice);
        });
  }

  @Override
  public MemorySlot addPrivateSlot(Vm vm, long gpa, long bytes, DmaBuf dmaBuf, long offset) {
    return vm.addDmaBufSlot(gpa, bytes, 0, DMABUF, dmaBuf.fd(), offset);
  }

  @Override
  public List<Ioctl> ioctls() {
    return List.of(TSM_BIND, TSM_UNBIND, GUEST_REQUEST);
  }

  private final class Binding extends VdeviceBinding {
    private final TdiTarget target;

    Binding(TdiTarget target, Vdevice vdevice) {
      super(IntelRfc2025Profile.this, target.iommufd().fd(), vdevice);
      this.target = target;
    }

    @Override
    void unbind() {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment unbind = vfio_device_tsm_unbind.allocate(arena);
        vfio_device_tsm_unbind.argsz(unbind, (int) vfio_device_tsm_unbind.sizeof());
        caller().make(UNBIND, target.device().fd(), TSM_UNBIND, unbind);
      }
    }

    @Override
    public void setState(TdiState to) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment state = arena.allocateFrom(ValueLayout.JAVA_INT, to.number());
        ask(SET_STATE, state, MemorySegment.NULL);
      }
    }

    @Override
    public byte[] report() {
      return ReportRoom.read(room -> ask(READ_REPORT, MemorySegment.NULL, room));
    }

    private long ask(TsmOperation operation, MemorySegment asked, MemorySegment answer) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment req = iommu_vdevice_tsm_guest_request.allocate(arena);
        iommu_vdevice_tsm_guest_request.size(req, (int) req.byteSize());
        iommu_vdevice_tsm_guest_request.vdevice_id(req, vdevice().id().value());
        iommu_vdevice_tsm_guest_request.req_len(req, (int) asked.byteSize());
        iommu_vdevice_tsm_guest_request.req_uptr(req, asked.address());
        iommu_vdevice_tsm_guest_request.resp_len(req, (int) answer.byteSize());
        iommu_vdevice_tsm_guest_request.resp_uptr(req, answer.address());
        return caller()
            .request(operation, target.iommufd().fd(), GUEST_REQUEST, req, _ -> 0, answer);
      }
    }
  }
}
