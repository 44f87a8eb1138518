package dev.iolite.mock.core;

import java.util.Optional;

/** A VFIO file as KVM's VFIO device sees it (vfio_file_is_valid). */
public interface VfioFile {
  /** vfio_file_set_kvm: sets the VM that a bind of this file will use; empty: no longer any. */
  void setKvm(Optional<KvmReference> vm);
}
