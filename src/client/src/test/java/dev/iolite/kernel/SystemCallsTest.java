package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.catalog.Call;
import dev.iolite.uapi.catalog.SystemCall;
import dev.iolite.uapi.catalog.SystemCalls;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SystemCallsTest {
  @Test
  void everySystemCallOfAKernelIsInTheTable() {
    List<String> calls =
        Arrays.stream(Kernel.class.getMethods()).map(SystemCallsTest::systemCall).toList();
    assertThat(SystemCalls.all())
        .extracting(SystemCall::name)
        .containsExactlyInAnyOrderElementsOf(
            calls.stream().filter(call -> !call.equals("registers")).toList());
  }

  private static String systemCall(Method method) {
    return switch (method.getName()) {
      case "addSeals" -> "fcntl";
      case "memfdCreate" -> "memfd_create";
      case "getdents" -> "getdents64";
      case "interruptible" -> "gettid";
      case "interrupt" -> "tgkill";
      default -> method.getName();
    };
  }

  @Test
  void onlyCloseIsNotRepeated() {
    assertThat(SystemCalls.all())
        .filteredOn(call -> call.onInterrupt() == Call.OnInterrupt.REPORT)
        .containsExactly(SystemCalls.CLOSE);
  }
}
