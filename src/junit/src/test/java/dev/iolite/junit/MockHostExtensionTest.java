package dev.iolite.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.pci.Machine;
import dev.iolite.tsm.Profile;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Classes of tests that use the extension, as JUnit runs them. */
@Timeout(60)
class MockHostExtensionTest {
  private static final String INSIDE = "dev.iolite.junit.inside";

  /** Some of the classes below fail, so that JUnit runs them from {@link #run} only. */
  static final class Inside implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      return context.getConfigurationParameter(INSIDE).isPresent()
          ? ConditionEvaluationResult.enabled("it is run by a test")
          : ConditionEvaluationResult.disabled("it is what another test runs");
    }
  }

  private static Map<String, String> run(Class<?> tests) {
    return run(tests, Map.of());
  }

  /** What became of each test, and of each class that failed, by name. */
  private static Map<String, String> run(Class<?> tests, Map<String, String> parameters) {
    Map<String, String> results = new TreeMap<>();
    LauncherDiscoveryRequestBuilder request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(selectClass(tests))
            .configurationParameter(INSIDE, "yes")
            .configurationParameters(parameters);
    LauncherFactory.create()
        .execute(
            request.build(),
            new TestExecutionListener() {
              @Override
              public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                Optional<Throwable> failure = result.getThrowable();
                if (test.isTest() || failure.isPresent()) {
                  synchronized (results) {
                    results.put(
                        test.getDisplayName().replace("()", ""),
                        failure.map(MockHostExtensionTest::said).orElse("passed"));
                  }
                }
              }
            });
    return results;
  }

  private static String said(Throwable thrown) {
    StringBuilder all = new StringBuilder(String.valueOf(thrown.getMessage()));
    for (Throwable also : thrown.getSuppressed()) {
      all.append(" / ").append(also.getMessage());
    }
    return all.toString();
  }

  private static String left(String test, String... what) {
    return test + ":\n  left behind: " + String.join("\n  left behind: ", what);
  }

  /** Each test leaves something else. */
  @ExtendWith({Inside.class, MockHostExtension.class})
  static class Leaving {
    @Test
    void nothing(Kernel kernel) {
      try (Iommufd iommufd = Iommufd.open(kernel)) {
        iommufd.allocIoas();
      }
    }

    @Test
    void aDescriptor(Kernel kernel) {
      Iommufd.open(kernel).allocIoas();
    }

    @Test
    void aMapping(MockKernel kernel) {
      assertThat(kernel.mmap(0x7000_0000_0000L, 4096, 1, 0x10_0022, -1, 0)).isPositive();
    }

    @Test
    void whatAKilledProgramLeaves(Kernel kernel, MockKernel host) {
      Iommufd.open(kernel).allocIoas();
      host.exit();
    }

    @Test
    void aDescriptorWhenItFails(Kernel kernel) {
      Iommufd.open(kernel);
      throw new IllegalStateException("failed by itself");
    }
  }

  @Test
  void aTestThatLeavesSomethingFailsAndSaysWhat() {
    assertThat(run(Leaving.class))
        .isEqualTo(
            Map.of(
                "nothing(Kernel)",
                "passed",
                "aDescriptor(Kernel)",
                left(
                    "aDescriptor(Kernel)",
                    "descriptor 3 (/dev/iommu)",
                    "IOAS 1 of descriptor 3 (/dev/iommu)"),
                "aMapping(MockKernel)",
                left(
                    "aMapping(MockKernel)",
                    "mapping 0x700000000000-0x700000000fff of anonymous memory"),
                "whatAKilledProgramLeaves(Kernel, MockKernel)",
                "passed",
                "aDescriptorWhenItFails(Kernel)",
                "failed by itself / "
                    + left("aDescriptorWhenItFails(Kernel)", "descriptor 3 (/dev/iommu)")));
  }

  /** The host is there from the constructor to the last method. */
  @ExtendWith({Inside.class, MockHostExtension.class})
  static class WithFixtures {
    private final Iommufd first;
    private final Kernel kernel;

    WithFixtures(Kernel kernel) {
      first = Iommufd.open(kernel);
      this.kernel = kernel;
    }

    @BeforeEach
    void isTheSame(Kernel again, FaultyKernel faulty) {
      assertThat(again).isSameAs(kernel).isSameAs(faulty);
    }

    @Test
    void one(MockKernel host) {
      assertThat(host.held()).containsExactly("descriptor 3 (/dev/iommu)");
    }

    @Test
    void another(MockKernel host) {
      assertThat(host.held()).containsExactly("descriptor 3 (/dev/iommu)");
      Iommufd.open(kernel);
    }

    @AfterEach
    void close() {
      first.close();
    }
  }

  @Test
  void eachTestHasAHostOfItsOwnFromItsConstructorOn() {
    assertThat(run(WithFixtures.class))
        .isEqualTo(
            Map.of(
                "one(MockKernel)",
                "passed",
                "another(MockKernel)",
                left("another(MockKernel)", "descriptor 4 (/dev/iommu)")));
  }

  /** What the constructor opens and nothing closes. */
  @ExtendWith({Inside.class, MockHostExtension.class})
  static class LeavingFixture {
    LeavingFixture(Kernel kernel) {
      Iommufd.open(kernel);
    }

    @Test
    void test() {}
  }

  @Test
  void whatTheConstructorLeavesIsTheTests() {
    assertThat(run(LeavingFixture.class))
        .isEqualTo(Map.of("test", left("test()", "descriptor 3 (/dev/iommu)")));
  }

  /** A test leaves an object of a descriptor that was there before it. */
  @SharedHost
  @TestMethodOrder(MethodOrderer.MethodName.class)
  @ExtendWith({Inside.class, MockHostExtension.class})
  static class Sharing {
    private static Iommufd iommufd;
    private static Ioas ioas;

    @BeforeAll
    static void open(Kernel kernel) {
      iommufd = Iommufd.open(kernel);
      ioas = iommufd.allocIoas();
    }

    @Test
    void aIoas() {
      iommufd.allocIoas();
    }

    @Test
    void bNothing(MockKernel host) {
      assertThat(host.held()).hasSize(3);
      iommufd.allocIoas().close();
    }

    @Nested
    @SharedHost
    class Below {
      @Test
      void cMapping(Kernel kernel) {
        try (Mapping memory = Mapping.anonymous(kernel, 4096)) {
          ioas.map(0x1000, memory.segment(), IovaAccess.READ_WRITE);
        }
      }
    }

    @AfterAll
    static void close() {
      iommufd.close();
    }
  }

  @Test
  void testsThatShareAHostLeaveWhatWasThereBefore() {
    assertThat(run(Sharing.class))
        .isEqualTo(
            Map.of(
                "aIoas",
                left("aIoas()", "IOAS 2 of descriptor 3 (/dev/iommu)"),
                "bNothing(MockKernel)",
                "passed",
                "cMapping(Kernel)",
                left(
                    "cMapping(Kernel)",
                    "IOVA 0x1000-0x1fff in IOAS 1 of descriptor 3 (/dev/iommu)")));
  }

  /** A class that does not close what it has opened. */
  @SharedHost
  @ExtendWith({Inside.class, MockHostExtension.class})
  static class LeavingClass {
    @BeforeAll
    static void open(Kernel kernel) {
      Iommufd.open(kernel);
    }

    @Test
    void test() {}
  }

  @Test
  void aClassThatLeavesSomethingFails() {
    assertThat(run(LeavingClass.class))
        .isEqualTo(
            Map.of(
                "test",
                "passed",
                "MockHostExtensionTest$LeavingClass",
                left("MockHostExtensionTest$LeavingClass", "descriptor 3 (/dev/iommu)")));
  }

  /** It wants a host before there is one. */
  @ExtendWith({Inside.class, MockHostExtension.class})
  static class TooEarly {
    @BeforeAll
    static void open(Kernel kernel) {
      assertThat(kernel).isNull();
    }

    @Test
    void test() {}
  }

  @Test
  void aHostPerTestIsNotThereBeforeTheTest() {
    assertThat(run(TooEarly.class).get("MockHostExtensionTest$TooEarly"))
        .contains("there is none before a test begins; put @SharedHost on the class");
  }

  /** Its end of a test comes after that of the extension, which is registered later. */
  static final class Ended implements AfterEachCallback {
    static final CountDownLatch ONE = new CountDownLatch(1);

    @Override
    public void afterEach(ExtensionContext context) {
      ONE.countDown();
    }
  }

  /** Tests that run at the same time: the one that may waits until the other has ended. */
  @SharedHost
  @ExtendWith({Inside.class, Ended.class, MockHostExtension.class})
  static class AtTheSameTime {
    @Test
    void one(Kernel kernel) throws InterruptedException {
      Iommufd.open(kernel);
      Ended.ONE.await();
    }

    @Test
    void other(Kernel kernel) throws InterruptedException {
      Iommufd.open(kernel);
      Ended.ONE.await();
    }
  }

  @Test
  void testsThatShareAHostAtTheSameTimeAreRefused() {
    Map<String, String> results =
        run(
            AtTheSameTime.class,
            Map.of(
                "junit.jupiter.execution.parallel.enabled", "true",
                "junit.jupiter.execution.parallel.mode.default", "concurrent",
                "junit.jupiter.execution.parallel.config.strategy", "fixed",
                "junit.jupiter.execution.parallel.config.fixed.parallelism", "2"));
    assertThat(results.values())
        .as("one is refused, and what the other leaves behind is still its own")
        .anyMatch(said -> said.contains("SAME_THREAD"))
        .anyMatch(said -> said.matches("(one|other)\\(Kernel\\):\n  left behind: descriptor 3.*"));
  }

  /** Faults by annotation. */
  @ExtendWith({Inside.class, MockHostExtension.class})
  static class Failing {
    private static void failsToMap(Kernel kernel, Errno errno) {
      try (Iommufd iommufd = Iommufd.open(kernel);
          Ioas ioas = iommufd.allocIoas();
          Mapping memory = Mapping.anonymous(kernel, 4096)) {
        ioas.map(0x1000, memory.segment(), IovaAccess.READ_WRITE).close();
        assertThatThrownBy(() -> ioas.map(0x2000, memory.segment(), IovaAccess.READ_WRITE))
            .isInstanceOfSatisfying(
                KernelException.class, e -> assertThat(e.errno()).isEqualTo(errno));
      }
    }

    @Test
    @Fault(call = "IOMMU_IOAS_MAP", nth = 2, errno = Errno.ENOMEM)
    void before(Kernel kernel) {
      failsToMap(kernel, Errno.ENOMEM);
    }

    @Test
    @Fault(call = "IOMMU_IOAS_MAP", nth = 2, errno = Errno.EINTR, when = Faults.When.AFTER)
    @Fault(call = "IOMMU_IOAS_MAP", nth = 3, errno = Errno.ENOSPC)
    void after(Kernel kernel, FaultyKernel faulty) {
      failsToMap(kernel, Errno.ENOSPC);
      assertThat(faulty.injected())
          .containsExactly("EINTR after IOMMU_IOAS_MAP", "ENOSPC before IOMMU_IOAS_MAP");
    }

    @Test
    @Fault(call = "mmap", errno = Errno.EAGAIN)
    void aSystemCall(Kernel kernel) {
      assertThat(kernel.mmap(0, 4096, 1, 0x22, -1, 0)).isEqualTo(Errno.EAGAIN.negated());
    }

    @Test
    @Fault(call = "IOMMU_IOAS_MAP", nth = 3, errno = Errno.ENOMEM)
    @Fault(call = "mmap", nth = 2, errno = Errno.EIO)
    void tooFew(Kernel kernel) {
      Mapping.anonymous(kernel, 4096).close();
    }

    @Test
    @Fault(call = "IOMMU_IOAS_MOP", errno = Errno.ENOMEM)
    void unknown() {}

    @Test
    @Fault(call = "mmap", nth = 0, errno = Errno.ENOMEM)
    void zeroth() {}
  }

  @Test
  void aCallFailsAsItsTestSays() {
    Map<String, String> results = run(Failing.class);
    assertThat(results)
        .containsEntry("before(Kernel)", "passed")
        .containsEntry("after(Kernel, FaultyKernel)", "passed")
        .containsEntry("aSystemCall(Kernel)", "passed");
    assertThat(results.get("tooFew(Kernel)"))
        .isEqualTo(
            """
            tooFew(Kernel):
              call 3 of IOMMU_IOAS_MAP was to fail with ENOMEM, but the test made 0 of them
              call 2 of mmap was to fail with EIO, but the test made 1 of them\
            """);
    assertThat(results.get("unknown"))
        .startsWith("there is no call 'IOMMU_IOAS_MOP' that can fail");
    assertThat(results.get("zeroth")).isEqualTo("@Fault of mmap: calls are counted from 1, not 0");
  }

  /** A fault ends with its test, also on a shared host. */
  @SharedHost
  @TestMethodOrder(MethodOrderer.MethodName.class)
  @ExtendWith({Inside.class, MockHostExtension.class})
  static class FailingOnce {
    @Test
    @Fault(call = "eventfd", errno = Errno.EMFILE)
    void aNeverMakesTheCall() {}

    @Test
    void bMakesIt(Kernel kernel) {
      assertThat(kernel.close(kernel.eventfd(0, 0))).isZero();
    }
  }

  @Test
  void aFaultEndsWithItsTest() {
    assertThat(run(FailingOnce.class))
        .containsEntry("bMakesIt(Kernel)", "passed")
        .hasEntrySatisfying(
            "aNeverMakesTheCall",
            said -> assertThat(said).contains("call 1 of eventfd was to fail"));
  }

  /** Hosts by annotation. */
  @Host(platform = Platform.TDX)
  @ExtendWith({Inside.class, MockHostExtension.class})
  static class Described {
    @Test
    void asItsClassSays(MockKernel host) {
      assertThat(host.platform()).isEqualTo(Platform.TDX);
      assertThat(host.profile()).isEqualTo(Profile.SEED_2025);
    }

    @Test
    @Host(platform = Platform.SEV, profile = Profile.V6)
    @Fault(call = "IOMMU_VDEVICE_TSM_OP", errno = Errno.EIO)
    void asItSaysItself(MockKernel host) {
      assertThat(host.platform()).isEqualTo(Platform.SEV);
      assertThat(host.profile()).isEqualTo(Profile.V6);
    }

    @Test
    @Host(profile = {Profile.V6, Profile.CCA_V7})
    void asNoHostIs() {}

    @Nested
    class Below {
      @Test
      void asTheClassAroundItSays(MockKernel host) {
        assertThat(host.platform()).isEqualTo(Platform.TDX);
      }
    }
  }

  /** Hosts that were recorded. */
  @Host(recording = "src/junit/src/test/resources/dev/iolite/junit/machine.yaml")
  @ExtendWith({Inside.class, MockHostExtension.class})
  static class Recorded {
    @Test
    void hasItsDevices(Kernel kernel) {
      assertThat(new SysFs(kernel).list("/sys/bus/pci/devices")).containsExactly("0000:3b:00.0");
    }

    @Test
    @Host(recording = "no-such.yaml")
    void aFileThatIsMissing() {}

    @Test
    @Host(recording = "no-such.yaml", platform = Platform.TDX)
    void onAnotherPlatform() {}
  }

  @Test
  void aRecordingIsAHost() {
    Map<String, String> results = run(Recorded.class);
    assertThat(results).containsEntry("hasItsDevices(Kernel)", "passed");
    assertThat(results.get("aFileThatIsMissing"))
        .startsWith("the recording no-such.yaml can't be read; the tests run in /");
    assertThat(results.get("onAnotherPlatform"))
        .startsWith("@Host names a recording, which has a platform and a profile");
  }

  @Test
  void theNearestDescriptionCounts() {
    Map<String, String> results = run(Described.class);
    assertThat(results)
        .containsEntry("asItsClassSays(MockKernel)", "passed")
        .containsEntry("asTheClassAroundItSays(MockKernel)", "passed")
        .containsEntry("asNoHostIs", "@Host names 2 profiles; a host has one");
    assertThat(results.get("asItSaysItself(MockKernel)"))
        .contains("call 1 of IOMMU_VDEVICE_TSM_OP was to fail");
  }

  /** A host that no annotation describes. */
  @ExtendWith(Inside.class)
  static class OwnMachine {
    @RegisterExtension
    static final MockHostExtension HOST =
        MockHostExtension.of(() -> MockKernel.builder().machine(new Machine()));

    @Test
    void isEmpty(Kernel kernel) {
      assertThat(new SysFs(kernel).list("/sys/bus/pci/devices")).isEmpty();
    }

    @Test
    @Host
    void isDescribedTwice() {}
  }

  @Test
  void aTestDescribesItsHostInJava() {
    Map<String, String> results = run(OwnMachine.class);
    assertThat(results).containsEntry("isEmpty(Kernel)", "passed");
    assertThat(results.get("isDescribedTwice")).contains("remove one of them");
  }

  /** One instance for all tests: its constructor is no test's. */
  @TestInstance(TestInstance.Lifecycle.PER_CLASS)
  @ExtendWith({Inside.class, MockHostExtension.class})
  static class OneInstance {
    OneInstance(Kernel kernel) {
      throw new AssertionError(kernel.toString());
    }

    @Test
    void test() {}
  }

  @Test
  void aHostPerTestIsNotGivenToAnInstanceOfAllTests() {
    assertThat(run(OneInstance.class).values()).anyMatch(said -> said.contains("@SharedHost"));
  }

  private static long memoryOfHosts() {
    SysFs files = new SysFs(new HostKernel());
    return files.list("/proc/self/fd").stream()
        .flatMap(fd -> files.linkName("/proc/self/fd/" + fd).stream())
        .filter(name -> name.contains("iolite-mock"))
        .count();
  }

  @Test
  void aHostEndsWithItsTestOrClass() {
    long before = memoryOfHosts();
    run(Leaving.class);
    run(LeavingClass.class);
    assertThat(memoryOfHosts()).isEqualTo(before);
  }
}
