/** Linux VFIO, iommufd, KVM and PCI from Java through the FFM API. */
module dev.iolite {
  requires transitive dev.iolite.uapi;
  requires static org.jspecify;

  exports dev.iolite.iommufd;
  exports dev.iolite.ipc;
  exports dev.iolite.kernel;
  exports dev.iolite.kvm;
  exports dev.iolite.pci;
  exports dev.iolite.trace;
  exports dev.iolite.tsm;
  exports dev.iolite.vfio;
}
