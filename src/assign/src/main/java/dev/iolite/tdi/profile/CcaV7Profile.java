package dev.iolite.tdi.profile;

import static dev.iolite.tdi.profile.TsmOperation.READ_MEASUREMENTS;
import static dev.iolite.tdi.profile.TsmOperation.READ_REPORT;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.Exit;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.catalog.TsmCcaV7Ioctls;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsmccav7.TsmCcaV7;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_object_info;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_read_object;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_regenerate_object;
import dev.iolite.uapi.tsmccav7.kvm_exit_arm64_tio;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/**
 * The proposal in which making the vDEVICE binds, without a lock, and destroying it unbinds. A
 * separate request leads to the state LOCKED. A bind that is interrupted is repeated: a vDEVICE
 * that was not made is not bound, either.
 *
 * <p>The report and the measurements are objects that are read once their size is known;
 * measurements are first made anew, with the guest's nonce. The numbers of the types and the
 * nonce's length are unknown; the ones here are this project's own.
 */
final class CcaV7Profile {
  private CcaV7Profile() {}

  static List<Ability> abilities(TsmCaller caller, Arch arch) {
    ArchRequest request = new ArchRequest(caller, TsmCcaV7Ioctls.IOMMU_VDEVICE_TSM_REQ, arch);
    return List.of(new VdeviceBinds(), request, new Objects(request), new RealmExits());
  }

  /** The vDEVICE itself is the binding. */
  private record VdeviceBinds() implements Ability.Binds {
    @Override
    public boolean locks() {
      return false;
    }

    @Override
    public void bind(TdiBinding binding) {}

    @Override
    public void unbind(TdiBinding binding) {}
  }

  /**
   * KVM_EXIT_ARM64_TIO, whose vdev_id is taken for the virtual BDF that the vDEVICE was made with.
   * It names no range id; the nonces that go with it are for the monitor to check, and the VMM does
   * not see them. Any response but 0 refuses.
   */
  private record RealmExits() implements Ability.Exits {
    @Override
    public Optional<GuestRequest> request(Exit exit) {
      if (!(exit instanceof Exit.Other other) || other.reason() != TsmCcaV7.KVM_EXIT_ARM64_TIO()) {
        return Optional.empty();
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
              0,
              response -> kvm_exit_arm64_tio.response(tio, response)));
    }
  }

  /** The requests for objects. */
  private record Objects(ArchRequest request) implements Ability.ReadsReport, Ability.Measures {
    @Override
    public byte[] report(TdiBinding binding) {
      return object(READ_REPORT, binding, Tsm.IOMMU_VDEVICE_TSM_OBJECT_REPORT());
    }

    @Override
    public byte[] measurements(TdiBinding binding, MemorySegment nonce) {
      int type = Tsm.IOMMU_VDEVICE_TSM_OBJECT_MEASUREMENTS();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment given = arena.allocate(nonce.byteSize()).copyFrom(nonce);
        MemorySegment again = iommu_vdevice_tsm_regenerate_object.allocate(arena);
        iommu_vdevice_tsm_regenerate_object.type(again, type);
        iommu_vdevice_tsm_regenerate_object.nonce_uptr(again, given.address());
        int number = TsmCcaV7.IOMMU_VDEVICE_TSM_REGENERATE_OBJECT();
        request.make(READ_MEASUREMENTS, binding, number, again, MemorySegment.NULL);
      }
      return object(READ_MEASUREMENTS, binding, type);
    }

    /**
     * Reads an object's size, and then all of it at once: a backend may not check offsets other
     * than 0.
     */
    private byte[] object(TsmOperation operation, TdiBinding binding, int type) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment answer = arena.allocate(bytes(operation, binding, type), Long.BYTES);
        MemorySegment read = iommu_vdevice_tsm_read_object.allocate(arena);
        iommu_vdevice_tsm_read_object.type(read, type);
        int number = TsmCcaV7.IOMMU_VDEVICE_TSM_READ_OBJECT();
        long used = request.make(operation, binding, number, read, answer);
        return answer.asSlice(0, used).toArray(ValueLayout.JAVA_BYTE);
      }
    }

    private long bytes(TsmOperation operation, TdiBinding binding, int type) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment info = iommu_vdevice_tsm_object_info.allocate(arena);
        iommu_vdevice_tsm_object_info.type(info, type);
        MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
        int number = TsmCcaV7.IOMMU_VDEVICE_TSM_OBJECT_INFO();
        long used = request.make(operation, binding, number, info, size);
        long bytes = size.get(ValueLayout.JAVA_LONG, 0);
        if (used != size.byteSize() || bytes < 0 || bytes > ReportRoom.MOST) {
          throw new PreconditionException(
              "%s of %s".formatted(operation, binding),
              "the kernel says in %d bytes that there are %s"
                  .formatted(used, Long.toUnsignedString(bytes)),
              "the kernel's OBJECT_INFO gives something else than the size",
              "check that the kernel has the UAPI profile " + Profile.CCA_V7);
        }
        return bytes;
      }
    }
  }
}
