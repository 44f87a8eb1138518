package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CloseStackTest {
  private final List<String> closed = new ArrayList<>();
  private final CloseStack stack = new CloseStack();

  private void add(String name) {
    stack.onClose(() -> closed.add(name));
  }

  private void addFailing(String name) {
    stack.onClose(() -> {
      closed.add(name);
      throw new IllegalStateException(name);
    });
  }

  @Test
  void closesInReverseOrderAndOnce() {
    add("first");
    add("second");
    stack.close();
    stack.close();
    assertThat(closed).containsExactly("second", "first");
  }

  @Test
  void closesEverythingAndKeepsTheFirstFailure() {
    add("first");
    addFailing("second");
    addFailing("third");
    assertThatThrownBy(stack::close)
        .hasMessage("third")
        .satisfies(e ->
            assertThat(e.getSuppressed())
                .hasSize(1)
                .extracting("message")
                .containsExactly("second"));
    assertThat(closed).containsExactly("third", "second", "first");
  }

  @Test
  void releasedResourcesBelongToTheNewStack() {
    add("first");
    add("second");
    CloseStack released = stack.release();
    stack.close();
    assertThat(closed).isEmpty();
    released.close();
    assertThat(closed).containsExactly("second", "first");
  }

  @Test
  void whatFailedIsTriedAgainInTheSameOrderAndNothingElse() {
    add("first");
    addFailing("second");
    add("third");
    addFailing("fourth");
    assertThatThrownBy(stack::close).hasMessage("fourth");
    closed.clear();
    assertThatThrownBy(stack::close).hasMessage("fourth");
    assertThat(closed).containsExactly("fourth", "second");
  }
}
