package dev.iolite.mock.door;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The placeholders of all of the model's files that the program has. */
final class Placeholders {
  private final HostKernel host;
  private final HostSupervisor supervisor;
  private final Map<Integer, Placeholder> byNumber = new HashMap<>();
  private final Set<Placeholder> suspected = new HashSet<>();

  Placeholders(HostKernel host, HostSupervisor supervisor) {
    this.host = host;
    this.supervisor = supervisor;
  }

  /**
   * Makes one, of the model's file of this number.
   *
   * @return a descriptor to be given to the program and closed then, or a negated errno
   */
  int make(int number) {
    Placeholder placeholder = new Placeholder(host, supervisor, number);
    int made = placeholder.make();
    if (made < 0) {
      placeholder.close();
    } else {
      // Not before: what nobody has open is taken for one that nobody has any longer.
      add(number, placeholder);
    }
    return made;
  }

  private synchronized void add(int number, Placeholder placeholder) {
    byNumber.put(number, placeholder);
  }

  /** Forgets one that the program was not given. */
  synchronized void remove(int number) {
    Optional.ofNullable(byNumber.remove(number)).ifPresent(Placeholder::close);
  }

  /** The model's file has another number, too. */
  synchronized void duplicate(int number, int duplicate) {
    Placeholder placeholder = byNumber.get(number);
    if (placeholder != null) {
      placeholder.add(duplicate);
      byNumber.put(duplicate, placeholder);
    }
  }

  synchronized Optional<Placeholder> of(int number) {
    return Optional.ofNullable(byNumber.get(number));
  }

  /** The model's number of a file of this process, which another process was given. */
  synchronized Optional<Integer> numberOf(int file) {
    return byNumber.entrySet().stream()
        .filter(each -> each.getValue().isOf(file))
        .map(Map.Entry::getKey)
        .findAny();
  }

  /** A part of a file is mapped which is registers. */
  synchronized void map(int number, Placeholder.MappedRegisters mapped) {
    of(number).ifPresent(placeholder -> placeholder.map(mapped));
  }

  /** The registers that are mapped at an offset of a file. */
  synchronized Optional<Placeholder.MappedRegisters> registers(int number, long offset) {
    return of(number).flatMap(placeholder -> placeholder.registersAt(offset));
  }

  /** A process closes one: it may have been the last that has it. */
  synchronized void suspect(int number) {
    of(number).ifPresent(suspected::add);
  }

  /** A process may have closed any. */
  synchronized void suspectAll() {
    suspected.addAll(byNumber.values());
  }

  /** The numbers of suspected files that no process has any longer; they are forgotten. */
  synchronized List<Integer> takeGone() {
    if (suspected.isEmpty()) {
      return List.of();
    }
    List<Integer> gone = new ArrayList<>();
    for (Placeholder each : List.copyOf(suspected)) {
      if (!each.isHeld()) {
        gone.addAll(each.numbers());
        each.numbers().forEach(byNumber::remove);
        suspected.remove(each);
        each.close();
      }
    }
    return gone;
  }
}
