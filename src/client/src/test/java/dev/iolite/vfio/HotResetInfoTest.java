package dev.iolite.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.uapi.vfio.Vfio;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which functions a reset of a slot or bus would hit, and whether all of them are ours. */
class HotResetInfoTest {
  private static final List<HotResetInfo.Dependent> THREE =
      List.of(
          new HotResetInfo.Dependent("0000:00:03.0", 7),
          new HotResetInfo.Dependent("0000:00:03.1", 0),
          new HotResetInfo.Dependent("0000:00:03.2", -1));

  @Test
  void theMessageNamesThoseThatAreNotOurs() {
    HotResetInfo info = new HotResetInfo(Vfio.VFIO_PCI_HOT_RESET_FLAG_DEV_ID(), THREE);
    assertThat(info.areAllOwned()).isFalse();
    assertThatThrownBy(() -> info.requireAllOwned("0000:00:03.0"))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("the reset would hit 0000:00:03.2 too");
  }

  @Test
  void theKernelSaysWhetherItMayBeDone() {
    HotResetInfo info = new HotResetInfo(Vfio.VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED(), THREE);
    assertThat(info.areAllOwned()).isTrue();
    assertThatCode(() -> info.requireAllOwned("0000:00:03.0")).doesNotThrowAnyException();
  }
}
