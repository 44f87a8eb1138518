package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Pin;
import dev.iolite.mock.core.Refused;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Pages are pinned once, however many hold them, and unpinned when nobody does. */
class PinnedPagesTest {
  private final List<String> pinned = new ArrayList<>();
  private final PinnedPages pages = new Recorded();
  private long missing = Long.MAX_VALUE;

  /** Memory without bytes, whose pins are recorded; it may lack a page. */
  private final class Recorded extends PinnedPages {
    Recorded() {
      super(true);
    }

    @Override
    Pin pin(long first, long last) {
      if (first <= missing && missing <= last) {
        throw refused(Errno.EFAULT);
      }
      String range = first + "-" + last;
      pinned.add(range);
      return new Pin(new NoMemory(), 0, last - first + 1, () -> pinned.remove(range));
    }

    @Override
    void release() {}

    @Override
    long origin() {
      return 0;
    }

    @Override
    String what(long at) {
      return "pages";
    }
  }

  private record NoMemory() implements Memory {
    @Override
    public void read(long offset, MemorySegment into) {}

    @Override
    public void write(long offset, MemorySegment from) {}
  }

  @Test
  void whatIsHeldTwiceIsPinnedOnceAndUntilTheSecondLetsItGo() {
    pages.hold(0, 3);
    pages.hold(2, 5);
    assertThat(pinned).containsExactlyInAnyOrder("0-3", "4-5");
    pages.drop(0, 3);
    assertThat(pinned).as("pages 2 and 3 are of one pin").containsExactlyInAnyOrder("0-3", "4-5");
    pages.drop(2, 5);
    assertThat(pinned).isEmpty();
  }

  @Test
  void aHoldThatIsRefusedPinsNothingMore() {
    pages.hold(4, 5);
    missing = 8;
    assertThatThrownBy(() -> pages.hold(0, 9)).isInstanceOf(Refused.class);
    assertThat(pinned).containsExactly("4-5");
    missing = Long.MAX_VALUE;
    pages.hold(0, 9);
    assertThat(pinned).containsExactlyInAnyOrder("0-3", "4-5", "6-9");
    pages.drop(0, 9);
    assertThat(pinned).containsExactly("4-5");
    pages.drop(4, 5);
    assertThat(pinned).isEmpty();
  }

  @Test
  void pagesThatNobodyHoldsAreReachedByNobody() {
    pages.hold(2, 3);
    MemorySegment word = MemorySegment.ofArray(new byte[8]);
    pages.read(2 * 4096, word);
    pages.read(4 * 4096 - 8, word);
    assertThatThrownBy(() -> pages.read(4 * 4096 - 7, word)).isInstanceOf(Memory.Unreachable.class);
    assertThatThrownBy(() -> pages.write(2 * 4096 - 1, word))
        .isInstanceOf(Memory.Unreachable.class);
  }

  @Test
  void onePinIsOnePieceOfMemory() {
    pages.hold(0, 3);
    pages.hold(0, 5);
    assertThat(pages.isContiguous(0, 3)).isTrue();
    assertThat(pages.isContiguous(4, 5)).isTrue();
    assertThat(pages.isContiguous(3, 4)).isFalse();
  }
}
