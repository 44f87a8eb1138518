package dev.iolite.differential;

import java.util.ArrayList;
import java.util.List;

/** The ids or descriptors of one kind that a program has at the moment. */
final class Handles {
  /** The reference to the newest one. */
  static final long NEWEST = -2;

  private static final long NONE = -1;

  private final int none;
  private final List<Integer> live = new ArrayList<>();

  /**
   * None yet.
   *
   * @param none what stands for one that does not exist
   */
  Handles(int none) {
    this.none = none;
  }

  /** The one that a reference means. */
  int get(long reference) {
    if (live.isEmpty() || reference == NONE) {
      return none;
    }
    return reference == NEWEST ? live.getLast() : live.get((int) (reference % live.size()));
  }

  void add(int handle) {
    if (!live.contains(handle)) {
      live.add(handle);
    }
  }

  void remove(int handle) {
    live.remove(Integer.valueOf(handle));
  }

  List<Integer> all() {
    return List.copyOf(live);
  }

  void clear() {
    live.clear();
  }
}
