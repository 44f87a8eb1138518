package dev.iolite.mock.door;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A program in C that knows nothing of the model runs on it. */
@Timeout(120)
class DoorTest {
  @TempDir private static Path built;

  @TempDir private Path scratch;

  private static CProgram dynamic;
  private static CProgram linkedStatically;

  @BeforeAll
  static void compile() throws IOException, InterruptedException {
    dynamic = CProgram.build(built, "program.c");
    linkedStatically = CProgram.build(built, "program.c", "-static");
  }

  private static CProgram.Run run(String program, String what)
      throws IOException, InterruptedException {
    CProgram which = program.equals("static") ? linkedStatically : dynamic;
    return which.run(MockKernel.builder(), what);
  }

  private static int run(List<String> command) throws InterruptedException {
    return new Door(MockKernel.builder(), (kernel, _) -> kernel).run(command);
  }

  @ParameterizedTest
  @ValueSource(strings = {"dynamic", "static"})
  void itSeesTheModelsFiles(String program) throws Exception {
    assertEquals(
        new CProgram.Run(0, "vendor 0x1234\niommu is a device: 1\n"), run(program, "host"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"dynamic", "static"})
  void itDrivesADeviceWhichReachesItsMemoryAndItsEventfd(String program) throws Exception {
    assertEquals(
        new CProgram.Run(0, "edu 10000ed\ninterrupts 1\nby DMA\n"), run(program, "device"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"dynamic", "static"})
  void itDrivesADeviceOfAGroupInAContainerAndInAnIommufd(String program) throws Exception {
    assertEquals(
        new CProgram.Run(
            0,
            """
            container 666, version 0, type 1 1
            group 3, closed on exec 1, BAR fbfcfdfe, by DMA, unmapped 3000
            group 3, closed on exec 1, no BAR, by DMA, unmapped 2000
            """),
        run(program, "group"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"dynamic", "static"})
  void itMapsADevicesRegisters(String program) throws Exception {
    assertEquals(
        new CProgram.Run(
            0,
            """
            edu 10000ed, inverse edcba987
            threads that read it 4 and 1
            child 7
            moved 10000ed
            own SIGBUS 1
            disabled SIGBUS 1
            closed 10000ed
            stopped 1, then ended with 8
            """),
        run(program, "registers"));
  }

  @Test
  void itReachesTheMemoryOfADeviceWithoutBeingTraced() throws Exception {
    assertEquals(
        new CProgram.Run(
            0,
            """
            before, traced 0, closed by exec 0
            mapped, written
            part written
            disabled SIGBUS 1
            enabled written, mapped
            asleep SIGBUS 1
            awake written
            register 7d150001, traced 1
            part written
            after a reset 0
            closed kept
            """),
        run("dynamic", "bar"));
  }

  @Test
  void itMakesADmaBufOfItsOwnMemfd() throws Exception {
    assertEquals(
        new CProgram.Run(0, "8192 bytes\nthrough the dma-buf\n"), run("static", "udmabuf"));
  }

  @Test
  void aShellRedirectsItsStreamsToTheModelsFiles() throws Exception {
    Path output = scratch.resolve("output");
    String script =
        """
        exec > %s
        cd /sys/bus/pci/devices/0000:01:01.0
        echo vfio-pci > driver_override
        (cat driver_override)
        cat < vendor
        read device < device
        echo "device $device"
        cd ..
        echo 0000:01:01.0 > ../drivers_probe
        cd - > /dev/null
        part=$(cat vendor | cut -c 3-)
        echo "part $part"
        { sleep 0.2; cat vendor; } & cd /
        wait
        cd /sys/bus/pci && ls -d .. && ls .. | grep -c -e '^pci$' -e '^cpu$'
        cd /sys/bus/pci/devices/0000:01:01.0
        basename $(readlink driver)
        echo nonsense 2> /dev/null > /sys/bus/pci/drivers/vfio-pci/unbind || echo refused
        """
            .formatted(output);
    assertEquals(0, run(List.of("sh", "-c", script)));
    assertEquals(
        "vfio-pci\n0x1234\ndevice 0x11e8\npart 1234\n0x1234\n..\n2\nvfio-pci\nrefused\n",
        Files.readString(output));
  }

  @Test
  void aNodeHasTheNumberThatSysfsAndProcfsGiveAndAFileItsSize() throws Exception {
    Path output = scratch.resolve("output");
    String script =
        """
        exec > %s
        echo vfio-pci > /sys/bus/pci/devices/0000:00:03.0/driver_override
        echo 0000:00:03.0 > /sys/bus/pci/drivers/nvme/unbind
        echo 0000:00:03.0 > /sys/bus/pci/drivers_probe
        [ $(stat -c %%Hr:%%Lr /dev/vfio/devices/vfio0) = $(cat /sys/class/vfio-dev/vfio0/dev) ] || echo cdev
        grep -q "^$(stat -c %%Hr /dev/vfio/2) vfio$" /proc/devices || echo group
        for node in iommu kvm udmabuf vfio/vfio; do
          grep -q "^ *$(stat -c %%Lr /dev/$node) ${node#*/}$" /proc/misc || echo $node
        done
        stat -c '%%F %%t %%T %%a' /dev/vfio/vfio
        stat -c '%%F %%s %%t' /sys/bus/pci/devices/0000:00:0[23].0/config
        stat -L -c '%%i' /sys/bus/pci/devices/0000:00:03.0 /sys/devices/pci0000:00/0000:00:03.0 |
          uniq | wc -l
        """
            .formatted(output);
    assertEquals(0, run(List.of("sh", "-c", script)));
    assertEquals(
        """
        character special file a c4 666
        regular file 256 0
        regular file 4096 0
        1
        """,
        Files.readString(output));
  }

  @Test
  void whatIsPinnedStaysTheDevicesWhenItIsUnmapped() throws Exception {
    assertEquals(
        new CProgram.Run(
            0,
            """
            child 0, the device has fourth
            the device has first, the program new
            then written and new
            the device has second, the program new
            then written and new
            the device has third, the program new
            then written and new
            """),
        run("dynamic", "pinned"));
  }

  @Test
  void aMemfdOfTheProgramsOwnIsMapped() throws Exception {
    assertEquals(
        new CProgram.Run(0, "in a file, position 0\nstill here\n"), run("dynamic", "file"));
  }

  @Test
  void aGuestMemfdIsAFileOfItsSizeAndTakesHoles() throws Exception {
    assertEquals(
        new CProgram.Run(
            0,
            """
            mode 100600, size 16384 and 16384, of its own 1
            VM: mode 600, size 0
            after a hole a0a0
            """),
        run("dynamic", "memory"));
  }

  @Test
  void anInstructionThatRegistersDontTakeEndsItWithAMessage() {
    PreconditionException refused =
        assertThrows(PreconditionException.class, () -> run("dynamic", "unknown"));
    assertTrue(refused.observed().contains("48 0f ae 0"), refused.getMessage());
  }

  @Test
  void itRunsAGuestAndSharesTheVcpusMemory() throws Exception {
    assertEquals(new CProgram.Run(0, "exit 2, port 80, 42\nexit 5\n"), run("dynamic", "guest"));
  }

  @Test
  void aSignalTakesItOutOfAGuestThatRunsForEver() throws Exception {
    assertEquals(new CProgram.Run(0, "interrupted\n"), run("dynamic", "signal"));
  }

  @Test
  void callsAreAnsweredBesideThoseThatBlock() throws Exception {
    assertEquals(new CProgram.Run(0, "id 1\nthe guest was at 1005\n"), run("dynamic", "beside"));
  }

  @Test
  void aProgramThatIsKilledInACallEnds() throws Exception {
    // SIGALRM is 14.
    assertEquals(new CProgram.Run(128 + 14, ""), run("dynamic", "killed"));
  }

  @Test
  void aChildHasTheSameFilesAndDescriptorsOfItsOwn() throws Exception {
    assertEquals(new CProgram.Run(0, "child 7\n"), run("dynamic", "fork"));
  }

  @Test
  void aProcessGivesAnotherOneADevice() throws Exception {
    assertEquals(
        new CProgram.Run(
            0,
            """
            received 1, closed by exec 1 and 1, edu 10000ed and 10000ed
            received 1, file -1
            back
            """),
        run("dynamic", "messages"));
  }

  @Test
  void aSocketTellsItsErrorsToAProgramThatAsksForFiles() throws Exception {
    assertEquals(
        new CProgram.Run(
            0,
            """
            received 0
            received 1
            out of band 1
            received 5, numbers like the sender's: 1
            id 1
            """),
        run("dynamic", "errors"));
  }

  @Test
  void threadsCallAtTheSameTime() throws Exception {
    assertEquals(new CProgram.Run(0, "next id 401\n"), run("dynamic", "threads"));
  }

  @Test
  void whatOneProgramLeavesOpenIsClosedForTheNext() throws Exception {
    String one = "edu 10000ed\ninterrupts 1\nby DMA\nended with 0\n";
    assertEquals(new CProgram.Run(0, one + one), run("dynamic", "twice"));
  }

  @Test
  void badArgumentsGetTheKernelsAnswers() throws Exception {
    assertEquals(new CProgram.Run(0, "id 1\n"), run("dynamic", "nonsense"));
  }

  @Test
  void aNumberOfTheProgramsOwnStaysItsOwnAndAnyFileTakesSomeIoctls() throws Exception {
    String seen = "0, and others than 0 and 0\nids 1 and 1\n1, 0, 1\n";
    assertEquals(new CProgram.Run(0, seen), run("dynamic", "numbers"));
  }

  @Test
  void namesOfTheModelsAreNotChangedNorTakenForTheMachines() throws Exception {
    assertEquals(new CProgram.Run(0, ""), run("dynamic", "names"));
  }

  @Test
  void directoriesHaveTheModelsNamesAndAreWorkingDirectories() throws Exception {
    assertEquals(
        new CProgram.Run(
            0,
            """
            vfio_pci 1, 1, null 1, iommu 1, pci 1
            in pieces: 1, 1
            duplicate: iommu 1, 1
            50 /sys/devices/pci0000:00/0000:00:04.0/0000:01:01.0
            child in /sys/devices/pci0000:00/0000:00:04.0
            still in /sys/devices/pci0000:00/0000:00:04.0
            then in /dev
            """),
        run("dynamic", "directories"));
  }

  @Test
  void aProgramThatMakesNoneOfTheseCallsSeesTheMachineAlone() throws Exception {
    assertEquals(new CProgram.Run(0, "descriptors from 4\n"), run("dynamic", "unaware"));
  }

  @Test
  void theExitStatusIsTheProgramsOwn() throws Exception {
    assertEquals(new CProgram.Run(37, ""), run("dynamic", "37"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "HUP", "USR1"})
  void aSignalIsPassedOnAndTheProgramDecides(String signal) throws Exception {
    String script =
        """
        trap 'exit 3' %s
        kill -%s $PPID
        for i in $(seq 100); do sleep 0.1; done
        exit 4
        """;
    // One that was ignored when this JVM was started, as by nohup, the program ignores, too.
    int expected = isIgnored(signal) ? 4 : 3;
    assertEquals(expected, run(List.of("sh", "-c", script.formatted(signal, signal))));
  }

  private static boolean isIgnored(String signal) throws IOException, InterruptedException {
    // A shell does not trap what it ignores from the start.
    String script = "trap 'exit 3' %s; kill -%s $$; exit 4".formatted(signal, signal);
    return CProgram.runHere(List.of("sh", "-c", script)).status() == 4;
  }

  @Test
  void aProgramOnThePathIsFoundAsByAShell() throws Exception {
    assertEquals(0, run(List.of("true")));
    assertEquals(3, run(List.of("sh", "-c", "exit 3")));
  }

  @Test
  void nothingIsLeftInThisProcess() throws Exception {
    run("dynamic", "device");
    List<String> before = CProgram.openFiles();
    run("dynamic", "device");
    run("dynamic", "registers");
    run("dynamic", "killed");
    assertEquals(before, CProgram.openFiles());
  }

  @Test
  void aFileThatIsNoProgramIsRefusedBeforeAnythingRuns() throws IOException {
    Path text = Files.writeString(scratch.resolve("text"), "text");
    assertRefused(text.toString(), "it is not executable", "chmod +x " + text);
    assertRefused("./no-such-program", "there is no such file", "PATH");
    assertRefused("no-such-program", "there is no such file", "PATH");
    assertRefused(scratch.toString(), "it is a directory", "PATH");
  }

  @Test
  void aProgramOfAnotherArchitectureIsRefusedBeforeAnythingRuns() throws IOException {
    byte[] program = Files.readAllBytes(dynamic.file());
    // e_machine: AArch64
    program[18] = (byte) 183;
    Path foreign = Files.write(scratch.resolve("foreign"), program);
    assertTrue(foreign.toFile().setExecutable(true));
    assertRefused(foreign.toString(), "it is for another architecture (ELF machine 183)", "x86-64");
  }

  @Test
  void aScriptWhoseInterpreterIsMissingIsRefused() throws IOException {
    Path script = Files.writeString(scratch.resolve("script"), "#!/no/such/interpreter\n");
    assertTrue(script.toFile().setExecutable(true));
    assertRefused(script.toString(), "it can't be started: ENOENT", "without iolite");
  }

  @ParameterizedTest
  @CsvSource({"0, true, ''", "1, true, ''", "2, false, ptrace_scope=1", "3, false, 3 can't"})
  void whereItsMemoryCantBeReachedTheSettingIsSaid(String scope, boolean isAllowed, String next) {
    SysFs files =
        new SysFs(
            new ForwardingKernel(new HostKernel()) {
              @Override
              public int open(String path, int flags) {
                boolean isStatus = path.equals("/proc/self/status");
                boolean isScope = path.endsWith("ptrace_scope");
                Path unprivileged = scratch.resolve("file");
                if (!isScope && !isStatus) {
                  return super.open(path, flags);
                }
                try {
                  Files.writeString(
                      unprivileged,
                      isScope
                          ? scope + "\n"
                          : "Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nGroups:\t\nCapEff:\t0\n");
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
                return super.open(unprivileged.toString(), flags);
              }
            });
    if (isAllowed) {
      PtraceScope.require(files);
    } else {
      PreconditionException refused =
          assertThrows(PreconditionException.class, () -> PtraceScope.require(files));
      assertTrue(refused.advice().next().contains(next), refused.getMessage());
    }
  }

  private static void assertRefused(String program, String what, String next) {
    PreconditionException refused =
        assertThrows(PreconditionException.class, () -> run(List.of(program)));
    assertEquals(Optional.of(what), Optional.of(refused.observed()));
    assertTrue(refused.advice().next().contains(next), refused.getMessage());
  }
}
