package dev.iolite.mock.core;

/** A VM as other drivers hold on to it (struct kvm with kvm_get_kvm and kvm_put_kvm). */
public interface KvmReference {
  /** Takes a reference (kvm_get_kvm_safe). */
  void getKvm();

  /** Gives a reference back (kvm_put_kvm). */
  void putKvm();
}
