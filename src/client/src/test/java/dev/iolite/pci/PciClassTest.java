package dev.iolite.pci;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The name of a function's class: that of its subclass if it is a common one, or its base. */
class PciClassTest {
  @ParameterizedTest
  @CsvSource({
    "0x010802, NVMe controller",
    "0x010600, SATA controller",
    "0x018000, storage controller",
    "0x020000, Ethernet controller",
    "0x028000, network controller",
    "0x030000, VGA controller",
    "0x030200, 3D controller",
    "0x038000, display controller",
    "0x048000, multimedia device",
    "0x050200, CXL memory",
    "0x058000, memory controller",
    "0x060400, PCI bridge",
    "0x068000, bridge",
    "0x07ff00, communication controller",
    "0x080600, IOMMU",
    "0x088000, system peripheral",
    "0x0b4000, processor",
    "0x0c0330, USB controller",
    "0x0c8000, serial bus controller",
    "0x0d8000, wireless controller",
    "0x108000, encryption controller",
    "0x10ff00, encryption controller",
    "0x118000, signal processing controller",
    "0x120000, processing accelerator",
    "0x12ff00, processing accelerator",
    "0x00ff00, unclassified device",
    "0xff00ff, class 0xff"
  })
  void itIsThatOfTheSubclassOrOfTheBase(String code, String name) {
    assertThat(PciClass.name(Integer.decode(code))).isEqualTo(name);
  }
}
