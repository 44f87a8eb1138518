package dev.iolite.mock.iommufd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import dev.iolite.mock.core.HostUserMemory;
import dev.iolite.mock.core.Task;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tree of areas against a list of them. */
class AreaTreeTest {
  private static final int SPACE = 200;

  private final AreaTree tree = new AreaTree();
  private final Pages pages = pages();

  private static Pages pages() {
    var host = new HostKernel();
    return new UserPages(new Task(host, new HostUserMemory(host)).memory(), 0, true);
  }

  private Area area(long first, long last) {
    return new Area(first, last, pages, 0, true, true);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void findsWhatAListFinds(long seed) {
    var random = new Random(seed);
    Map<Long, Area> list = new TreeMap<>();
    boolean[] taken = new boolean[SPACE];
    for (int i = 0; i < 3000; i++) {
      int first = random.nextInt(SPACE);
      Area gone = list.remove((long) first);
      if (gone != null) {
        tree.remove(gone);
        mark(taken, gone, false);
      } else {
        int last = Math.min(SPACE - 1, first + random.nextInt(8));
        if (isFree(taken, first, last)) {
          Area area = area(first, last);
          list.put((long) first, area);
          tree.insert(area);
          mark(taken, area, true);
        }
      }
      compare(taken, random.nextInt(SPACE), random.nextInt(1, 12));
    }
  }

  private static void mark(boolean[] taken, Area area, boolean as) {
    for (long at = area.first; at <= area.last; at++) {
      taken[(int) at] = as;
    }
  }

  private static boolean isFree(boolean[] taken, int first, int last) {
    for (int at = first; at <= last; at++) {
      if (taken[at]) {
        return false;
      }
    }
    return true;
  }

  private void compare(boolean[] taken, int at, int bytes) {
    assertThat(tree.at(at) != null).isEqualTo(taken[at]);
    assertThat(tree.firstIn(at, SPACE - 1) != null).isEqualTo(!isFree(taken, at, SPACE - 1));
    int first = at;
    while (first + bytes <= SPACE && !isFree(taken, first, first + bytes - 1)) {
      first++;
    }
    boolean found = tree.findHole(at, SPACE - 1, bytes);
    assertThat(found).isEqualTo(first + bytes <= SPACE);
    if (found) {
      assertThat(tree.holeFirst).isEqualTo(first);
      assertThat(tree.holeLast).isBetween(first + bytes - 1L, SPACE - 1L);
      assertThat(isFree(taken, first, (int) tree.holeLast)).isTrue();
    }
  }

  @Test
  void addressesHaveNoSign() {
    tree.insert(area(-8192, -1));
    tree.insert(area(0, 4095));
    assertThat(tree.firstIn(4096, -1)).extracting(area -> area.first).isEqualTo(-8192L);
    assertThat(tree.findHole(0, -1, 4096)).isTrue();
    assertThat(tree.holeFirst).isEqualTo(4096);
    assertThat(tree.holeLast).isEqualTo(-8193);
    assertThat(tree.findHole(-8192, -1, 1)).isFalse();
  }
}
