package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostSupervisor;
import dev.iolite.uapi.seccomp.Seccomp;
import dev.iolite.uapi.seccomp.seccomp_data;
import dev.iolite.uapi.seccomp.sock_filter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;

/**
 * The system calls that a command makes for its row: those of a JVM, and the ioctls of the nodes
 * that the row names. Any other kills the process with SIGSYS.
 */
final class SystemCallFilter {
  /** The exit value of a process that was killed by SIGSYS. */
  static final int KILLED = 128 + 31;

  /** kill(2) on x86-64. */
  private static final int KILL = 62;

  private static final int TYPE_MASK = 0xff00;
  private static final int TERMINAL = 'T' << 8;

  /** The calls that every command may make, with their numbers on x86-64. */
  private static final String ORDINARY =
      """
      Files: read=0 write=1 open=2 close=3 stat=4 fstat=5 lstat=6 poll=7 lseek=8 pread64=17
          pwrite64=18 readv=19 writev=20 access=21 readlink=89 getdents64=217 openat=257
          newfstatat=262 statx=332 unlink=87 unlinkat=263 link=86 linkat=265 rename=82 renameat=264
          mkdir=83 mkdirat=258 rmdir=84 chmod=90 fchmod=91 umask=95 ftruncate=77 fallocate=285
          fsync=74 fadvise64=221 copy_file_range=326
          fcntl=72 flock=73 statfs=137 fstatfs=138 getcwd=79
          chdir=80 fchdir=81 dup=32 dup2=33 dup3=292 pipe2=293 memfd_create=319 eventfd2=290
      Memory: mmap=9 mprotect=10 munmap=11 brk=12 madvise=28 mincore=27 mremap=25
      Threads and processes: clone=56 clone3=435 vfork=58 execve=59 exit=60 exit_group=231
          wait4=61 tgkill=234 futex=202 set_robust_list=273 rseq=334 set_tid_address=218
          sched_yield=24 sched_getaffinity=204 gettid=186 getpid=39 getppid=110 getpgrp=111
          getcpu=309 prctl=157 arch_prctl=158 rt_sigaction=13 rt_sigprocmask=14 rt_sigreturn=15
          sigaltstack=131
      The machine and its clocks: uname=63 sysinfo=99 getrusage=98 prlimit64=302 getrandom=318
          clock_gettime=228 clock_getres=229 clock_nanosleep=230 nanosleep=35 gettimeofday=96
      Users; setpriv changes them, and busybox sets its own: getuid=102 geteuid=107 getgid=104
          getegid=108 capget=125 capset=126 setgroups=116 setresuid=117 setresgid=119
          getresuid=118 getresgid=120 setuid=105 setgid=106
      Sockets: socket=41 connect=42 bind=49 listen=50 accept=43 accept4=288 getsockname=51
          getsockopt=55 setsockopt=54 sendto=44 recvfrom=45 sendmsg=46 recvmsg=47 shutdown=48
          epoll_create1=291 epoll_ctl=233 epoll_wait=232
      """;

  /** The types of the ioctls that a node answers, and those of the dma-bufs made from it. */
  private static final Map<String, List<Integer>> TYPES =
      Map.of(
          "/dev/iommu", List.of(';' << 8),
          "/dev/vfio", List.of(';' << 8, 'b' << 8),
          "/dev/kvm", List.of(0xae00),
          "/dev/sev", List.of('S' << 8));

  private record Instruction(int operation, int constant, int ifFalse) {}

  private final List<Instruction> code = new ArrayList<>();

  private SystemCallFilter(Privileges row) {
    load(seccomp_data.nr$offset());
    ordinary().forEach(this::allow);
    // A JVM looks by signal 0 whether others live that have left a file in /tmp.
    code.add(unless(KILL, 4));
    load(seccomp_data.args$offset() + Long.BYTES);
    allow(0);
    code.add(returning(Seccomp.SECCOMP_RET_KILL_PROCESS()));
    code.add(unless(Seccomp.__NR_ioctl(), 0));
    int ioctl = code.size() - 1;
    load(seccomp_data.args$offset() + Long.BYTES);
    code.add(
        new Instruction(Seccomp.BPF_ALU() | Seccomp.BPF_AND() | Seccomp.BPF_K(), TYPE_MASK, 0));
    allow(TERMINAL);
    TYPES.forEach((node, types) -> {
      if (row.nodes().stream().anyMatch(named -> named.startsWith(node))) {
        types.forEach(this::allow);
      }
    });
    code.set(ioctl, unless(Seccomp.__NR_ioctl(), code.size() - ioctl - 1));
    code.add(returning(Seccomp.SECCOMP_RET_KILL_PROCESS()));
  }

  /** The numbers of the calls that every command may make. */
  private static List<Integer> ordinary() {
    return Pattern.compile("=(\\d+)")
        .matcher(ORDINARY)
        .results()
        .map(found -> Integer.valueOf(found.group(1)))
        .toList();
  }

  /**
   * Does something on a thread that has a row's filter, and so have the processes that it starts.
   */
  static <T> T with(Privileges row, Callable<T> action) throws IOException, InterruptedException {
    // The start filters its thread for good; what it starts is of no interest.
    HostSupervisor host = new HostSupervisor();
    AtomicInteger started = new AtomicInteger();
    FutureTask<T> task =
        new FutureTask<>(() -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment filter = new SystemCallFilter(row).assemble(arena);
            started.set(
                host.start(filter, 0, "true", List.of("true"), List.of(), descriptor -> {}));
            assertThat(started.get()).as("the process that is started for the filter").isPositive();
          }
          return action.call();
        });
    Thread.ofPlatform().start(task);
    try {
      return task.get();
    } catch (ExecutionException e) {
      throw new AssertionError("under a filter", e);
    } finally {
      if (started.get() > 0) {
        assertThat(host.awaitEnd(started.get())).isZero();
      }
    }
  }

  private void load(long offset) {
    code.add(
        new Instruction(Seccomp.BPF_LD() | Seccomp.BPF_W() | Seccomp.BPF_ABS(), (int) offset, 0));
  }

  private static Instruction unless(int constant, int skipped) {
    return new Instruction(
        Seccomp.BPF_JMP() | Seccomp.BPF_JEQ() | Seccomp.BPF_K(), constant, skipped);
  }

  private static Instruction returning(int action) {
    return new Instruction(Seccomp.BPF_RET() | Seccomp.BPF_K(), action, 0);
  }

  private void allow(int constant) {
    code.add(unless(constant, 1));
    code.add(returning(Seccomp.SECCOMP_RET_ALLOW()));
  }

  private MemorySegment assemble(Arena arena) {
    MemorySegment all = sock_filter.allocateArray(code.size(), arena);
    for (int i = 0; i < code.size(); i++) {
      MemorySegment to = sock_filter.asSlice(all, i);
      sock_filter.code(to, (short) code.get(i).operation);
      sock_filter.k(to, code.get(i).constant);
      sock_filter.jf(to, (byte) code.get(i).ifFalse);
    }
    return all;
  }
}
