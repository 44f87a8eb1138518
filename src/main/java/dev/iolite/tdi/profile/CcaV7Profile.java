package dev.iolite.tdi.profile;

import static dev.iolite.tdi.profile.TsmOperation.BIND;
import static dev.iolite.tdi.profile.TsmOperation.READ_MEASUREMENTS;
import static dev.iolite.tdi.profile.TsmOperation.READ_REPORT;
import static dev.iolite.tdi.profile.TsmOperation.SET_STATE;
import static dev.iolite.tdi.profile.TsmOperation.UNBIND;
import static dev.iolite.tdi.profile.TsmOperation.VALIDATE_MMIO;

import dev.iolite.iommufd.Vdevice;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.Ioctl;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.Exit;
import dev.iolite.tdi.plan.Abilities;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.uapi.tsmccav7.TsmCcaV7;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_object_info;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_read_object;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_regenerate_object;
import dev.iolite.uapi.tsmccav7.kvm_exit_arm64_tio;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;

/**
 * The proposal in which making the vDEVICE binds, without a lock, and destroying it unbinds. The
 * state LOCKED is a request of its own. A bind that is interrupted is repeated: a vDEVICE that was
 * not made is not bound, either.
 *
 * <p>The report and the measurements are objects that are read once their size is known;
 * measurements are first made anew, with the guest's nonce. The numbers of the types and the
 * nonce's length are not known; those here are this project's own.
 */
final class CcaV7Profile extends AbstractProfile {
  private final ArchRequest request;

  CcaV7Profile(Arch arch) {
    super(
        ProfileName.CCA_V7,
        arch,
        EnumSet.of(BIND, UNBIND, SET_STATE, VALIDATE_MMIO, READ_REPORT, READ_MEASUREMENTS));
    request = new ArchRequest(caller(), TsmCcaV7.IOMMU_VDEVICE_TSM_REQ(), arch);
  }

  @Override
  public Abilities abilities(int slots) {
    return new Abilities(SharedSlots.BY_ADDRESS, PrivateMmio.BY_TSM, false, slots);
  }

  @Override
  public TdiBinding bind(TdiTarget target) {
    return bind(target, vdevice -> new Binding(target.iommufd().fd(), vdevice));
  }

  /**
   * KVM_EXIT_ARM64_TIO too, whose vdev_id is taken for the virtual BDF that the vDEVICE was made
   * with. Any response but 0 refuses.
   */
  @Override
  public Optional<GuestRequest> request(Exit exit) {
    if (!(exit instanceof Exit.Other other) || other.reason() != TsmCcaV7.KVM_EXIT_ARM64_TIO()) {
      return super.request(exit);
    }
    MemorySegment tio = other.payload();
    if (kvm_exit_arm64_tio.nr(tio) != TsmCcaV7.KVM_ARM64_TIO_VDEV_VALIDATE_MAPPING()) {
      return Optional.empty();
    }
    return Optional.of(
        new GuestRequest.ValidateMmio(
            kvm_exit_arm64_tio.vdev_id(tio),
            kvm_exit_arm64_tio.gpa_base(tio),
            kvm_exit_arm64_tio.gpa_top(tio),
            kvm_exit_arm64_tio.pa_base(tio),
            response -> kvm_exit_arm64_tio.response(tio, response)));
  }

  @Override
  public List<Ioctl> ioctls() {
    return List.of(request.command());
  }

  private final class Binding extends ArchBinding {
    Binding(Fd iommufd, Vdevice vdevice) {
      super(CcaV7Profile.this, request, iommufd, vdevice);
    }

    @Override
    public boolean isLockedByBind() {
      return false;
    }

    @Override
    void unbind() {}

    @Override
    public byte[] report() {
      return object(READ_REPORT, TsmCcaV7.IOMMU_VDEVICE_TSM_OBJECT_REPORT());
    }

    @Override
    byte[] measure(MemorySegment nonce) {
      int type = TsmCcaV7.IOMMU_VDEVICE_TSM_OBJECT_MEASUREMENTS();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment given = arena.allocate(nonce.byteSize()).copyFrom(nonce);
        MemorySegment again = iommu_vdevice_tsm_regenerate_object.allocate(arena);
        iommu_vdevice_tsm_regenerate_object.type(again, type);
        iommu_vdevice_tsm_regenerate_object.nonce_uptr(again, given.address());
        int number = TsmCcaV7.IOMMU_VDEVICE_TSM_REGENERATE_OBJECT();
        ask(READ_MEASUREMENTS, number, again, MemorySegment.NULL);
      }
      return object(READ_MEASUREMENTS, type);
    }

    /** Its size, and then all of it at once: a backend may not check offsets other than 0. */
    private byte[] object(TsmOperation operation, int type) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment answer = arena.allocate(bytes(arena, operation, type), Long.BYTES);
        MemorySegment read = iommu_vdevice_tsm_read_object.allocate(arena);
        iommu_vdevice_tsm_read_object.type(read, type);
        long used = ask(operation, TsmCcaV7.IOMMU_VDEVICE_TSM_READ_OBJECT(), read, answer);
        return answer.asSlice(0, used).toArray(ValueLayout.JAVA_BYTE);
      }
    }

    private long bytes(Arena arena, TsmOperation operation, int type) {
      MemorySegment info = iommu_vdevice_tsm_object_info.allocate(arena);
      iommu_vdevice_tsm_object_info.type(info, type);
      MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
      long used = ask(operation, TsmCcaV7.IOMMU_VDEVICE_TSM_OBJECT_INFO(), info, size);
      long bytes = size.get(ValueLayout.JAVA_LONG, 0);
      if (used != size.byteSize() || bytes < 0 || bytes > ReportRoom.MOST) {
        throw new PreconditionException(
            "%s of %s".formatted(operation, this),
            "the kernel says in %d bytes that there are %s"
                .formatted(used, Long.toUnsignedString(bytes)),
            "the kernel's OBJECT_INFO gives something else than the size",
            "check that the kernel has the UAPI profile " + name());
      }
      return bytes;
    }

    private long ask(
        TsmOperation operation, int number, MemorySegment payload, MemorySegment answer) {
      return request.make(operation, iommufd(), vdevice().id(), number, payload, answer);
    }
  }
}
