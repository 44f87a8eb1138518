/** A virtual machine monitor: boots Linux on KVM, with PCI devices passed through. */
module dev.iolite.vmm {
  requires transitive dev.iolite;
  requires static org.jspecify;

  exports dev.iolite.vmm;
}
