package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import dev.iolite.uapi.kvm.kvm_nested_state;
import dev.iolite.uapi.kvm.kvm_reg_list;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** No argument lets the kernel reach memory that the caller did not mean. */
class ArgumentTest {
  /** Counts the calls that reach it, and does nothing. */
  private static final class Counting extends ForwardingKernel {
    private int calls;

    private Counting() {
      super(new HostKernel());
    }

    @Override
    public int ioctl(int fd, long request, long argument) {
      calls++;
      return 0;
    }
  }

  private final Counting kernel = new Counting();

  private Fd on(Ioctl command) {
    return Fd.borrowed(kernel, command.on(), -1, "none");
  }

  private void refused(Ioctl command, MemorySegment argument, String words) {
    assertThatThrownBy(() -> on(command).tryIoctl(command, argument))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(command.name())
        .hasMessageContaining(words);
    assertThat(kernel.calls).as("calls made").isZero();
  }

  static Stream<Ioctl> withStruct() {
    return Stream.of(VfioIoctls.all(), IommufdIoctls.all(), KvmIoctls.all())
        .flatMap(List::stream)
        .filter(command -> command.argument().isPresent());
  }

  @ParameterizedTest
  @MethodSource("withStruct")
  void aStructIsNeverLargerThanItsSegment(Ioctl command) {
    long bytes = command.argument().orElseThrow().byteSize();
    try (Arena arena = Arena.ofConfined()) {
      refused(command, arena.allocate(bytes - 1, Long.BYTES), "the segment has " + (bytes - 1));
      on(command).tryIoctl(command, arena.allocate(bytes, Long.BYTES));
      assertThat(kernel.calls).as("a segment of the struct's size is taken").isEqualTo(1);
    }
  }

  @ParameterizedTest
  @MethodSource("withStruct")
  void onlyAStructThatTheKernelDoesNotWriteMayBeReadOnly(Ioctl command) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = arena.allocate(command.argument().orElseThrow()).asReadOnly();
      switch (command.direction()) {
        case IN -> assertThat(on(command).tryIoctl(command, argument)).isZero();
        case OUT, INOUT -> refused(command, argument, "read-only");
        case NONE -> throw new AssertionError("a struct that nobody reads: " + command);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("withStruct")
  void aStructIsAlignedAndNoPlainValueTakesItsPlace(Ioctl command) {
    var layout = command.argument().orElseThrow();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment odd = arena.allocate(layout.byteSize() + 1, Long.BYTES).asSlice(1);
      if (layout.byteAlignment() > 1) {
        refused(command, odd, "aligned to " + layout.byteAlignment());
      }
      assertThatThrownBy(() -> on(command).tryIoctl(command, 0x1000))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(command.name() + " takes a struct");
      assertThatThrownBy(() -> on(command).ioctl(command, 0x1000))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void memoryIsNoPlainValue() {
    try (Arena arena = Arena.ofConfined()) {
      refused(KvmIoctls.KVM_RUN, arena.allocate(8), "takes no struct");
    }
  }

  @ParameterizedTest
  @MethodSource("withStruct")
  void aStructThatSaysItsSizeSaysNoMoreThanTheSegmentHas(Ioctl command) {
    if (command.name().startsWith("KVM_")) {
      return;
    }
    var layout = command.argument().orElseThrow();
    if (layout.byteSize() == Integer.BYTES) {
      return; // a number
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = arena.allocate(layout.byteSize() + 8, Long.BYTES);
      argument.set(ValueLayout.JAVA_INT, 0, (int) argument.byteSize() + 1);
      refused(command, argument, "the segment has " + argument.byteSize());
      argument.set(ValueLayout.JAVA_INT, 0, -1);
      refused(command, argument, "reaches 4294967295 bytes");
      argument.set(ValueLayout.JAVA_INT, 0, (int) argument.byteSize());
      assertThat(on(command).tryIoctl(command, argument)).isZero();
    }
  }

  @Test
  void anArrayAtTheEndHasNoMoreElementsThanTheSegment() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment cpuid =
          arena.allocate(kvm_cpuid2.sizeof() + 2 * kvm_cpuid_entry2.sizeof(), Long.BYTES);
      Ioctl command = KvmIoctls.KVM_GET_SUPPORTED_CPUID;
      kvm_cpuid2.nent(cpuid, 3);
      refused(command, cpuid, "the segment has " + cpuid.byteSize());
      kvm_cpuid2.nent(cpuid, 2);
      assertThat(on(command).tryIoctl(command, cpuid)).isZero();

      kernel.calls = 0;
      MemorySegment registers = arena.allocate(kvm_reg_list.sizeof() + 8, Long.BYTES);
      kvm_reg_list.n(registers, -1);
      refused(KvmIoctls.KVM_GET_REG_LIST, registers, "the segment has");
      kvm_reg_list.n(registers, 2);
      refused(KvmIoctls.KVM_GET_REG_LIST, registers, "the segment has");
      kvm_reg_list.n(registers, 1);
      assertThat(on(KvmIoctls.KVM_GET_REG_LIST).tryIoctl(KvmIoctls.KVM_GET_REG_LIST, registers))
          .isZero();

      kernel.calls = 0;
      MemorySegment nested = kvm_nested_state.allocate(arena);
      kvm_nested_state.size(nested, (int) nested.byteSize() + 1);
      refused(KvmIoctls.KVM_GET_NESTED_STATE, nested, "the segment has");
    }
  }

  @Test
  void nothingIsReadIntoASegmentThatIsReadOnly() {
    try (Fd fd = Fd.open(kernel, FdKind.FILE, "/dev/zero", Libc.O_RDWR());
        Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_LONG, -1);
      MemorySegment readOnly = memory.asReadOnly();
      assertThatThrownBy(() -> fd.read(readOnly)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> fd.pread(readOnly, 0)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> fd.entries(readOnly)).isInstanceOf(IllegalArgumentException.class);
      assertThat(memory.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(-1);
      assertThat(fd.write(readOnly)).isEqualTo(8);
      assertThat(fd.pwrite(readOnly, 0)).isEqualTo(8);
    }
  }

  private static @Nullable Object inAnotherThread(Callable<?> call) throws Exception {
    FutureTask<Object> task = new FutureTask<>(call::call);
    Thread.ofPlatform().start(task);
    return task.get();
  }

  @Test
  void memoryThatIsConfinedToAnotherThreadIsRefused() throws Exception {
    Ioctl command = KvmIoctls.KVM_GET_REGS;
    try (Fd fd = Fd.open(kernel, FdKind.FILE, "/dev/zero", Libc.O_RDWR());
        Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(command.argument().orElseThrow());
      inAnotherThread(() -> {
        assertThatThrownBy(() -> fd.read(memory)).isInstanceOf(WrongThreadException.class);
        assertThatThrownBy(() -> fd.write(memory)).isInstanceOf(WrongThreadException.class);
        return assertThatThrownBy(() -> on(command).tryIoctl(command, memory))
            .isInstanceOf(WrongThreadException.class);
      });
    }
    assertThat(kernel.calls).isZero();
  }

  /** Tries to free the memory inside each call. */
  private static final class Freeing extends ForwardingKernel {
    private final Arena arena;
    private int calls;

    private Freeing(Arena arena) {
      super(new HostKernel());
      this.arena = arena;
    }

    private <T> T refused(T result) {
      calls++;
      assertThatThrownBy(arena::close).isInstanceOf(IllegalStateException.class);
      return result;
    }

    @Override
    public int ioctl(int fd, long request, long argument) {
      return refused(0);
    }

    @Override
    public long read(int fd, long address, long bytes) {
      return refused(bytes);
    }

    @Override
    public long write(int fd, long address, long bytes) {
      return refused(bytes);
    }

    @Override
    public long pread(int fd, long address, long bytes, long offset) {
      return refused(bytes);
    }

    @Override
    public long pwrite(int fd, long address, long bytes, long offset) {
      return refused(bytes);
    }

    @Override
    public long getdents(int fd, long address, long bytes) {
      return refused(bytes);
    }
  }

  @Test
  void memoryThatIsSharedIsHeldDuringEveryCallAndNoLonger() {
    Ioctl command = KvmIoctls.KVM_GET_REGS;
    try (Arena arena = Arena.ofShared()) {
      Freeing freeing = new Freeing(arena);
      MemorySegment memory = arena.allocate(command.argument().orElseThrow());
      Fd fd = Fd.borrowed(freeing, FdKind.KVM_VCPU, -1, "none");

      fd.ioctl(command, memory);
      fd.read(memory);
      fd.write(memory);
      fd.pread(memory, 0);
      fd.pwrite(memory, 0);
      fd.entries(memory);
      HeldMemory.during(memory, () -> HeldMemory.during(memory, () -> fd.read(memory)));

      assertThat(freeing.calls).isEqualTo(7);
    }
  }

  @Test
  void whatIsThrownWhileMemoryIsHeldIsThrownToTheCallerWhichHoldsNothingMore() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(8);
      RuntimeException failure = new IllegalStateException("a failure");
      StackOverflowError error = new StackOverflowError("an error");
      assertThatThrownBy(() ->
              HeldMemory.during(
                  memory,
                  () -> {
                    throw failure;
                  }))
          .isSameAs(failure);
      assertThatThrownBy(() ->
              HeldMemory.during(
                  memory,
                  () -> {
                    throw error;
                  }))
          .isSameAs(error);
    }
  }

  /** FIONREAD: the bytes between the position and the end of a file. */
  @Test
  void theHostFindsMemoryWhicheverArenaItIsOf() {
    Ioctl left = Ioctl.of(FdKind.MEMFD, "FIONREAD", 0x541b, ValueLayout.JAVA_INT);
    try (MemFd file = MemFd.create(new HostKernel(), "of 5 bytes", 5);
        Arena confined = Arena.ofConfined();
        Arena shared = Arena.ofShared()) {
      for (Arena arena : List.of(confined, shared, Arena.ofAuto(), Arena.global())) {
        MemorySegment bytes = arena.allocate(ValueLayout.JAVA_INT);
        assertThat(file.fd().ioctl(left, bytes)).isZero();
        assertThat(bytes.get(ValueLayout.JAVA_INT, 0)).isEqualTo(5);
      }
    }
  }

  @Test
  void anArenaCanNotBeClosedWhileTheKernelWritesToIt() throws Exception {
    HostKernel host = new HostKernel();
    CountDownLatch inside = new CountDownLatch(1);
    Kernel telling =
        new ForwardingKernel(host) {
          @Override
          public long read(int fd, long address, long bytes) {
            inside.countDown();
            return super.read(fd, address, bytes);
          }
        };
    try (Arena arena = Arena.ofShared();
        Fd blocking = Fd.owned(telling, FdKind.EVENTFD, host.eventfd(0, 0), "blocking");
        Arena mine = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(8);
      CompletableFuture<Long> read = CompletableFuture.supplyAsync(() -> blocking.read(memory));
      inside.await();
      assertThatThrownBy(arena::close)
          .as("the kernel has the address of its memory")
          .isInstanceOf(IllegalStateException.class);
      blocking.write(mine.allocateFrom(ValueLayout.JAVA_LONG, 7));
      assertThat(read.get()).isEqualTo(8);
      assertThat(memory.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(7);
    }
  }
}
