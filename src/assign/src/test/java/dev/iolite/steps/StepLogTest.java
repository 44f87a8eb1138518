package dev.iolite.steps;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.HostKernel;
import org.junit.jupiter.api.Test;

/** A listener that fails keeps no step from being made, and its failures are not lost. */
class StepLogTest {
  private final StepLog log = StepLog.brief("0000:00:07.0", new HostKernel(), _ -> {}, () -> false);

  private void fail(RuntimeException failure) {
    log.tell(() -> {
      throw failure;
    });
  }

  @Test
  void theFirstFailureIsThrownOnceWithThoseThatFollowed() {
    var first = new IllegalStateException("first");
    var second = new IllegalStateException("second");
    fail(first);
    fail(first);
    fail(second);
    assertThatThrownBy(log::requireTold).isSameAs(first).hasSuppressedException(second);
    assertThatCode(log::requireTold).doesNotThrowAnyException();
  }
}
