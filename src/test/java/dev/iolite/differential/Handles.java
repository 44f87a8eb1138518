package dev.iolite.differential;

import java.util.ArrayList;
import java.util.List;

/** The ids or descriptors of one kind that a program has at the moment. */
final class Handles {
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
    return reference < 0 || live.isEmpty() ? none : live.get((int) (reference % live.size()));
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
