package dev.iolite.mock.core;

import java.util.Optional;

/** A file of VFIO as KVM's VFIO device sees it (vfio_file_is_valid). */
public interface VfioFile {
  /** vfio_file_set_kvm: the VM that a bind of this file will be told of; empty: none any more. */
  void setKvm(Optional<KvmReference> vm);
}
