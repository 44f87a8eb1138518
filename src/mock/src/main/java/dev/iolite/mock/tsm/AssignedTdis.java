package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.AssignedDevice;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.uapi.tsm.Tsm;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The interfaces of devices that are open through VFIO, found through vDEVICEs. */
final class AssignedTdis {
  private final LinkTsm tsm;
  private final Map<String, AssignedDevice> open = new HashMap<>();

  AssignedTdis(LinkTsm tsm) {
    this.tsm = tsm;
  }

  LinkTsm tsm() {
    return tsm;
  }

  void opened(AssignedDevice device) {
    open.put(device.function().name(), device);
  }

  void closed(AssignedDevice device) {
    open.remove(device.function().name());
  }

  private AssignedDevice of(GuestDevice device) {
    AssignedDevice assigned = open.get(device.device().name());
    if (assigned == null) {
      throw refused(Errno.ENODEV);
    }
    return assigned;
  }

  /**
   * The function of a vDEVICE that has a VM.
   *
   * @throws dev.iolite.mock.core.Refused ENODEV: its file had no VM when it was bound
   */
  TeeFunction function(GuestDevice device) {
    vm(device);
    return of(device).function();
  }

  /** The function of a vDEVICE, if its interface is bound. */
  Optional<TeeFunction> bound(GuestDevice device) {
    return Optional.ofNullable(open.get(device.device().name()))
        .map(AssignedDevice::function)
        .filter(function -> tsm.tdi(function).isPresent());
  }

  private KvmReference vm(GuestDevice device) {
    return of(device).kvm().orElseThrow(() -> refused(Errno.ENODEV));
  }

  /**
   * Binds.
   *
   * @param lock whether the bind locks the interface, and what may refuse the lock
   * @throws dev.iolite.mock.core.Refused ENODEV: there is no VM; or an error of {@link
   *     LinkTsm#bind}
   */
  void bind(GuestDevice device, Optional<Consumer<TeeFunction>> lock) {
    KvmReference vm = vm(device);
    tsm.bind(of(device).function(), Optional.of(vm), (int) device.virtualId(), lock);
  }

  /**
   * Checks a function whose interface is about to be locked
   * (drivers/vfio/pci/vfio_pci_tdi.c:vfio_pci_tdi_prepare_lock). Mapped BARs are just taken away.
   *
   * @throws dev.iolite.mock.core.Refused EBUSY: it has dma-bufs through which its memory can be
   *     reached
   */
  void requireNoDmaBufs(TeeFunction function) {
    boolean hasDmaBufs =
        Optional.ofNullable(open.get(function.name()))
            .filter(AssignedDevice::hasLiveDmaBufs)
            .isPresent();
    refuseIf(hasDmaBufs && !tsm.isLocked(function), Errno.EBUSY);
  }

  /** drivers/iommu/iommufd/tsm.c:iommufd_tsm_viommu_ops. */
  boolean hasViommu(IommuDevice device, int type) {
    return type == Tsm.IOMMU_VIOMMU_TYPE_TDX()
        && tsm.function(device.name()).filter(tsm::isConnected).isPresent();
  }

  /** Permanently revokes the dma-bufs of an open device that have a kind. */
  void revoke(TeeFunction function) {
    Optional.ofNullable(open.get(function.name())).ifPresent(AssignedDevice::revokeKinds);
  }

  /** Unbinds, if the device is open and bound. */
  void unbind(GuestDevice device) {
    AssignedDevice assigned = open.get(device.device().name());
    if (assigned != null) {
      tsm.unbind(assigned.function());
    }
  }
}
