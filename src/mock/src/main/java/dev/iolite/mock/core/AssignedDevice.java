package dev.iolite.mock.core;

import java.util.Optional;

/** A device that is open through VFIO, as seen by the code that binds its interface. */
public interface AssignedDevice {
  /** The function. */
  TeeFunction function();

  /** The VM that its file was given before it was bound to its iommufd. */
  Optional<KvmReference> kvm();

  /** Whether it has a dma-buf that is not permanently revoked. */
  boolean hasLiveDmaBufs();

  /** Permanently revokes those of its dma-bufs that have a kind. */
  void revokeKinds();

  /**
   * A vDEVICE of the iommufd that it is bound to.
   *
   * @throws Refused ENOENT
   */
  GuestDevice guestDevice(int id);
}
