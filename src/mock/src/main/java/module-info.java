/** A model of Linux that answers the client's calls. */
module dev.iolite.mock {
  requires transitive dev.iolite;
  requires jdk.unsupported;
  requires static org.jspecify;
  requires tools.jackson.databind;
  requires tools.jackson.dataformat.yaml;

  exports dev.iolite.mock;
  exports dev.iolite.mock.core;
  exports dev.iolite.mock.device;
  exports dev.iolite.mock.device.nvme;
  exports dev.iolite.mock.door;
  exports dev.iolite.mock.kvm;
  exports dev.iolite.mock.pci;
  exports dev.iolite.mock.recording;
  exports dev.iolite.mock.remote;
  exports dev.iolite.mock.tsm;
  exports dev.iolite.mock.vfio;
}
