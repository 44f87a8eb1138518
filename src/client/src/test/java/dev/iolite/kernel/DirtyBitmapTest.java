package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class DirtyBitmapTest {
  private static final long PAGE = 4096;
  private static final ValueLayout.OfLong WORD =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Test
  void pagesAreFoundInOrder() {
    try (DirtyBitmap dirty = new DirtyBitmap(0x10_0000, 130 * PAGE, PAGE)) {
      assertThat(dirty.bits().byteSize()).isEqualTo(24);
      assertThat(dirty.nextDirty(0)).isEqualTo(-1);
      dirty.bits().setAtIndex(WORD, 0, 1L | 1L << 63);
      dirty.bits().setAtIndex(WORD, 2, 2);
      assertThat(dirty.nextDirty(0)).isZero();
      assertThat(dirty.nextDirty(1)).isEqualTo(63);
      assertThat(dirty.nextDirty(64)).isEqualTo(129);
      assertThat(dirty.nextDirty(130)).isEqualTo(-1);
      assertThat(dirty.count()).isEqualTo(3);
      assertThat(dirty.isDirty(63)).isTrue();
      assertThat(dirty.isDirty(62)).isFalse();
      assertThat(dirty.address(129)).isEqualTo(0x10_0000 + 129 * PAGE);
      dirty.clear();
      assertThat(dirty.count()).isZero();
    }
  }

  @Test
  void bitsBeyondTheLastPageAreNoPages() {
    try (DirtyBitmap dirty = new DirtyBitmap(0, 3 * PAGE, PAGE)) {
      dirty.bits().setAtIndex(WORD, 0, -1);
      assertThat(dirty.count()).isEqualTo(3);
      dirty.bits().setAtIndex(WORD, 0, 1L << 3);
      assertThat(dirty.nextDirty(0)).isEqualTo(-1);
    }
  }

  @Test
  void aRangeIsWholePages() {
    assertThatThrownBy(() -> new DirtyBitmap(0, PAGE, 3000)).hasMessage("a page of 0xbb8 bytes");
    assertThatThrownBy(() -> new DirtyBitmap(1, PAGE, PAGE))
        .hasMessage("0x1000 bytes from 0x1 are not pages of 0x1000 bytes");
    assertThatThrownBy(() -> new DirtyBitmap(0, 0, PAGE))
        .isInstanceOf(IllegalArgumentException.class);
    try (DirtyBitmap dirty = new DirtyBitmap(0, PAGE, PAGE)) {
      assertThatThrownBy(() -> dirty.nextDirty(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }
  }
}
