package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.StringEntry;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is said of each error: there is something, and it can be done as it stands. */
class AdviceTest {
  private static final String DEVICE = "VFIO device 7 (0000:03:00.1, /dev/vfio/devices/vfio0)";
  private static final Pattern PLACEHOLDER =
      Pattern.compile("\\b(BDF|PATH|UUID|NAME|FILE|VENDOR|DEVICE|NODE|DEV|GROUP|USER)\\b");
  private static final Pattern BDF = Pattern.compile("\\bBDF\\b|VENDOR:DEVICE");

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

  /** The text of a message is a constant of its class; the usage is in annotations, and none. */
  @Test
  void noMessageOfTheProductHasAPlaceholder() throws IOException, URISyntaxException {
    Path classes =
        Path.of(Advice.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(classes.resolve("dev/iolite"))) {
      for (Path file : files.filter(AdviceTest::isScanned).toList()) {
        for (PoolEntry entry : ClassFile.of().parse(file).constantPool()) {
          if (entry instanceof StringEntry constant && hasPlaceholder(constant.stringValue())) {
            found.add(file.getFileName() + ": " + constant.stringValue());
          }
        }
      }
    }
    assertThat(found).isEmpty();
  }

  /** Alone it is a table's heading. */
  private static boolean hasPlaceholder(String text) {
    return BDF.matcher(text).find() && !text.equals("BDF");
  }

  /** In a table of advice BDF stands for the device, and is filled in. */
  private static boolean isScanned(Path file) {
    return file.toString().endsWith(".class") && !file.toString().endsWith("Advice.class");
  }
}
