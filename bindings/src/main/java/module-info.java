/** The UAPI of Linux: bindings that jextract generates from its headers, and a catalog of them. */
module dev.iolite.uapi {
  requires static org.jspecify;

  exports dev.iolite.uapi.catalog;
  exports dev.iolite.uapi.dmabuf;
  exports dev.iolite.uapi.iommufd;
  exports dev.iolite.uapi.kvm;
  exports dev.iolite.uapi.libc;
  exports dev.iolite.uapi.seccomp;
  exports dev.iolite.uapi.tsm;
  exports dev.iolite.uapi.tsmarmv5;
  exports dev.iolite.uapi.tsmccav7;
  exports dev.iolite.uapi.tsmintelrfc2025;
  exports dev.iolite.uapi.tsmseed2025;
  exports dev.iolite.uapi.tsmv6;
  exports dev.iolite.uapi.vfio;
}
