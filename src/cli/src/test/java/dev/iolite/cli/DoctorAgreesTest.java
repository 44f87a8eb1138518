package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelErrnos;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Doctor tells what the run will meet: whatever call that doctor makes fails, and with whatever the
 * kernel can answer there, doctor's verdict is that of the runs that follow.
 */
class DoctorAgreesTest {
  private static final String EDU = "0000:00:02.0";
  private static final List<Errno> OF_FILES = List.of(Errno.EACCES);

  @TempDir private Path directory;

  /** A host with one device at vfio-pci. */
  private static MockKernel host() {
    MockKernel kernel = MockKernel.plain();
    DriverBinding.bind(new Pci(kernel).device(PciAddress.parse(EDU)), "vfio-pci");
    return kernel;
  }

  private static Set<String> callsOfDoctor() {
    Set<String> calls = new TreeSet<>();
    try (MockKernel kernel = host()) {
      Calls note =
          call -> {
            calls.add(call.toString());
            return false;
          };
      Cli.runOn(
          new FaultyKernel(kernel, Faults.none().failAll(note, Errno.EIO, Faults.When.BEFORE)),
          "doctor");
    }
    return calls;
  }

  static List<Arguments> faults() {
    List<Arguments> faults = new ArrayList<>();
    for (String call : callsOfDoctor()) {
      List<Errno> errnos =
          call.startsWith("open ") && !call.startsWith("open /dev/")
              ? OF_FILES
              : KernelErrnos.of(call.startsWith("open ") ? "open" : call);
      errnos.forEach(errno -> faults.add(Arguments.of(call, errno)));
    }
    return faults;
  }

  private static Kernel failing(MockKernel kernel, String call, Errno errno) {
    return new FaultyKernel(
        kernel,
        Faults.none().failAll(made -> made.toString().equals(call), errno, Faults.When.BEFORE));
  }

  private Cli run(String call, Errno errno, String... arguments) {
    try (MockKernel kernel = host()) {
      return Cli.runOn(failing(kernel, call, errno), arguments);
    }
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("faults")
  void theVerdictIsThatOfTheRuns(String call, Errno errno) {
    Cli doctor = run(call, errno, "-o", "json", "doctor");
    Cli passthrough = run(call, errno, "passthrough", EDU);
    assertThat(doctor.code())
        .as("%s%npassthrough: %s", doctor.out(), passthrough.err())
        .isEqualTo(passthrough.code() == ExitCode.OK ? ExitCode.OK : ExitCode.CHECK_FAILED);
    List<JsonNode> findings = JsonMapper.shared().readTree(doctor.out()).valueStream().toList();
    assertThat(findings)
        .allSatisfy(finding ->
            assertThat(finding.get("code").isNull())
                .isEqualTo(finding.get("status").asString().equals("OK")));
    if (passthrough.code() != ExitCode.OK) {
      assertThat(findings)
          .as("one says what %s says", passthrough.err())
          .anySatisfy(finding -> {
            assertThat(finding.get("status").asString()).isEqualTo("MISSING");
            assertThat(passthrough.err()).contains(finding.get("next").asString());
          });
    }
  }

  static List<Arguments> faultsOfKvm() {
    return faults().stream()
        .filter(fault -> fault.get()[0].toString().matches("KVM_.*|open /dev/kvm|mmap"))
        .toList();
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("faultsOfKvm")
  void aGuestThatFailsIsMissing(String call, Errno errno) {
    boolean works = run(call, errno, "kvm", "hello").code() == ExitCode.OK;
    String doctor = run(call, errno, "doctor").out();
    // Doctor makes the VFIO device of a VM too, which the smallest guest has none of.
    if (!call.equals("KVM_CREATE_DEVICE")) {
      assertThat(doctor).containsPattern("(?m)^KVM +" + (works ? "OK" : "missing"));
    }
  }

  static List<Arguments> faultsOfIoctls() {
    return faults().stream()
        .filter(fault -> fault.get()[0].toString().matches("(VFIO|IOMMU)_.*|open /dev/.*"))
        .toList();
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("faultsOfIoctls")
  void theSharedHalfOfAnAssignmentIsNoOtherRun(String call, Errno errno) {
    Cli assign = run(call, errno, "tdi", "assign", "--run-dir", directory.toString(), EDU);
    assertThat(run(call, errno, "doctor").code())
        .as(assign.err())
        .isEqualTo(assign.code() == ExitCode.OK ? ExitCode.OK : ExitCode.CHECK_FAILED);
  }
}
