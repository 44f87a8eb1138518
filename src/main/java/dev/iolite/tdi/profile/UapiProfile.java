package dev.iolite.tdi.profile;

import dev.iolite.iommufd.ViommuType;
import dev.iolite.kernel.Ioctl;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.Vm;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.plan.Abilities;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A proposal's interface for binding TDIs on a platform. It has no state.
 *
 * <p>Make its calls only on a kernel that has it; {@link ProfileProbe} finds out.
 */
public interface UapiProfile {
  /** The profile of a name, on a platform. */
  static UapiProfile of(ProfileName name, Arch arch) {
    return switch (name) {
      case MAINLINE_7_3 -> new MainlineProfile(arch);
      case ARM_V5 -> new ArmV5Profile(arch);
      case V6 -> new V6Profile(arch);
      case CCA_V7 -> new CcaV7Profile(arch);
      case INTEL_RFC_2025 -> new IntelRfc2025Profile(arch);
      case SEED_2025 -> new Seed2025Profile(arch);
    };
  }

  /** Which one it is. */
  ProfileName name();

  /** The platform it is for. */
  Arch arch();

  /** What it has calls for. Others throw {@link UnsupportedByProfileException}, without a call. */
  Set<TsmOperation> operations();

  /** Whether it has a way to bind a TDI. */
  default boolean bindsTdis() {
    return operations().contains(TsmOperation.BIND);
  }

  /**
   * What a plan may rest on.
   *
   * @param slots how many memory slots the VM has left
   */
  Abilities abilities(int slots);

  /** The type of the vIOMMU that a vDEVICE to be bound is made of. */
  ViommuType viommuType();

  /**
   * Whether that vIOMMU must be made of a nest parent. One that is the TSM's translates nothing, so
   * any page table of the device will do.
   */
  default boolean needsNestParent() {
    return true;
  }

  /**
   * The bits of KVM_CAP_EXIT_HYPERCALL by which the guest's KVM_HC_TSM_ calls leave it; 0 if the
   * proposal has none, since its guests leave in some other way.
   */
  default long hypercallExits() {
    return 0;
  }

  /**
   * Makes the vDEVICE and binds the device's interface to the VM that the device was given to.
   *
   * <p>If the bind fails, the vDEVICE is destroyed again, which unbinds what may have been bound;
   * failures of that are suppressed onto the exception.
   *
   * @throws TsmCallException EINVAL: no TSM is connected to the device; ENODEV, ENOENT: the device
   *     was given to no VM before it was bound to the iommufd; EBUSY: bound to another VM, or the
   *     host can still reach its memory; EIO: the device refuses the lock, or the platform the
   *     device; EEXIST: it has a vDEVICE already
   * @throws UnsupportedByProfileException if it can't
   */
  TdiBinding bind(TdiTarget target);

  /**
   * Makes a dma-buf of a kind over parts of a BAR; see {@link BoundVfioDevice#exportDmaBuf}. Where
   * the proposal has no kinds it is a plain one.
   *
   * @param bar the BAR's index, 0 to 5
   * @param ranges the parts; where the proposal has kinds, the kernel takes those of the kind from
   *     them
   * @throws dev.iolite.kernel.KernelException as there, and ENODEV: the interface is in a state in
   *     which nothing is of that kind; EINVAL: nothing of the ranges is
   * @throws UnsupportedByProfileException if the kind is private and it has no use for such
   */
  DmaBuf exportDmaBuf(BoundVfioDevice device, int bar, List<ByteRange> ranges, Kind kind);

  /**
   * What of the BAR a dma-buf has, as the kernel says.
   *
   * @return empty if the proposal has no such query
   * @throws dev.iolite.kernel.KernelException what the kernel said
   */
  Optional<List<DmaBufRun>> runs(DmaBuf dmaBuf);

  /**
   * Makes a memory slot for private accesses, over a dma-buf.
   *
   * @param gpa the first guest-physical address, a multiple of the page size
   * @param bytes the length; where slots are of whole dma-bufs, that of the dma-buf
   * @param offset where in the dma-buf, in bytes; where slots are of whole dma-bufs, 0
   * @throws dev.iolite.kernel.KernelException EINVAL: the dma-buf is not private, or the slot does
   *     not fit it; as for {@link Vm#addDmaBufSlot}
   * @throws UnsupportedByProfileException if it has no such slots
   */
  MemorySlot addPrivateSlot(Vm vm, long gpa, long bytes, DmaBuf dmaBuf, long offset);

  /** As {@link #addPrivateSlot}, for shared accesses. */
  MemorySlot addSharedSlot(Vm vm, long gpa, long bytes, DmaBuf dmaBuf, long offset);

  /**
   * What the guest asks the VMM for: KVM_EXIT_HYPERCALL with a KVM_HC_TSM_ number, which are this
   * project's since no proposal has any for x86, or KVM_HC_MAP_GPA_RANGE; under cca-v7
   * KVM_EXIT_ARM64_TIO too.
   *
   * @return empty if the exit is about something else, which is the caller's to answer
   */
  Optional<GuestRequest> request(Exit exit);

  /** Its calls beyond those of the headers, for who traces them or makes them fail. */
  List<Ioctl> ioctls();
}
