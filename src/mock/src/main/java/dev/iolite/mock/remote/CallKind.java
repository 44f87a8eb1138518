package dev.iolite.mock.remote;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The calls of a Kernel in the protocol, by name. Each takes a fixed number of numbers, in the
 * order of the call's arguments.
 */
enum CallKind {
  /**
   * Begins a process [pid]; the answer is the session, or a negated errno (ESRCH: the process has
   * another pid here).
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
  FALLOCATE(4),
  ADD_SEALS(2),
  IOCTL(3),
  /**
   * The address is one that the caller has kept free; extra: the server's file, and the offset in
   * it.
   */
  MMAP(6),
  /** Extra: the parts that were mapped, each an address and a length. */
  MUNMAP(2),
  /** Whether registers are mapped at an address [address]. */
  REGISTERS(1),
  /** Reads a register [address, width]; an extra number means that the device did not answer. */
  REGISTER_READ(2),
  /** Writes a register [address, width, value]; extra as above. */
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

  /** How many numbers the call takes. */
  int numbers() {
    return numbers;
  }

  /** The call with a name. */
  static Optional<CallKind> of(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }
}
