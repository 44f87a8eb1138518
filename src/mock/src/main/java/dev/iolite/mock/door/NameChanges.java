package dev.iolite.mock.door;

import static java.util.Map.entry;

import dev.iolite.uapi.seccomp.Seccomp;
import java.util.List;
import java.util.Map;

/**
 * The calls that make, remove, rename or change what a name leads to. On the machine's own files
 * they are the machine's affair; the model's are not made or removed by a program, and must not be
 * mistaken for the machine's of the same name.
 */
final class NameChanges {
  private static final List<Place> FIRST = List.of(new Place(PathCalls.NONE, 0));
  private static final List<Place> SECOND = List.of(new Place(PathCalls.NONE, 1));
  private static final List<Place> BOTH =
      List.of(new Place(PathCalls.NONE, 0), new Place(PathCalls.NONE, 1));
  private static final List<Place> AT_FIRST = List.of(new Place(0, 1));
  private static final List<Place> AT_BOTH = List.of(new Place(0, 1), new Place(2, 3));

  /** The number of each call, and where its names are. */
  private static final Map<Integer, List<Place>> PLACES =
      Map.ofEntries(
          entry(Seccomp.__NR_chmod(), FIRST),
          entry(Seccomp.__NR_fchmodat(), AT_FIRST),
          entry(Seccomp.__NR_fchmodat2(), AT_FIRST),
          entry(Seccomp.__NR_chown(), FIRST),
          entry(Seccomp.__NR_lchown(), FIRST),
          entry(Seccomp.__NR_fchownat(), AT_FIRST),
          entry(Seccomp.__NR_truncate(), FIRST),
          entry(Seccomp.__NR_mknod(), FIRST),
          entry(Seccomp.__NR_mknodat(), AT_FIRST),
          entry(Seccomp.__NR_mkdir(), FIRST),
          entry(Seccomp.__NR_mkdirat(), AT_FIRST),
          entry(Seccomp.__NR_rmdir(), FIRST),
          entry(Seccomp.__NR_unlink(), FIRST),
          entry(Seccomp.__NR_unlinkat(), AT_FIRST),
          entry(Seccomp.__NR_link(), BOTH),
          entry(Seccomp.__NR_linkat(), AT_BOTH),
          entry(Seccomp.__NR_symlink(), SECOND),
          entry(Seccomp.__NR_symlinkat(), List.of(new Place(1, 2))),
          entry(Seccomp.__NR_rename(), BOTH),
          entry(Seccomp.__NR_renameat(), AT_BOTH),
          entry(Seccomp.__NR_renameat2(), AT_BOTH));

  private NameChanges() {}

  /**
   * Where a call has a name.
   *
   * @param directory which argument is the directory that the name begins in, or {@link
   *     PathCalls#NONE}
   * @param name which argument is the name's address
   */
  record Place(int directory, int name) {}

  /** The numbers of these calls, in ascending order. */
  static List<Integer> numbers() {
    return PLACES.keySet().stream().sorted().toList();
  }

  /** Where a call's names are; nowhere if it is none of these. */
  static List<Place> of(int number) {
    return PLACES.getOrDefault(number, List.of());
  }
}
