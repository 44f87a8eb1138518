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
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.AssertionFailedError;

/**
 * Boots the lab once, runs the tests tagged {@code lab} there on the real kernel, and reports each
 * as a test of its own. {@code scripts/lab test} shows the same run alone.
 */
class LabIT {
  private static final Path REPORT = Path.of("target/lab/host/reports/TEST-junit-jupiter.xml");

  @TestFactory
  List<DynamicNode> onTheRealKernel() throws IOException, InterruptedException {
    LabScript.assumeBuilt();
    LabScript.Result run = LabScript.run("test", "--as-built");
    assertThat(REPORT).as("the guest's report; the lab wrote:\n%s", run.output()).exists();
    List<GuestTest> tests;
    try (InputStream xml = Files.newInputStream(REPORT)) {
      tests = GuestReport.read(xml);
    }
    List<DynamicNode> nodes = new ArrayList<>();
    nodes.add(dynamicTest("the guest's verdict", () -> verdictAgrees(run, tests)));
    tests.stream()
        .collect(
            groupingBy(GuestTest::className, TreeMap::new, mapping(LabIT::asTestHere, toList())))
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
