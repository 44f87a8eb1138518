package dev.iolite.mock.door;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import dev.iolite.uapi.seccomp.Seccomp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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

  private static final int SOL_SOCKET = 1;
  private static final int SO_RCVTIMEO = 20;
  private static final int SCM_RIGHTS = 1;
  private static final int MSG_PEEK = 2;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_CMSG_CLOEXEC = 0x4000_0000;

  /** Enough for the files of a message (SCM_MAX_FD), and for what else there may be. */
  private static final int MOST_CONTROL = 1 << 12;

  /** More than a message of a socket of this kind has. */
  private static final int MOST_DATA = 1 << 20;

  private static final int MOST_NAME = 128;
  private static final int MOST_PARTS = 1024;

  /** struct iovec, and struct timeval. */
  private static final long PART = 2 * Long.BYTES;

  private static final long TIME = 2 * Long.BYTES;
  private static final int LOOK_MILLIS = 20;

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

  private Answer receive(Arena arena, ProgramProcess caller, Notice call, MemorySegment header) {
    int socket = caller.take(call.integer(0));
    if (socket < 0) {
      return Answer.pass();
    }
    try {
      boolean waits =
          (call.integer(2) & MSG_DONTWAIT) == 0
              && !caller.isNonBlocking(call.integer(0))
              && waitsForEver(arena, socket);
      int found = look(arena, socket);
      while (found == Errno.EAGAIN.negated() && waits) {
        if (isToEnd.test(call)) {
          return Answer.of(Errno.EINTR);
        }
        await(arena, socket);
        found = look(arena, socket);
      }
      return found > 0 ? take(arena, caller, call, header, socket) : Answer.pass();
    } finally {
      host.close(socket);
    }
  }

  private void await(Arena arena, int socket) {
    MemorySegment asked = pollfd.allocate(arena);
    pollfd.fd(asked, socket);
    pollfd.events(asked, (short) Libc.POLLIN());
    host.poll(asked.address(), 1, LOOK_MILLIS);
  }

  /** How many files of the model the next message brings, or a negated errno. */
  private int look(Arena arena, int socket) {
    MemorySegment control = arena.allocate(MOST_CONTROL, Long.BYTES);
    MemorySegment header = header(arena, arena.allocate(1), control, MemorySegment.NULL);
    long seen =
        supervisor.receive(socket, header.address(), MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (seen < 0) {
      return (int) seen;
    }
    int models = 0;
    for (Place place : places(control.asSlice(0, header.get(JAVA_LONG, CONTROL_BYTES)))) {
      models += ProgramFiles.isModels(place.file()) ? 1 : 0;
      host.close(place.file());
    }
    return models;
  }

  private static MemorySegment header(
      Arena arena, MemorySegment data, MemorySegment control, MemorySegment name) {
    MemorySegment part = arena.allocate(PART, Long.BYTES);
    part.set(JAVA_LONG, 0, data.address());
    part.set(JAVA_LONG, Long.BYTES, data.byteSize());
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
      if (control.get(JAVA_INT, at + LEVEL) == SOL_SOCKET
          && control.get(JAVA_INT, at + TYPE) == SCM_RIGHTS) {
        for (long file = at + DATA; file < at + bytes; file += Integer.BYTES) {
          places.add(new Place(control, file));
        }
      }
      at += (bytes + Long.BYTES - 1) & -Long.BYTES;
    }
    return places;
  }

  /** Receives a message for the program. */
  private Answer take(
      Arena arena, ProgramProcess caller, Notice call, MemorySegment theirs, int socket) {
    long count = theirs.get(JAVA_LONG, PART_COUNT);
    Optional<MemorySegment> parts =
        count < 0 || count > MOST_PARTS
            ? Optional.empty()
            : caller.get(arena, theirs.get(JAVA_LONG, PARTS), count * PART);
    if (parts.isEmpty()) {
      return Answer.pass();
    }
    MemorySegment data = arena.allocate(room(parts.get(), count));
    MemorySegment control =
        arena.allocate(Math.min(theirs.get(JAVA_LONG, CONTROL_BYTES), MOST_CONTROL), Long.BYTES);
    int nameRoom = Math.clamp(theirs.get(JAVA_INT, NAME_BYTES), 0, MOST_NAME);
    boolean hasName = theirs.get(JAVA_LONG, NAME) != 0 && nameRoom > 0;
    MemorySegment name = hasName ? arena.allocate(nameRoom) : MemorySegment.NULL;
    MemorySegment ours = header(arena, data, control, name);
    int flags = call.integer(2);
    long received =
        supervisor.receive(socket, ours.address(), flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (received < 0) {
      return Answer.of(received);
    }
    long controlBytes = ours.get(JAVA_LONG, CONTROL_BYTES);
    for (Place place : places(control.asSlice(0, controlBytes))) {
      int number = files.receive(caller, call, place.file(), (flags & MSG_CMSG_CLOEXEC) != 0);
      control.set(JAVA_INT, place.at(), number);
    }
    boolean isPut = put(caller, parts.get(), data.asSlice(0, Math.min(received, data.byteSize())));
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
    return isPut ? Answer.of(received) : Answer.of(Errno.EFAULT);
  }

  private static long room(MemorySegment parts, long count) {
    long room = 0;
    for (long i = 0; i < count; i++) {
      room += Math.clamp(parts.getAtIndex(JAVA_LONG, 2 * i + 1), 0, MOST_DATA);
    }
    return Math.min(room, MOST_DATA);
  }

  /** Copies what was received into the program's buffers; returns whether they are there. */
  private static boolean put(ProgramProcess caller, MemorySegment parts, MemorySegment data) {
    long done = 0;
    for (long i = 0; done < data.byteSize(); i++) {
      long bytes = Math.min(parts.getAtIndex(JAVA_LONG, 2 * i + 1), data.byteSize() - done);
      if (caller.put(parts.getAtIndex(JAVA_LONG, 2 * i), data.asSlice(done, bytes)) < 0) {
        return false;
      }
      done += bytes;
    }
    return true;
  }

  /** Whether nothing but a signal ends a wait for a message (SO_RCVTIMEO). */
  private boolean waitsForEver(Arena arena, int socket) {
    MemorySegment time = arena.allocate(TIME, Long.BYTES);
    MemorySegment bytes = arena.allocateFrom(JAVA_INT, (int) TIME);
    return host.getsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, time.address(), bytes.address()) == 0
        && time.get(JAVA_LONG, 0) == 0
        && time.get(JAVA_LONG, Long.BYTES) == 0;
  }
}
