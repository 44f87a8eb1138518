package dev.iolite.tdi.profile;

import dev.iolite.iommufd.Vdevice;
import dev.iolite.iommufd.ViommuType;
import dev.iolite.kernel.KernelException;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.Vm;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.tsmccav7.TsmCcaV7;
import dev.iolite.uapi.tsmv6.TsmV6;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;

/** The common base of the profiles: no slots of dma-bufs, no kinds, and how a bind is undone. */
abstract class AbstractProfile implements UapiProfile {
  private final ProfileName name;
  private final Arch arch;
  private final Set<TsmOperation> operations;
  private final TsmCaller caller;

  AbstractProfile(ProfileName name, Arch arch, Set<TsmOperation> operations) {
    this.name = name;
    this.arch = arch;
    this.operations = Collections.unmodifiableSet(operations);
    caller = new TsmCaller(name);
  }

  /** The operations of a proposal with SEV's calls for DMA: those, on other platforms without. */
  static Set<TsmOperation> withDma(Arch arch, TsmOperation... others) {
    Set<TsmOperation> all = EnumSet.noneOf(TsmOperation.class);
    all.addAll(Set.of(others));
    if (arch == Arch.SEV) {
      all.add(TsmOperation.ENABLE_DMA);
      all.add(TsmOperation.DISABLE_DMA);
    }
    return all;
  }

  @Override
  public final ProfileName name() {
    return name;
  }

  @Override
  public final Arch arch() {
    return arch;
  }

  @Override
  public final Set<TsmOperation> operations() {
    return operations;
  }

  final TsmCaller caller() {
    return caller;
  }

  final UnsupportedByProfileException unsupported(TsmOperation operation) {
    return new UnsupportedByProfileException(name, arch, operation);
  }

  @Override
  public final ViommuType viommuType() {
    return switch (arch) {
      case CCA -> new ViommuType("ARM_REALM_SMMUV3", TsmCcaV7.IOMMU_VIOMMU_TYPE_ARM_REALM_SMMUV3());
      // AMD's driver takes any number but 0 (drivers/iommu/amd/iommufd.c).
      case SEV -> new ViommuType("AMD", 1);
      case TDX -> new ViommuType("TDX", TsmV6.IOMMU_VIOMMU_TYPE_TDX());
    };
  }

  /** Makes the vDEVICE, and the binding of it; without the binding there is no vDEVICE either. */
  final TdiBinding bind(TdiTarget target, Function<Vdevice, TdiBinding> bind) {
    Vdevice vdevice;
    try {
      vdevice = target.viommu().allocVdevice(target.device().deviceId(), target.virtualBdf());
    } catch (KernelException e) {
      throw caller.failed(TsmOperation.BIND, e, OptionalLong.empty());
    }
    try {
      return bind.apply(vdevice);
    } catch (RuntimeException e) {
      try {
        vdevice.close();
      } catch (KernelException undo) {
        e.addSuppressed(undo);
      }
      throw e;
    }
  }

  @Override
  public DmaBuf exportDmaBuf(BoundVfioDevice device, int bar, List<ByteRange> ranges, Kind kind) {
    if (kind == Kind.PRIVATE && !operations.contains(TsmOperation.EXPORT_PRIVATE)) {
      throw unsupported(TsmOperation.EXPORT_PRIVATE);
    }
    return device.exportDmaBuf(bar, ranges, Libc.O_RDWR());
  }

  @Override
  public Optional<List<DmaBufRun>> runs(DmaBuf dmaBuf) {
    return Optional.empty();
  }

  @Override
  public MemorySlot addPrivateSlot(Vm vm, long gpa, long bytes, DmaBuf dmaBuf, long offset) {
    throw unsupported(TsmOperation.PRIVATE_SLOT);
  }

  @Override
  public MemorySlot addSharedSlot(Vm vm, long gpa, long bytes, DmaBuf dmaBuf, long offset) {
    throw unsupported(TsmOperation.SHARED_SLOT);
  }

  @Override
  public Optional<GuestRequest> request(Exit exit) {
    return GuestCalls.decode(exit);
  }

  @Override
  public final String toString() {
    return name + " on " + arch;
  }
}
