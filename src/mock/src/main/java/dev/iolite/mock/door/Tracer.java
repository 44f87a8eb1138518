package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.core.ProcessMaps;
import dev.iolite.uapi.seccomp.Seccomp;
import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * Traces a process, and its children until they begin another program, because their accesses to
 * mapped registers are to be carried out on the model. Such an access stops the thread with a
 * SIGBUS; all that happens else is passed on as if nobody traced it.
 */
final class Tracer {
  private static final int OPTIONS =
      Seccomp.PTRACE_O_TRACECLONE()
          | Seccomp.PTRACE_O_TRACEFORK()
          | Seccomp.PTRACE_O_TRACEVFORK()
          | Seccomp.PTRACE_O_TRACEEXEC();

  /** asm-generic/siginfo.h: siginfo_t is that large, and where it has si_code and si_addr. */
  private static final long SIGINFO_BYTES = 128;

  private static final long SIGINFO_CODE = 8;
  private static final long SIGINFO_ADDRESS = 16;
  private static final int BUS_ADRERR = 2;

  /** Larger than the XSAVE area of any processor. */
  private static final long MOST_VECTOR_BYTES = 16 << 10;

  private static final int STOPPED = 0x7f;
  private static final int BYTE_MASK = 0xff;
  private static final int EVENT_SHIFT = 16;

  private final HostKernel host;
  private final HostSupervisor supervisor;
  private final Processes processes;
  private final Placeholders placeholders;
  private final Listener listener;
  private final CompletableFuture<Integer> begun = new CompletableFuture<>();

  /** What the process of each thread has mapped. */
  private final Map<Integer, ProcessMaps> maps = new HashMap<>();

  /** Who is told of what a tracer finds out. */
  interface Listener {
    /** A thread has ended; the status is that of waitpid(2), which says it only once. */
    void ended(int thread, int status);

    /** The program did what can't be served, and was ended. */
    void failed(RuntimeException failure);
  }

  Tracer(
      HostKernel host,
      HostSupervisor supervisor,
      Processes processes,
      Placeholders placeholders,
      Listener listener) {
    this.host = host;
    this.supervisor = supervisor;
    this.processes = processes;
    this.placeholders = placeholders;
    this.listener = listener;
  }

  /** Waits until the process is traced; 0 or a negated errno. */
  int awaitBegun() {
    return begun.join();
  }

  /** Traces a process until it has ended, on a thread that does nothing else. */
  void run(int process) {
    try (Arena arena = Arena.ofConfined()) {
      int result = seizeAll(process);
      begun.complete(result);
      MemorySegment status = arena.allocate(ValueLayout.JAVA_INT);
      int thread = result < 0 ? result : supervisor.awaitTraced(status);
      while (thread >= 0) {
        happened(thread, status.get(ValueLayout.JAVA_INT, 0));
        thread = supervisor.awaitTraced(status);
      }
    } catch (RuntimeException | Error e) {
      begun.complete(Errno.EIO.negated());
      throw e;
    } finally {
      forgetMaps();
    }
  }

  private void forgetMaps() {
    maps.values().forEach(ProcessMaps::close);
    maps.clear();
  }

  /** Those threads that a traced one makes are traced already. */
  private int seizeAll(int process) {
    Set<String> seen = new HashSet<>();
    boolean isNew = true;
    while (isNew) {
      isNew = false;
      String[] threads = new File("/proc/" + process + "/task").list();
      for (String each : threads == null ? new String[0] : threads) {
        if (seen.add(each)) {
          isNew = true;
          int result = trace(Seccomp.PTRACE_SEIZE(), Integer.parseInt(each), 0, OPTIONS);
          if (result < 0 && seen.size() == 1) {
            return result;
          }
        }
      }
    }
    return seen.isEmpty() ? Errno.ESRCH.negated() : 0;
  }

  private int trace(int request, int thread, long address, long data) {
    return supervisor.trace(request, thread, address, data);
  }

  /** ptrace(2): a thread that was seized has ended, or has stopped for one of these reasons. */
  private void happened(int thread, int status) {
    if ((status & BYTE_MASK) != STOPPED) {
      Optional.ofNullable(maps.remove(thread)).ifPresent(ProcessMaps::close);
      listener.ended(thread, status);
      return;
    }
    int signal = (status >> Byte.SIZE) & BYTE_MASK;
    int event = status >> EVENT_SHIFT;
    if (event == 0) {
      int passed = signal == Seccomp.SIGBUS() ? onBusError(thread) : signal;
      trace(Seccomp.PTRACE_CONT(), thread, 0, passed);
    } else if (event == Seccomp.PTRACE_EVENT_EXEC()) {
      // Its other threads have ended, and it has a new memory, perhaps by another number.
      forgetMaps();
      trace(Seccomp.PTRACE_DETACH(), thread, 0, 0);
    } else if (event == Seccomp.PTRACE_EVENT_STOP() && signal != Seccomp.SIGTRAP()) {
      // It stays stopped until a SIGCONT, as it would.
      trace(Seccomp.PTRACE_LISTEN(), thread, 0, 0);
    } else {
      trace(Seccomp.PTRACE_CONT(), thread, 0, 0);
    }
  }

  /** Returns the signal that the thread is to get; 0: its access has been carried out. */
  private int onBusError(int thread) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(SIGINFO_BYTES, Long.BYTES);
      trace(Seccomp.PTRACE_GETSIGINFO(), thread, 0, info.address());
      ProcessMaps mapped =
          maps.computeIfAbsent(thread, number -> new ProcessMaps(host, Integer.toString(number)));
      ThreadMemory memory = new ThreadMemory(host, thread, mapped, placeholders, arena);
      if (info.get(ValueLayout.JAVA_INT, SIGINFO_CODE) != BUS_ADRERR
          || !memory.hasRegisters(info.get(ValueLayout.JAVA_LONG, SIGINFO_ADDRESS))
          || processes.enter(thread).isEmpty()) {
        return Seccomp.SIGBUS();
      }
      return step(thread, memory, arena);
    }
  }

  private int step(int thread, ThreadMemory memory, Arena arena) {
    MemorySegment general = arena.allocate(ThreadRegisters.GENERAL_BYTES, Long.BYTES);
    registers(Seccomp.PTRACE_GETREGSET(), thread, Seccomp.NT_PRSTATUS(), general);
    ThreadRegisters registers =
        new ThreadRegisters(
            general,
            () -> {
              MemorySegment room = arena.allocate(MOST_VECTOR_BYTES, 64);
              long bytes =
                  registers(Seccomp.PTRACE_GETREGSET(), thread, Seccomp.NT_X86_XSTATE(), room);
              return room.asSlice(0, bytes);
            });
    byte[] code = code(thread, registers.ip(), arena);
    Optional<Instruction> instruction = Instruction.decode(code);
    int signal = 0;
    try {
      new Interpreter(registers, memory).step(instruction.orElseThrow(Interpreter.Unknown::new));
    } catch (ThreadMemory.Faulted e) {
      signal = e.signal();
      if (!instruction.orElseThrow().isString()) {
        return signal;
      }
      // What is done of a string instruction stays done.
    } catch (Interpreter.Unknown _) {
      listener.failed(unknown(thread, registers.ip(), code));
      return Seccomp.SIGKILL();
    }
    registers(Seccomp.PTRACE_SETREGSET(), thread, Seccomp.NT_PRSTATUS(), general);
    MemorySegment vectors = registers.changedVectors();
    if (!vectors.equals(MemorySegment.NULL)) {
      registers(Seccomp.PTRACE_SETREGSET(), thread, Seccomp.NT_X86_XSTATE(), vectors);
    }
    return signal;
  }

  /** Reads or writes a set of registers; returns its size. */
  private long registers(int request, int thread, int set, MemorySegment values) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment vector = arena.allocate(ValueLayout.JAVA_LONG, 2);
      vector.setAtIndex(ValueLayout.JAVA_LONG, 0, values.address());
      vector.setAtIndex(ValueLayout.JAVA_LONG, 1, values.byteSize());
      trace(request, thread, set, vector.address());
      return vector.getAtIndex(ValueLayout.JAVA_LONG, 1);
    }
  }

  /** What can be read of the instruction at an address: it may be the last before nothing. */
  private byte[] code(int thread, long address, Arena arena) {
    MemorySegment into = arena.allocate(Instruction.MOST_BYTES);
    long toPageEnd = Page.BYTES - (address & (Page.BYTES - 1));
    long bytes = host.readProcess(thread, address, into.address(), Instruction.MOST_BYTES);
    if (bytes < 0) {
      bytes = host.readProcess(thread, address, into.address(), toPageEnd);
    }
    return into.asSlice(0, Math.max(0, bytes)).toArray(ValueLayout.JAVA_BYTE);
  }

  private static PreconditionException unknown(int thread, long address, byte[] code) {
    return new PreconditionException(
        "access a device's registers for thread %d of the program".formatted(thread),
        "the instruction at 0x%x can't be carried out on registers: %s"
            .formatted(address, HexFormat.ofDelimiter(" ").formatHex(code)),
        "it is no plain load, store or copy, as when the compiler was free to choose",
        "access registers through a volatile pointer, or with pread(2) and pwrite(2)");
  }
}
