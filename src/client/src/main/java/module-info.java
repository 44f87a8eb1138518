/** Linux VFIO, iommufd, KVM and PCI from Java through the FFM API. */
@SuppressWarnings("module") // those that it exports to are built after it
module dev.iolite {
  requires transitive dev.iolite.uapi;
  requires static org.jspecify;

  exports dev.iolite.dmabuf;
  exports dev.iolite.iommufd;
  exports dev.iolite.kernel;
  exports dev.iolite.kvm;
  exports dev.iolite.pci;
  exports dev.iolite.trace;
  exports dev.iolite.tsm;
  exports dev.iolite.vfio;

  // What processes of iolite say or leave to one another is no part of the library.
  exports dev.iolite.ipc to
      dev.iolite.assign,
      dev.iolite.cli,
      dev.iolite.mock;
}
