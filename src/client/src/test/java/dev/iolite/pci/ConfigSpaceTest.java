package dev.iolite.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ConfigSpaceTest {
  private final ByteBuffer bytes = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);

  @Test
  void walksBothLists() {
    standard(0x34, 0x40);
    capability(0x40, 0x01, 0x50);
    capability(0x50, 0x11, 0);
    bytes.putInt(0x100, 0x0001 | 0x148 << 20).putInt(0x148, 0x002e);

    assertThat(config(4096).capabilities())
        .containsExactly(
            new PciCapability(0x01, 0x40, false),
            new PciCapability(0x11, 0x50, false),
            new PciCapability(0x01, 0x100, true),
            new PciCapability(0x2e, 0x148, true))
        .extracting(PciCapability::name)
        .containsExactly(
            "Power Management", "MSI-X", "Advanced Error Reporting", "Data Object Exchange");
  }

  @Test
  void endsWhereAListGoesRound() {
    standard(0x34, 0x40);
    capability(0x40, 0x05, 0x50);
    capability(0x50, 0x10, 0x40);
    bytes.putInt(0x100, 0x0001 | 0x100 << 20);

    assertThat(config(4096).capabilities()).hasSize(3);
  }

  @Test
  void endsWhereAListLeavesTheSpace() {
    standard(0x34, 0xfc);
    capability(0xfc, 0x05, 0x10);
    bytes.putInt(0x100, 0x0001 | 0xffc << 20).putInt(0xffc, 0x0002 | 0x40 << 20);

    assertThat(config(4096).capabilities())
        .extracting(PciCapability::offset)
        .containsExactly(0xfc, 0x100, 0xffc);
  }

  @Test
  void hasNoneOfADeviceThatIsGone() {
    Arrays.fill(bytes.array(), (byte) 0xff);

    assertThat(config(4096).capabilities()).isEmpty();
  }

  @Test
  void knowsADeviceThatDoesNotAnswer() {
    Arrays.fill(bytes.array(), (byte) 0xff);
    assertThat(config(64).answers()).isFalse();
    assertThat(config(64).hidesCapabilities()).isFalse();

    bytes.put(0x3f, (byte) 0);
    assertThat(config(64).answers()).isTrue();
  }

  /** Only its physical function tells its ids. */
  @Test
  void aVirtualFunctionAnswers() {
    bytes.putInt(0, -1);
    assertThat(config(64).answers()).isTrue();
  }

  @Test
  void tellsThatAnOrdinaryUserMayNotReadThem() {
    assertThat(config(64).hidesCapabilities()).isFalse();
    standard(0x34, 0x40);
    capability(0x40, 0x05, 0);

    assertThat(config(64).capabilities()).isEmpty();
    assertThat(config(64).hidesCapabilities()).isTrue();
    assertThat(config(256).capabilities()).hasSize(1);
    assertThat(config(256).hidesCapabilities()).isFalse();
  }

  @Test
  void aBridgeHasItsListWhereAFunctionHas() {
    bytes.put(0x0e, (byte) 0x81);
    standard(0x34, 0x40);
    capability(0x40, 0x0d, 0);

    assertThat(config(256).headerType()).isEqualTo(ConfigSpace.BRIDGE);
    assertThat(config(256).capabilities()).hasSize(1);
  }

  @Test
  void aCardBusBridgeHasItsListElsewhereAndALargerHeader() {
    bytes.put(0x0e, (byte) 2).put(0x34, (byte) 0x50);
    capability(0x50, 0x05, 0);
    standard(0x14, 0x80);
    capability(0x80, 0x01, 0);

    assertThat(config(256).headerType()).isEqualTo(ConfigSpace.CARDBUS);
    assertThat(config(256).capabilities()).containsExactly(new PciCapability(0x01, 0x80, false));
    assertThat(config(128).hidesCapabilities()).isTrue();
  }

  @Test
  void looksForNoListInAHeaderOfAnUnknownType() {
    bytes.put(0x0e, (byte) 3);
    standard(0x34, 0x40);
    capability(0x40, 0x05, 0);

    assertThat(config(256).capabilities()).isEmpty();
  }

  @Test
  void isNothingWithoutAHeader() {
    assertThatThrownBy(() -> config(63))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("63 bytes");
  }

  @Test
  void knowsTheCommandRegister() {
    bytes.putShort(0x04, (short) 0x0006);

    assertThat(config(64).hasMemoryDecode()).isTrue();
    assertThat(config(64).hasBusMaster()).isTrue();
    assertThat(config(64).read32(4)).isEqualTo(6);
  }

  private void standard(int pointer, int first) {
    bytes.putShort(0x06, (short) 0x10).put(pointer, (byte) first);
  }

  private void capability(int offset, int id, int next) {
    bytes.put(offset, (byte) id).put(offset + 1, (byte) next);
  }

  private ConfigSpace config(int size) {
    return new ConfigSpace(Arrays.copyOf(bytes.array(), size));
  }
}
