package dev.iolite.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class GuestReportTest {

  @Test
  void carriesEveryOutcomeOver() throws IOException {
    InputStream report =
        xml(
            """
            <testsuite name="JUnit Jupiter" tests="4">
              <testcase name="passes()" classname="a.B"><system-out>x</system-out></testcase>
              <testcase name="fails()" classname="a.B">
                <failure message="1 != 2" type="E"><![CDATA[E: 1 != 2
              at a.B.fails(B.java:7)
            ]]></failure>
              </testcase>
              <testcase name="breaks(int)[2]" classname="a.C">
                <error type="F"><![CDATA[F: boom]]></error>
              </testcase>
              <testcase name="skips()" classname="a.C">
                <skipped><![CDATA[org.opentest4j.TestAbortedException: no gcc
              at a.C.skips(C.java:9)
            ]]></skipped>
              </testcase>
            </testsuite>
            """);

    assertThat(GuestReport.read(report))
        .containsExactly(
            new GuestTest("a.B", "passes()", new GuestTest.Passed()),
            new GuestTest(
                "a.B", "fails()", new GuestTest.Failed("E: 1 != 2\n  at a.B.fails(B.java:7)")),
            new GuestTest("a.C", "breaks(int)[2]", new GuestTest.Failed("F: boom")),
            new GuestTest("a.C", "skips()", new GuestTest.Skipped("no gcc")));
  }

  @Test
  void saysThatAReportIsCutOff() {
    assertThatThrownBy(() -> GuestReport.read(xml("<testsuite><testcase name=\"a\"")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not well-formed");
  }

  private static InputStream xml(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }
}
