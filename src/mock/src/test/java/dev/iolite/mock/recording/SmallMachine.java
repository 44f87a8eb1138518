package dev.iolite.mock.recording;

/** The text of a recording with one of each. */
final class SmallMachine {
  /** As it is written: every number of a line and column in the tests counts on it. */
  static final String TEXT =
      """
      recording: 1
      host:
        kernel: "7.4.0-custom"
        platform: plain
        profile: mainline-7.3
        processors: 2
        processor:
          "vendor_id": "GenuineIntel"
          "model": "143"
        physical-address-bits: 46
        huge-pages: {"hugepages-1048576kB": "3"}
        transparent-huge-pages: "[always] madvise never"
      kvm:
        capabilities:
          "HLT": 1
          "NR_VCPUS": 2
          "MAX_VCPUS": 512
          "MAX_VCPU_ID": 2048
      tsms: []
      iommus:
        - {name: "dmar3", kind: intel-vtd, features: "0xd2008c22260286", more-features: "0xf00f4a"}
      groups:
        - id: 17
          type: "DMA-FQ"
          reserved:
            - {first: "0x0", last: "0xffffff", kind: direct-relaxable}
            - {first: "0xfee00000", last: "0xfeefffff", kind: msi}
      functions:
        - address: "0000:3a:00.0"
          vendor: "0x8086"
          device: "0x2030"
          subsystem-vendor: "0x8086"
          subsystem-device: "0x0001"
          class: "0x060400"
          revision: "0x07"
          driver: "pcieport"
          irq: 24
          reset-methods: []
          resources:
            - {index: 14, start: "0xe0000000", end: "0xe00fffff", flags: "0x200"}
          config-bytes: 256
          config: |
            0x000: 86 80 30 20 07 04 10 00 07 00 04 06 08 00 01 00
            0x010: 00 00 00 00 00 00 00 00 3a 3b 3d 00 00 00 00 00
        - address: "0000:3b:00.0"
          vendor: "0x8086"
          device: "0x1572"
          subsystem-vendor: "0x8086"
          subsystem-device: "0x0007"
          class: "0x020000"
          revision: "0x02"
          driver: "vfio-pci"
          iommu: "dmar3"
          group: 17
          irq: 0
          reset-methods: ["flr", "bus"]
          attributes: {"numa_node": "1"}
          resources:
            - {index: 0, start: "0xe0000000", end: "0xe000ffff", flags: "0x40200"}
          config-bytes: 256
          config: |
            0x000: 86 80 72 15 02 04 10 00 02 00 00 02 08 00 00 00
            0x010: 00 00 00 e0 00 00 00 00 00 00 00 00 00 00 00 00
            0x020: 00 00 00 00 00 00 00 00 00 00 00 00 86 80 07 00
            0x030: 00 00 00 00 40 00 00 00 00 00 00 00 00 01 00 00
            0x040: 05 00 84 00 00 00 00 00 00 00 00 00 00 00 00 00
      """;

  private SmallMachine() {}
}
