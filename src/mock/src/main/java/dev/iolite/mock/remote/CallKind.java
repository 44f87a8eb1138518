package dev.iolite.mock.remote;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The calls of a Kernel in the protocol, by their names; in brackets how many numbers each has, in
 * the order of the call.
 */
enum CallKind {
  /**
   * Begins a process [pid]; the answer is the session, or a negated errno (ESRCH: it has another
   * pid here).
   */
  PROCESS(1),
  /** Begins a thread of a process [session]. */
  THREAD(1),
  OPEN(1),
  CLOSE(1),
  READ(3),
  WRITE(3),
  PREAD(4),
  PWRITE(4),
  LSEEK(3),
  FTRUNCATE(2),
  IOCTL(3),
  /** The address is one that the caller has kept free; the extra: the server's file, its offset. */
  MMAP(6),
  /** The extra: the parts that were mapped, each an address and a length. */
  MUNMAP(2),
  /** Whether registers are mapped at an address [address]. */
  REGISTERS(1),
  /** Reads a register [address, width]; an extra number: the device did not answer. */
  REGISTER_READ(2),
  /** Writes one [address, width, value]; as above. */
  REGISTER_WRITE(3),
  POLL(3),
  EVENTFD(2),
  MEMFD(1),
  READLINK(2),
  GETDENTS(3),
  INTERRUPTIBLE(0),
  INTERRUPT(1);

  private static final Map<String, CallKind> BY_NAME =
      Arrays.stream(values()).collect(Collectors.toMap(CallKind::name, kind -> kind));

  private final int numbers;

  CallKind(int numbers) {
    this.numbers = numbers;
  }

  /** How many numbers it has. */
  int numbers() {
    return numbers;
  }

  /** The call of a name. */
  static Optional<CallKind> of(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }
}
