package dev.iolite.mock.door;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.iovec;
import dev.iolite.uapi.seccomp.Seccomp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Answers recvmsg(2) for messages that bring files of the model (SCM_RIGHTS): they get numbers that
 * the filter knows, where the program's own kernel would give the lowest ones. Any other message
 * the program receives itself, when it is there.
 */
final class MessageCalls {
  // include/linux/socket.h: struct user_msghdr
  private static final long NAME = 0;
  private static final long NAME_BYTES = 8;
  private static final long PARTS = 16;
  private static final long PART_COUNT = 24;
  private static final long CONTROL = 32;
  private static final long CONTROL_BYTES = 40;
  private static final long FLAGS = 48;
  private static final long HEADER = 56;

  // include/linux/socket.h: struct cmsghdr
  private static final long LEVEL = 8;
  private static final long TYPE = 12;
  private static final long DATA = 16;

  private static final int AF_UNIX = 1;
  private static final int SCM_RIGHTS = 1;
  private static final int MSG_OOB = 1;
  private static final int MSG_PEEK = 2;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_CMSG_CLOEXEC = 0x4000_0000;

  /** Enough for the files of a message (SCM_MAX_FD), and for what else there may be. */
  private static final int MOST_CONTROL = 1 << 12;

  /** More than a message of a socket of this kind has. */
  private static final int MOST_DATA = 1 << 20;

  private static final int MOST_NAME = 128;

  /** struct timeval. */
  private static final long TIME = 2 * Long.BYTES;

  private static final int LOOK_MILLIS = 20;

  /** Longer than anybody waits. */
  private static final Duration FOR_EVER = Duration.ofDays(36_500);

  private final HostKernel host;
  private final HostSupervisor supervisor;
  private final ProgramFiles files;
  private final Predicate<Notice> isToEnd;

  /**
   * Makes one.
   *
   * @param isToEnd whether a call is to end, for a signal or because its caller was killed
   */
  MessageCalls(
      HostKernel host, HostSupervisor supervisor, ProgramFiles files, Predicate<Notice> isToEnd) {
    this.host = host;
    this.supervisor = supervisor;
    this.files = files;
    this.isToEnd = isToEnd;
  }

  /** How a call is answered; empty: it receives no message. */
  Optional<Answer> answer(ProgramProcess caller, Notice call) {
    if (call.number() != Seccomp.__NR_recvmsg()) {
      return Optional.empty();
    }
    try (Arena arena = Arena.ofConfined()) {
      return Optional.of(
          caller
              .get(arena, call.argument(1), HEADER)
              .filter(header -> header.get(JAVA_LONG, CONTROL_BYTES) > DATA)
              .map(header -> receive(arena, caller, call, header))
              .orElseGet(Answer::pass));
    }
  }

  /**
   * What the program asked for.
   *
   * @param header its struct user_msghdr
   * @param socket its socket, as this process has it
   */
  private record Asked(
      ProgramProcess caller, Notice call, MemorySegment header, IoVector parts, int socket) {}

  private Answer receive(Arena arena, ProgramProcess caller, Notice call, MemorySegment header) {
    int socket = caller.take(call.integer(0));
    if (socket < 0) {
      return Answer.pass();
    }
    try {
      IoVector parts =
          IoVector.of(caller, header.get(JAVA_LONG, PARTS), header.get(JAVA_LONG, PART_COUNT));
      // Out-of-band data bring no files.
      if (!isUnix(arena, socket) || parts.error() < 0 || (call.integer(2) & MSG_OOB) != 0) {
        return Answer.pass();
      }
      Asked asked = new Asked(caller, call, header, parts, socket);
      boolean waits =
          (call.integer(2) & MSG_DONTWAIT) == 0 && !caller.isNonBlocking(call.integer(0));
      long left = waits ? mostNanos(arena, socket) : 0;
      long end = System.nanoTime() + left;
      Optional<Answer> answer = look(asked);
      while (answer.isEmpty() && left > 0) {
        if (isToEnd.test(call)) {
          // Its own kernel sees the signal, and knows whether the call is made again.
          return Answer.pass();
        }
        if (supervisor.poll(socket, LOOK_MILLIS) > 0) {
          answer = look(asked);
        }
        left = end - System.nanoTime();
      }
      return answer.orElseGet(() -> Answer.of(Errno.EAGAIN));
    } finally {
      host.close(socket);
    }
  }

  /** How the call ends with what is there now; empty: there is nothing. */
  private Optional<Answer> look(Asked asked) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(room(asked.parts));
      MemorySegment control = arena.allocate(MOST_CONTROL, Long.BYTES);
      MemorySegment header = header(arena, data, control, MemorySegment.NULL);
      long seen =
          supervisor.receive(
              asked.socket, header.address(), MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
      if (seen < 0) {
        // An error of the socket's is told only once, and that was now.
        return unlessNothing(seen);
      }
      int models = 0;
      for (Place place : places(control.asSlice(0, header.get(JAVA_LONG, CONTROL_BYTES)))) {
        models += ProgramFiles.isModels(place.file()) ? 1 : 0;
        host.close(place.file());
      }
      return models == 0 ? Optional.of(Answer.pass()) : take(arena, asked, data);
    }
  }

  private static Optional<Answer> unlessNothing(long errno) {
    return errno == Errno.EAGAIN.negated() ? Optional.empty() : Optional.of(Answer.of(errno));
  }

  private static MemorySegment header(
      Arena arena, MemorySegment data, MemorySegment control, MemorySegment name) {
    MemorySegment part = iovec.allocate(arena);
    iovec.iov_base(part, data);
    iovec.iov_len(part, data.byteSize());
    MemorySegment header = arena.allocate(HEADER, Long.BYTES);
    header.set(JAVA_LONG, NAME, name.address());
    header.set(JAVA_INT, NAME_BYTES, (int) name.byteSize());
    header.set(JAVA_LONG, PARTS, part.address());
    header.set(JAVA_LONG, PART_COUNT, 1);
    header.set(JAVA_LONG, CONTROL, control.address());
    header.set(JAVA_LONG, CONTROL_BYTES, control.byteSize());
    return header;
  }

  /** Where a control message has the number of a file. */
  private record Place(MemorySegment control, long at) {
    int file() {
      return control.get(JAVA_INT, at);
    }
  }

  private static List<Place> places(MemorySegment control) {
    List<Place> places = new ArrayList<>();
    long at = 0;
    while (at + DATA <= control.byteSize()) {
      long bytes = control.get(JAVA_LONG, at);
      if (bytes < DATA || at + bytes > control.byteSize()) {
        break;
      }
      if (control.get(JAVA_INT, at + LEVEL) == Libc.SOL_SOCKET()
          && control.get(JAVA_INT, at + TYPE) == SCM_RIGHTS) {
        for (long file = at + DATA; file < at + bytes; file += Integer.BYTES) {
          places.add(new Place(control, file));
        }
      }
      at += (bytes + Long.BYTES - 1) & -Long.BYTES;
    }
    return places;
  }

  /** Receives a message for the program; empty: another thread has it. */
  private Optional<Answer> take(Arena arena, Asked asked, MemorySegment data) {
    ProgramProcess caller = asked.caller;
    Notice call = asked.call;
    MemorySegment theirs = asked.header;
    MemorySegment control =
        arena.allocate(Math.min(theirs.get(JAVA_LONG, CONTROL_BYTES), MOST_CONTROL), Long.BYTES);
    int nameRoom = Math.clamp(theirs.get(JAVA_INT, NAME_BYTES), 0, MOST_NAME);
    boolean hasName = theirs.get(JAVA_LONG, NAME) != 0 && nameRoom > 0;
    MemorySegment name = hasName ? arena.allocate(nameRoom) : MemorySegment.NULL;
    MemorySegment ours = header(arena, data, control, name);
    int flags = call.integer(2);
    long received =
        supervisor.receive(asked.socket, ours.address(), flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (received < 0) {
      return unlessNothing(received);
    }
    long controlBytes = ours.get(JAVA_LONG, CONTROL_BYTES);
    for (Place place : places(control.asSlice(0, controlBytes))) {
      int number = files.receive(caller, call, place.file(), (flags & MSG_CMSG_CLOEXEC) != 0);
      control.set(JAVA_INT, place.at(), number);
    }
    boolean isPut = put(caller, asked.parts, data.asSlice(0, Math.min(received, data.byteSize())));
    isPut &= caller.put(theirs.get(JAVA_LONG, CONTROL), control.asSlice(0, controlBytes)) == 0;
    if (hasName) {
      int bytes = ours.get(JAVA_INT, NAME_BYTES);
      isPut &=
          caller.put(theirs.get(JAVA_LONG, NAME), name.asSlice(0, Math.min(bytes, nameRoom))) == 0;
      theirs.set(JAVA_INT, NAME_BYTES, bytes);
    }
    theirs.set(JAVA_LONG, CONTROL_BYTES, controlBytes);
    int said = ours.get(JAVA_INT, FLAGS) & ~MSG_CMSG_CLOEXEC;
    theirs.set(JAVA_INT, FLAGS, said | (flags & MSG_CMSG_CLOEXEC));
    isPut &= caller.put(call.argument(1), theirs) == 0;
    return Optional.of(isPut ? Answer.of(received) : Answer.of(Errno.EFAULT));
  }

  private static long room(IoVector parts) {
    long room = 0;
    for (IoVector.Buffer each : parts.buffers()) {
      room += Math.min(each.bytes(), MOST_DATA);
    }
    return Math.min(room, MOST_DATA);
  }

  /** Copies what was received into the program's buffers; returns whether they are there. */
  private static boolean put(ProgramProcess caller, IoVector parts, MemorySegment data) {
    MemorySegment left = data;
    for (IoVector.Buffer each : parts.buffers()) {
      long bytes = Math.min(each.bytes(), left.byteSize());
      if (caller.put(each.address(), left.asSlice(0, bytes)) < 0) {
        return false;
      }
      left = left.asSlice(bytes);
    }
    return true;
  }

  /** Whether it is one of the sockets that can bring files. */
  private boolean isUnix(Arena arena, int socket) {
    MemorySegment domain = arena.allocate(JAVA_INT);
    return readOption(arena, socket, Libc.SO_DOMAIN(), domain)
        && domain.get(JAVA_INT, 0) == AF_UNIX;
  }

  /** How long the program waits for a message at most (SO_RCVTIMEO). */
  private long mostNanos(Arena arena, int socket) {
    MemorySegment time = arena.allocate(TIME, Long.BYTES);
    if (!readOption(arena, socket, Libc.SO_RCVTIMEO(), time)) {
      return 0;
    }
    Duration most =
        Duration.ofSeconds(time.get(JAVA_LONG, 0))
            .plus(time.get(JAVA_LONG, Long.BYTES), ChronoUnit.MICROS);
    return most.isZero() || most.compareTo(FOR_EVER) > 0 ? FOR_EVER.toNanos() : most.toNanos();
  }

  /** Reads an option of a socket, and returns whether it has it. */
  private boolean readOption(Arena arena, int socket, int option, MemorySegment into) {
    MemorySegment bytes = arena.allocateFrom(JAVA_INT, (int) into.byteSize());
    return host.getsockopt(socket, Libc.SOL_SOCKET(), option, into.address(), bytes.address()) == 0;
  }
}
