package dev.iolite.mock.door;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.iolite.kernel.CallerMemory;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.catalog.VfioIoctls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever call of a program fails, and however many programs there are, nothing is left. */
@Timeout(600)
class DoorSweepTest {
  /** More than one program needs, its threads and children included. */
  private static final int MOST_FILES_AT_ONCE = 400;

  @TempDir private static Path built;

  private static CProgram program;

  @BeforeAll
  static void compile() throws Exception {
    program = CProgram.build(built, "program.c", "-static");
  }

  /**
   * Which of the model's files are open, and how many this process has open for them at most. Those
   * that were open before are somebody else's.
   */
  private static final class Watched extends ForwardingKernel {
    private final int filesBefore = CProgram.openFiles().size();
    private final Set<Integer> open = new HashSet<>();
    private int mostFiles;

    Watched(Kernel inner) {
      super(inner);
    }

    @Override
    public synchronized int open(String path, int flags) {
      int fd = super.open(path, flags);
      if (fd >= 0) {
        open.add(fd);
      }
      mostFiles = Math.max(mostFiles, CProgram.openFiles().size() - filesBefore);
      return fd;
    }

    @Override
    public synchronized int close(int fd) {
      open.remove(fd);
      return super.close(fd);
    }
  }

  private final List<Watched> watched = new ArrayList<>();

  private int run(String what, Faults faults) throws InterruptedException {
    Path output = built.resolve("output");
    Door door =
        new Door(
            MockKernel.builder(),
            (Kernel model, CallerMemory memory) -> {
              Watched kernel = new Watched(model);
              watched.add(kernel);
              return new FaultyKernel(kernel, memory, Ioctls.ofHeaders(), faults);
            });
    return door.run(List.of(program.file().toString(), what, output.toString()));
  }

  /** What closes a file is the end of its last user, which no fault holds up. */
  private static Calls failing() {
    return call -> !call.name().equals("close");
  }

  @ParameterizedTest
  @EnumSource(Faults.When.class)
  void whicheverCallFailsTheProgramEndsAndLeavesNothing(Faults.When when) throws Exception {
    run("device", Faults.none());
    List<String> before = CProgram.openFiles();
    int failed = 0;
    int status = -1;
    for (int nth = 1; status != 0; nth++) {
      status = run("device", Faults.none().fail(failing(), nth, Errno.EIO, when));
      assertTrue(status == 0 || status == 1, "call " + nth + " ended it with " + status);
      failed += status;
    }
    assertTrue(failed > 20, failed + " calls failed");
    watched.forEach(kernel -> assertEquals(Set.of(), kernel.open));
    assertEquals(before, CProgram.openFiles());
  }

  @ParameterizedTest
  @EnumSource(Faults.When.class)
  void theProgramSeesTheErrnoOfAnIoctlThatIsToFail(Faults.When when) throws Exception {
    Path output = built.resolve("output");
    Files.deleteIfExists(output);
    Calls attach = Calls.of(VfioIoctls.VFIO_DEVICE_ATTACH_IOMMUFD_PT);
    assertEquals(1, run("device", Faults.none().fail(attach, 1, Errno.EBUSY, when)));
    assertEquals(
        "ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach): Device or resource busy\n",
        Files.readString(output));
    assertEquals(0, run("device", Faults.none().fail(attach, 2, Errno.EBUSY, when)));
  }

  @Test
  void aThousandProgramsOneAfterTheOtherLeaveNothing() throws Exception {
    run("device", Faults.none());
    List<String> before = CProgram.openFiles();
    assertEquals(0, run("thousand", Faults.none()));
    watched.forEach(kernel -> assertEquals(Set.of(), kernel.open));
    assertEquals(before, CProgram.openFiles());
    int most = watched.getLast().mostFiles;
    assertTrue(most < MOST_FILES_AT_ONCE, most + " files were open at once");
  }

  @Test
  void fiftyProgramsAtOnceLeaveNothing() throws Exception {
    assertEquals(0, run("fifty", Faults.none()));
    watched.forEach(kernel -> assertEquals(Set.of(), kernel.open));
  }

  @Test
  void tenThousandForksAreTheMachinesAffair() throws Exception {
    assertEquals(0, run("forks", Faults.none()));
    assertTrue(watched.getLast().mostFiles < MOST_FILES_AT_ONCE);
  }
}
