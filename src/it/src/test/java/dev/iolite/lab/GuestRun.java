package dev.iolite.lab;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.opentest4j.AssertionFailedError;

/** {@code scripts/lab test}: one boot, whose tests are reported as tests of their own. */
final class GuestRun {
  private GuestRun() {}

  /**
   * Boots the lab and runs the tests that are for its kernel and machine.
   *
   * @param options more options of {@code scripts/lab test}
   */
  static List<DynamicNode> on(String kernel, String machine, String... options)
      throws IOException, InterruptedException {
    LabScript.assumeBuilt(kernel);
    List<String> command = List.of("--kernel", kernel, "test", "--as-built", "--machine", machine);
    LabScript.Result run =
        LabScript.run(Stream.concat(command.stream(), Stream.of(options)).toArray(String[]::new));
    Path report =
        Path.of("target", "lab", kernel + "-" + machine, "host/reports/TEST-junit-jupiter.xml");
    assertThat(report).as("the guest's report; the lab wrote:\n%s", run.output()).exists();
    List<GuestTest> tests;
    try (InputStream xml = Files.newInputStream(report)) {
      tests = GuestReport.read(xml);
    }
    List<DynamicNode> nodes = new ArrayList<>();
    nodes.add(dynamicTest("the guest's verdict", () -> verdictAgrees(run, tests)));
    tests.stream()
        .collect(
            groupingBy(GuestTest::className, TreeMap::new, mapping(GuestRun::asTestHere, toList())))
        .forEach((name, children) -> nodes.add(dynamicContainer(name, children)));
    return nodes;
  }

  /** The launcher exits with 1 exactly if something failed: so no failure got lost on the way. */
  private static void verdictAgrees(LabScript.Result run, List<GuestTest> tests) {
    boolean failed = tests.stream().anyMatch(t -> t.outcome() instanceof GuestTest.Failed);
    assertThat(tests).as("tests that ran in the guest").isNotEmpty();
    assertThat(run.exitCode())
        .as("exit code of the guest's test run, which wrote:\n%s", run.output())
        .isEqualTo(failed ? 1 : 0);
  }

  private static DynamicTest asTestHere(GuestTest test) {
    return dynamicTest(
        test.name(),
        () -> {
          switch (test.outcome()) {
            case GuestTest.Passed() -> {}
            case GuestTest.Skipped(String reason) -> Assumptions.abort(named(test, reason));
            case GuestTest.Failed(String text) -> throw failure(named(test, text));
          }
        });
  }

  /** Maven's summary knows a dynamic test only by its number. */
  private static String named(GuestTest test, String text) {
    return "%s.%s in the lab: %s".formatted(test.className(), test.name(), text);
  }

  /** The stack trace that counts is the guest's, in the text. */
  private static AssertionFailedError failure(String text) {
    AssertionFailedError failure = new AssertionFailedError(text);
    failure.setStackTrace(new StackTraceElement[0]);
    return failure;
  }
}
