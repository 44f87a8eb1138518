package dev.iolite.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.doctor.FindingCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The codes of findings: once published, a code means the same for ever, and a page says what. */
class FindingCodesTest {
  /** Only ever add to the end of this list: programs rely on the codes. */
  private static final List<String> PUBLISHED =
      List.of(
          "IOL-0001 OLD_KERNEL",
          "IOL-0002 KERNEL_UNREAD",
          "IOL-0003 NO_IOMMU",
          "IOL-0004 IOMMU_UNREAD",
          "IOL-0005 NO_IOMMU_GROUP",
          "IOL-0006 IOMMU_GROUPS_UNREAD",
          "IOL-0007 NO_IOMMUFD",
          "IOL-0008 IOMMUFD_FORBIDDEN",
          "IOL-0009 IOMMUFD_FAILED",
          "IOL-0010 MEMLOCK_TOO_LOW",
          "IOL-0011 MEMLOCK_LIMITED",
          "IOL-0012 MEMLOCK_FAILED",
          "IOL-0013 MEMLOCK_UNREAD",
          "IOL-0014 NO_VFIO_PCI",
          "IOL-0015 VFIO_PCI_UNREAD",
          "IOL-0016 NO_VFIO_CDEV",
          "IOL-0017 VFIO_CDEV_UNREAD",
          "IOL-0018 DEVICE_UNTRIED",
          "IOL-0019 DEVICE_FORBIDDEN",
          "IOL-0020 DEVICE_FAILED",
          "IOL-0021 DEVICE_IN_USE",
          "IOL-0022 DMA_BUF_UNTRIED",
          "IOL-0023 DMA_BUF_FAILED",
          "IOL-0024 NO_KVM",
          "IOL-0025 KVM_FORBIDDEN",
          "IOL-0026 KVM_FAILED",
          "IOL-0027 KVM_UNTRIED",
          "IOL-0028 KVM_GUEST_WRONG",
          "IOL-0029 NO_CONFIDENTIAL_VM",
          "IOL-0030 VM_TYPES_UNREAD",
          "IOL-0031 NO_TSM_CLASS",
          "IOL-0032 NO_TSM",
          "IOL-0033 TSM_UNREAD",
          "IOL-0034 NO_HUGE_PAGES",
          "IOL-0035 HUGE_PAGES_UNREAD");

  /** A heading with the text below it. */
  private static final Pattern SECTION =
      Pattern.compile(
          "^#+ (IOL-\\S+)\\n\\n(.*?)\\n(?=\\n#|\\z)", Pattern.DOTALL | Pattern.MULTILINE);

  @Test
  void noCodeIsRenumbered() {
    assertThat(FindingCode.values())
        .extracting(code -> code + " " + code.name())
        .containsExactlyElementsOf(PUBLISHED);
  }

  @Test
  void everyCodeIsAHeadingAndEveryHeadingACode() throws IOException {
    List<MatchResult> sections =
        SECTION.matcher(Files.readString(Path.of("docs/troubleshooting.md"))).results().toList();

    assertThat(sections)
        .extracting(section -> section.group(1))
        .containsExactlyElementsOf(
            Arrays.stream(FindingCode.values()).map(FindingCode::toString).toList());
    assertThat(sections)
        .allSatisfy(section ->
            assertThat(section.group(2))
                .as(section.group(1))
                .startsWith("**")
                .doesNotContain("#\n"));
  }
}
