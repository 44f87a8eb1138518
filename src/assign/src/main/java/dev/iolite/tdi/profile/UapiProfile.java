package dev.iolite.tdi.profile;

import dev.iolite.iommufd.ViommuType;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.Vm;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.plan.Abilities;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsmccav7.TsmCcaV7;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * One interface for binding TDIs, as a proposal defines it on a platform: the list of its
 * abilities. It has no state. Whatever it has no ability for is refused here, without a call.
 *
 * <p>Make its calls only on a kernel that has this interface; {@link ProfileProbe} finds out.
 */
public final class UapiProfile {
  private final Profile name;
  private final Arch arch;
  private final List<Ability> abilities;

  private UapiProfile(Profile name, Arch arch, List<Ability> abilities) {
    this.name = name;
    this.arch = arch;
    this.abilities = List.copyOf(abilities);
  }

  /** The profile with a name, on a platform. */
  public static UapiProfile of(Profile name, Arch arch) {
    TsmCaller caller = new TsmCaller(name);
    return new UapiProfile(
        name,
        arch,
        switch (name) {
          case MAINLINE_7_3 -> List.of();
          case ARM_V5 -> ArmV5Profile.abilities(caller);
          case V6 -> V6Profile.abilities(caller, arch);
          case CCA_V7 -> CcaV7Profile.abilities(caller, arch);
          case INTEL_RFC_2025 -> IntelRfc2025Profile.abilities(caller);
          case SEED_2025 -> Seed2025Profile.abilities(caller, arch);
        });
  }

  /** The profile's name. */
  public Profile name() {
    return name;
  }

  /** The platform that it is for. */
  public Arch arch() {
    return arch;
  }

  private <T extends Ability> Optional<T> find(Class<T> kind) {
    return abilities.stream().filter(kind::isInstance).map(kind::cast).findFirst();
  }

  /**
   * The ability for an operation.
   *
   * @throws UnsupportedByProfileException if it has none
   */
  <T extends Ability> T require(TsmOperation operation, Class<T> kind) {
    return find(kind).orElseThrow(() -> new UnsupportedByProfileException(name, arch, operation));
  }

  /**
   * The operations that it has calls for. Others throw {@link UnsupportedByProfileException},
   * without a call.
   */
  public Set<TsmOperation> operations() {
    return Arrays.stream(TsmOperation.values())
        .filter(operation -> find(operation.ability()).isPresent())
        .collect(Collectors.toCollection(() -> EnumSet.noneOf(TsmOperation.class)));
  }

  /** Whether it has a way to bind a TDI. */
  public boolean bindsTdis() {
    return find(Ability.Binds.class).isPresent();
  }

  /**
   * What a plan may rely on.
   *
   * @param slots how many memory slots the VM has left
   */
  public Abilities abilities(int slots) {
    boolean byDmaBuf = find(Ability.SharedSlots.class).isPresent();
    return new Abilities(
        byDmaBuf ? SharedSlots.BY_DMABUF : SharedSlots.BY_ADDRESS, privateMmio(), false, slots);
  }

  private PrivateMmio privateMmio() {
    PrivateMmio withoutSlots =
        find(Ability.ValidatesMmio.class).isPresent() ? PrivateMmio.BY_TSM : PrivateMmio.NOT_AT_ALL;
    return find(Ability.PrivateSlots.class)
        .map(slots ->
            slots.ofWholeDmaBuf()
                ? PrivateMmio.SLOT_OF_WHOLE_DMABUF
                : PrivateMmio.SLOTS_OF_ONE_DMABUF)
        .orElse(withoutSlots);
  }

  /** The type of the vIOMMU that the vDEVICE to be bound belongs to. */
  public ViommuType viommuType() {
    return switch (arch) {
      case CCA -> new ViommuType("ARM_REALM_SMMUV3", TsmCcaV7.IOMMU_VIOMMU_TYPE_ARM_REALM_SMMUV3());
      // AMD's driver accepts any number but 0 (drivers/iommu/amd/iommufd.c).
      case SEV -> new ViommuType("AMD", 1);
      case TDX -> new ViommuType("TDX", Tsm.IOMMU_VIOMMU_TYPE_TDX());
    };
  }

  /**
   * Whether that vIOMMU must be made from a nest parent. The TSM's type translates nothing, so any
   * page table of the device will do.
   */
  public boolean needsNestParent() {
    return find(Ability.TsmViommus.class).isEmpty();
  }

  /**
   * The bits of KVM_CAP_EXIT_HYPERCALL by which the guest's KVM_HC_TSM_ calls leave it; 0 if the
   * proposal has none, since its guests leave in some other way.
   */
  public long hypercallExits() {
    return find(Ability.HypercallExits.class).map(Ability.HypercallExits::bits).orElse(0L);
  }

  /**
   * Makes the vDEVICE and binds the device's interface to the VM that the device was given to.
   *
   * <p>If the bind fails, the vDEVICE is destroyed again, which unbinds what may have been bound;
   * failures of that are suppressed onto the exception.
   *
   * @throws TsmCallException EINVAL: no TSM is connected to the device; ENODEV, ENOENT: the device
   *     was not given to a VM before it was bound to the iommufd; EBUSY: bound to another VM, or
   *     the host can still reach its memory; EIO: the device refuses the lock, or the platform
   *     refuses the device; EEXIST: it already has a vDEVICE
   * @throws UnsupportedByProfileException if this profile cannot bind
   */
  public TdiBinding bind(TdiTarget target) {
    return TdiBinding.bind(this, require(TsmOperation.BIND, Ability.Binds.class), target);
  }

  /**
   * Makes a dma-buf of a kind over parts of a BAR; see {@link BoundVfioDevice#exportDmaBuf}. If the
   * proposal does not distinguish kinds, it is a plain one.
   *
   * @param bar the BAR's index, 0 to 5
   * @param ranges the parts; if the proposal distinguishes kinds, the kernel uses only what is of
   *     the kind in them
   * @throws dev.iolite.kernel.KernelException as there, and ENODEV: the interface is in a state in
   *     which nothing is of that kind; EINVAL: nothing in the ranges is
   * @throws UnsupportedByProfileException if the kind is private and the proposal has no private
   *     dma-bufs
   */
  public DmaBuf exportDmaBuf(BoundVfioDevice device, int bar, List<ByteRange> ranges, Kind kind) {
    int flags =
        switch (kind) {
          case PRIVATE ->
              require(TsmOperation.EXPORT_PRIVATE, Ability.ExportsPrivate.class).flags(kind);
          case SHARED ->
              find(Ability.ExportsPrivate.class).map(ability -> ability.flags(kind)).orElse(0);
        };
    return device.exportDmaBuf(PciRegion.bar(bar), ranges, Libc.O_RDWR(), flags);
  }

  /**
   * Which parts of the BAR a dma-buf contains, according to the kernel.
   *
   * @return empty if the proposal has no such query
   * @throws dev.iolite.kernel.KernelException what the kernel said
   */
  public Optional<List<DmaBufRun>> runs(DmaBuf dmaBuf) {
    return find(Ability.ListsRuns.class).map(ability -> ability.runs(dmaBuf));
  }

  /**
   * Makes a memory slot for private accesses, over a dma-buf.
   *
   * @param gpa the first guest-physical address, a multiple of the page size
   * @param bytes the length; if slots cover whole dma-bufs, that of the dma-buf
   * @param offset where the slot starts in the dma-buf, in bytes; if slots cover whole dma-bufs, 0
   * @throws dev.iolite.kernel.KernelException EINVAL: the dma-buf is not private, or the slot does
   *     not fit it; others as for {@link Vm#addDmaBufSlot}
   * @throws UnsupportedByProfileException if it has no such slots
   */
  public MemorySlot addPrivateSlot(Vm vm, long gpa, long bytes, DmaBuf dmaBuf, long offset) {
    var slots = require(TsmOperation.PRIVATE_SLOT, Ability.PrivateSlots.class);
    return vm.addDmaBufSlot(gpa, bytes, 0, slots.flags(), dmaBuf.fd(), offset);
  }

  /** Like {@link #addPrivateSlot}, for shared accesses. */
  public MemorySlot addSharedSlot(Vm vm, long gpa, long bytes, DmaBuf dmaBuf, long offset) {
    var slots = require(TsmOperation.SHARED_SLOT, Ability.SharedSlots.class);
    return vm.addDmaBufSlot(gpa, bytes, 0, slots.flags(), dmaBuf.fd(), offset);
  }

  /**
   * What the guest asks the VMM for: KVM_EXIT_HYPERCALL with KVM_HC_MAP_GPA_RANGE or a KVM_HC_TSM_
   * number, which is this project's own since no proposal has any for x86; under cca-v7,
   * KVM_EXIT_ARM64_TIO too.
   *
   * @return empty if the exit is about something else, which the caller must answer
   */
  public Optional<GuestRequest> request(Exit exit) {
    return GuestCalls.decode(exit)
        .or(() -> find(Ability.Exits.class).flatMap(ability -> ability.request(exit)));
  }

  /** Its calls beyond those in the headers, for callers that trace them or make them fail. */
  public List<Ioctl> ioctls() {
    return name.ioctls();
  }

  @Override
  public String toString() {
    return name + " on " + arch;
  }
}
