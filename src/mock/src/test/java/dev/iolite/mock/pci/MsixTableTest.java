package dev.iolite.mock.pci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Registers;
import dev.iolite.mock.device.MsiX;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The structures of MSI-X, as a program reaches them that has their BAR mapped. */
class MsixTableTest {
  private static final int BAR = 2;
  private static final long TABLE = 0x1000;
  private static final long PBA = 0x2000;
  private static final long THIRD = TABLE + 3L * MsiX.ENTRY_BYTES;
  private static final long CONTROL = 12;

  private final List<Integer> perhapsSent = new ArrayList<>();
  private final MsixTable table =
      new MsixTable(new MsiX(4, BAR, TABLE, BAR, PBA), perhapsSent::add);
  private final Registers bar = table.access(BAR);

  @Test
  void aVectorIsUnmaskedInTheTable() {
    assertThat(bar.read(THIRD + CONTROL, 4)).isEqualTo(1);
    bar.write(THIRD + CONTROL, 4, 0);
    assertThat(table.isMasked(3)).isFalse();
    assertThat(table.isMasked(2)).isTrue();
    assertThat(perhapsSent).containsExactly(3);
  }

  @Test
  void anotherMessageLeadsNowhere() {
    table.program(3);
    assertThat(table.isProgrammed(3)).isTrue();
    bar.write(THIRD, 8, 0x1234_5678_0000L);
    assertThat(bar.read(THIRD, 8)).isEqualTo(0x1234_5678_0000L);
    assertThat(table.isProgrammed(3)).isFalse();
  }

  @Test
  void narrowWritesDoNothing() {
    bar.write(THIRD + CONTROL, 1, 0);
    bar.write(THIRD + CONTROL, 2, 0);
    assertThat(table.isMasked(3)).isTrue();
    assertThat(perhapsSent).isEmpty();
  }

  @Test
  void onlyTheDeviceChangesThePendingBits() {
    table.setPending(3, true);
    bar.write(PBA, 8, 0);
    assertThat(bar.read(PBA, 8)).isEqualTo(1 << 3);
    assertThat(perhapsSent).isEmpty();
  }
}
