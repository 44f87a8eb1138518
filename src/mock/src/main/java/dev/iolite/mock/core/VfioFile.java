package dev.iolite.mock.core;

import java.util.Optional;

/** A file of VFIO as KVM's VFIO device sees it (vfio_file_is_valid). */
public interface VfioFile {
  /** vfio_file_set_kvm: the VM that a bind of this file will use; empty: none any longer. */
  void setKvm(Optional<KvmReference> vm);
}
