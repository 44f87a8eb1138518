package dev.iolite.mock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.MemFd;
import dev.iolite.kernel.SysFs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Faults come when they are planned, and leave nothing behind that was not planned. */
class FaultyKernelTest {
  private final MockKernel model = MockKernel.plain();

  private FaultyKernel with(Faults faults) {
    return new FaultyKernel(model, faults);
  }

  private List<String> descriptors() {
    SysFs files = new SysFs(model);
    return files.list("/proc/self/fd").stream()
        .filter(fd -> files.linkName("/proc/self/fd/" + fd).isPresent())
        .filter(fd -> !files.readlink("/proc/self/fd/" + fd).equals("/proc/self/fd"))
        .toList();
  }

  @Test
  void onlyThePlannedCallFailsAndItIsNotMade() {
    FaultyKernel kernel =
        with(Faults.none().fail(Calls.named("eventfd"), 2, Errno.EMFILE, Faults.When.BEFORE));

    assertThat(kernel.eventfd(0, 0)).isEqualTo(3);
    assertThat(kernel.eventfd(0, 0)).isEqualTo(Errno.EMFILE.negated());
    assertThat(kernel.eventfd(0, 0)).isEqualTo(4);
    assertThat(kernel.injected()).containsExactly("EMFILE before eventfd");
  }

  @Test
  void aCallThatFailsAfterItsEffectHasTakenPlaceHasHadIt() {
    FaultyKernel kernel =
        with(Faults.none().fail(Calls.named("write"), 1, Errno.EINTR, Faults.When.AFTER));
    int fd = kernel.eventfd(0, 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocateFrom(ValueLayout.JAVA_LONG, 7);
      assertThat(kernel.write(fd, value.address(), 8)).isEqualTo(Errno.EINTR.negated());
      assertThat(kernel.read(fd, value.address(), 8)).isEqualTo(8);
      assertThat(value.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(7);
    }
    assertThat(kernel.injected()).containsExactly("EINTR after write");
  }

  @Test
  void aDescriptorWhoseNumberIsLostDoesNotStayOpen() {
    List<String> before = descriptors();
    FaultyKernel kernel =
        with(Faults.none().fail(Calls.named("memfd_create"), 1, Errno.ENOMEM, Faults.When.AFTER));

    assertThatThrownBy(() -> MemFd.create(kernel, "ram", 4096)).hasMessageContaining("ENOMEM");
    assertThat(descriptors()).isEqualTo(before);
  }

  @Test
  void aCallCanReturnANumberInsteadOfBeingMade() {
    FaultyKernel kernel = with(Faults.none().answer(Calls.named("close"), 1, 7));
    int fd = kernel.eventfd(0, 0);

    assertThat(kernel.close(fd)).isEqualTo(7);
    assertThat(kernel.close(fd)).as("it was open still").isZero();
    assertThat(kernel.injected()).containsExactly("7 instead of close");
  }

  @Test
  void aWriteCanBeShort() {
    FaultyKernel kernel = with(Faults.none().shorten(Calls.named("pwrite"), 1, 3));
    int fd = kernel.memfdCreate("file", 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(8);
      assertThat(kernel.pwrite(fd, bytes.address(), 8, 0)).isEqualTo(3);
      assertThat(kernel.lseek(fd, 0, 2)).isEqualTo(3);
      assertThat(kernel.pwrite(fd, bytes.address(), 8, 0)).isEqualTo(8);
    }
  }

  @Test
  void anEventHappensJustBeforeItsCall() {
    List<Integer> seen = new ArrayList<>();
    Kernel kernel =
        with(Faults.none().before(Calls.any(), 3, () -> seen.add(descriptors().size())));

    kernel.eventfd(0, 0);
    kernel.eventfd(0, 0);
    assertThat(seen).isEmpty();
    kernel.eventfd(0, 0);
    assertThat(seen).containsExactly(2);
  }

  @Test
  void theSameSeedGivesTheSameFailures() {
    assertThat(failuresOf(42)).isEqualTo(failuresOf(42)).isNotEqualTo(failuresOf(43)).isNotEmpty();
  }

  private static List<String> failuresOf(long seed) {
    FaultyKernel kernel =
        new FaultyKernel(
            MockKernel.plain(),
            Faults.none().random(seed, Calls.any(), 3, List.of(Errno.EIO, Errno.ENOMEM)));
    List<String> results = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      results.add(i + ": " + (kernel.eventfd(0, 0) >= 0));
    }
    results.addAll(kernel.injected());
    return results;
  }
}
