/** Linux device assignment from Java: VFIO, iommufd and KVM through the FFM API. */
module dev.iolite {
  requires info.picocli;
  requires static org.jspecify;
  requires tools.jackson.databind;
  requires tools.jackson.dataformat.yaml;

  exports dev.iolite.doctor;
  exports dev.iolite.iommufd;
  exports dev.iolite.kernel;
  exports dev.iolite.kvm;
  exports dev.iolite.mock;
  exports dev.iolite.mock.core;
  exports dev.iolite.mock.kvm;
  exports dev.iolite.mock.device;
  exports dev.iolite.mock.pci;
  exports dev.iolite.mock.remote;
  exports dev.iolite.mock.tsm;
  exports dev.iolite.mock.vfio;
  exports dev.iolite.passthrough;
  exports dev.iolite.pci;
  exports dev.iolite.steps;
  exports dev.iolite.rehearsal;
  exports dev.iolite.tdi;
  exports dev.iolite.tdi.evidence;
  exports dev.iolite.tdi.guest;
  exports dev.iolite.tdi.journal;
  exports dev.iolite.tdi.layout;
  exports dev.iolite.tdi.ledger;
  exports dev.iolite.tdi.plan;
  exports dev.iolite.tdi.profile;
  exports dev.iolite.trace;
  exports dev.iolite.tsm;
  exports dev.iolite.uapi.catalog;
  exports dev.iolite.uapi.dmabuf;
  exports dev.iolite.uapi.iommufd;
  exports dev.iolite.uapi.kvm;
  exports dev.iolite.uapi.libc;
  exports dev.iolite.uapi.tsm;
  exports dev.iolite.uapi.tsmarmv5;
  exports dev.iolite.uapi.tsmccav7;
  exports dev.iolite.uapi.tsmintelrfc2025;
  exports dev.iolite.uapi.tsmseed2025;
  exports dev.iolite.uapi.tsmv6;
  exports dev.iolite.uapi.vfio;
  exports dev.iolite.vfio;

  opens dev.iolite.cli to
      info.picocli;
  opens dev.iolite.cli.held to
      info.picocli;
}
