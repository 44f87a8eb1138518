package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is said of each error: there is something, and it can be done as it stands. */
class AdviceTest {
  private static final String DEVICE = "VFIO device 7 (0000:03:00.1, /dev/vfio/devices/vfio0)";
  private static final Pattern PLACEHOLDER =
      Pattern.compile("\\b(BDF|PATH|UUID|NAME|FILE|VENDOR|DEVICE|NODE|DEV|GROUP|USER)\\b");

  /** Where usage is spelled, as in {@code --svg FILE}, and the tables that people read. */
  private static final List<String> NO_ADVICE = List.of("\"BDF\"");

  static List<String> calls() {
    return KernelErrnos.calls();
  }

  @ParameterizedTest
  @MethodSource("calls")
  void everyErrnoThatTheKernelAnswersToACallHasACauseAndANextStep(String call) {
    assertThat(KernelErrnos.of(call))
        .allSatisfy(errno ->
            assertThat(new KernelException(call, DEVICE, "", -errno.negated()).advice())
                .as("%s: %s", call, errno)
                .hasValueSatisfying(advice -> {
                  assertThat(advice.cause()).isNotBlank();
                  assertThat(advice.next()).isNotBlank();
                }));
  }

  @Test
  void everyPlaceholderOfAnAdviceIsFilledInOrThereIsNone() {
    List<String> calls = new ArrayList<>(KernelErrnos.calls());
    calls.addAll(
        List.of(
            "IOMMU_VDEVICE_TSM_OP",
            "IOMMU_VDEVICE_TSM_REQ",
            "IOMMU_VDEVICE_TSM_GUEST_REQUEST",
            "VFIO_DEVICE_TSM_BIND"));
    for (String call : calls) {
      for (Errno errno : Errno.values()) {
        for (String subject : List.of(DEVICE, "iommufd 5 (/dev/iommu)", "/sys/bus/x/bind")) {
          assertThat(new KernelException(call, subject, "", -errno.negated()).getMessage())
              .as("%s on %s: %s", call, subject, errno)
              .doesNotContainPattern(PLACEHOLDER);
        }
      }
    }
  }

  @Test
  void theDeviceIsFoundInSubjectOrArgument() {
    assertThat(new KernelException("write", "/sys/bus/pci/drivers/vfio-pci/bind", "", 22))
        .hasMessageContaining("Next: iolite pci show (with the device's address);");
    assertThat(
            new KernelException(
                "write", "/sys/bus/pci/drivers/vfio-pci/bind", "'0000:03:00.1'", 22))
        .hasMessageContaining("Next: iolite pci show 0000:03:00.1;");
  }

  /** Texts of messages are in the sources as they are said; in annotations is the usage. */
  @Test
  void noMessageOfTheProductHasAPlaceholder() throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    List<String> found = new ArrayList<>();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
        Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
      List<Path> all = sources.filter(path -> path.toString().endsWith(".java")).toList();
      JavacTask parser =
          (JavacTask)
              compiler.getTask(
                  null, files, null, null, null, files.getJavaFileObjectsFromPaths(all));
      for (CompilationUnitTree unit : parser.parse()) {
        new Literals(unit.getSourceFile().getName(), found).scan(unit, null);
      }
    }
    assertThat(found).isEmpty();
  }

  private static final class Literals extends TreeScanner<Void, Void> {
    private static final Pattern BDF = Pattern.compile("\\bBDF\\b|VENDOR:DEVICE");

    /** Here BDF stands for the device in a table of advice, and is filled in. */
    private static final Pattern FILLED_IN = Pattern.compile(".*/kernel/\\w*Advice\\.java");

    private final String file;
    private final List<String> found;

    Literals(String file, List<String> found) {
      this.file = file;
      this.found = found;
    }

    @Override
    public Void visitAnnotation(AnnotationTree annotation, Void context) {
      return null;
    }

    @Override
    public Void visitLiteral(LiteralTree literal, Void context) {
      String text = literal.toString();
      if (BDF.matcher(text).find()
          && !NO_ADVICE.contains(text)
          && !FILLED_IN.matcher(file).matches()) {
        found.add(file + ": " + text);
      }
      return super.visitLiteral(literal, null);
    }
  }
}
