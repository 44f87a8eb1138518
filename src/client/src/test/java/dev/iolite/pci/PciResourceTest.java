package dev.iolite.pci;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A line of a function's {@code resource} file, with flags as in linux/ioport.h. */
class PciResourceTest {
  private static PciResource resource(int index, String flags) {
    return PciResource.parse(index, "0xc000 0xc01f " + flags).orElseThrow();
  }

  @Test
  void eachFlagIsSeenByItself() {
    PciResource ports = resource(0, "0x100");
    assertThat(ports.isIo()).isTrue();
    assertThat(ports.isMemory()).isFalse();
    PciResource memory = resource(1, "0x200");
    assertThat(memory.isMemory()).isTrue();
    assertThat(memory.isIo()).isFalse();
    assertThat(memory.isPrefetchable()).isFalse();
    assertThat(memory.is64Bit()).isFalse();
    assertThat(memory.isAssigned()).isTrue();
    assertThat(resource(2, "0x2200").isPrefetchable()).isTrue();
    assertThat(resource(2, "0x100200").is64Bit()).isTrue();
    assertThat(resource(2, "0x20000200").isAssigned()).isFalse();
  }

  @Test
  void itIsABarOrTheRom() {
    assertThat(resource(5, "0x200").name()).isEqualTo("BAR5");
    assertThat(resource(5, "0x200").isBar()).isTrue();
    assertThat(resource(6, "0x200").name()).isEqualTo("ROM");
    assertThat(resource(6, "0x200").isBar()).isFalse();
  }

  @Test
  void itsLengthCountsBothEnds() {
    assertThat(resource(0, "0x200").bytes()).isEqualTo(0x20);
    assertThat(PciResource.parse(0, "0x0 0x0 0x0")).as("of no BAR").isEmpty();
    assertThat(PciResource.parse(0, "0x2 0x1 0x200")).as("ends before it begins").isEmpty();
  }
}
