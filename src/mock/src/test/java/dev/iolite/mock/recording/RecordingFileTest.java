package dev.iolite.mock.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.mock.Platform;
import dev.iolite.mock.core.IommuUnit;
import dev.iolite.mock.core.ReservedRegion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecordingFileTest {
  private static void refused(String text, String message) {
    assertThatThrownBy(() -> RecordingFile.parse(text))
        .isInstanceOf(MalformedRecordingException.class)
        .hasMessage(message);
  }

  @Test
  void whatIsWrittenIsReadAndWrittenTheSame() {
    assertThat(RecordingText.of(RecordingFile.parse(SmallMachine.TEXT)))
        .isEqualTo(SmallMachine.TEXT);
  }

  @Test
  void readsWhatIsThere() {
    Recording recording = RecordingFile.parse(SmallMachine.TEXT);

    assertThat(recording.platform()).isEqualTo(Platform.PLAIN);
    assertThat(recording.iommus())
        .containsExactly(
            new IommuUnit(
                "dmar3", IommuUnit.Kind.INTEL_VTD, 0x00d2_008c_2226_0286L, 0x0000_0000_00f0_0f4aL));
    assertThat(recording.groups())
        .containsExactly(
            new Recording.Group(
                17,
                "DMA-FQ",
                List.of(
                    new ReservedRegion(0, 0xff_ffff, ReservedRegion.Kind.DIRECT_RELAXABLE),
                    ReservedRegion.MESSAGES)));
    RecordedFunction nic = recording.functions().getLast();
    assertThat(nic.address()).hasToString("0000:3b:00.0");
    assertThat(nic.config().read(0x40, 1)).isEqualTo(5);
    assertThat(nic.placement().resetMethods()).containsExactly("flr", "bus");
  }

  @Test
  void anotherVersionIsRefused() {
    refused(
        SmallMachine.TEXT.replace("recording: 1", "recording: 2"),
        "line 1, column 12: this recording has version 2, and only version 1 is known here");
  }

  @Test
  void aTruncatedFileIsRefused() {
    String cut = SmallMachine.TEXT.substring(0, SmallMachine.TEXT.indexOf("first: \"0xfee"));
    assertThatThrownBy(() -> RecordingFile.parse(cut))
        .isInstanceOf(MalformedRecordingException.class)
        .hasMessageMatching("line 2\\d, column \\d+: the file is cut off or no YAML: .+");
    String between = SmallMachine.TEXT.substring(0, SmallMachine.TEXT.indexOf("    irq: 0"));
    refused(between, "line 45, column 5: 'config-bytes' is missing");
    refused("", "line 1, column 1: the file is empty");
  }

  /** Each list has ten aliases of the one before: expanded, there would be 10^9 texts. */
  @Test
  void aBillionAliasesAreRefused() {
    StringBuilder text = new StringBuilder("a0: &a0 [lol]\n");
    for (int i = 1; i < 10; i++) {
      text.append("a%d: &a%d [%s]\n".formatted(i, i, ("*a" + (i - 1) + ",").repeat(10)));
    }
    refused(
        text.toString(),
        "line 1, column 5: a recording has no anchors (&name) and no aliases (*name)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          end: "0xe000ffff" | end: "0x80000000dfffffff" | line 59, column 9: BAR0 of kind \
          MEMORY_32 can't have 0x8000000000000000 bytes: a power of two from 0x10 to 0x80000000
          end: "0xe000ffff" | end: "0xe000fffe" | line 59, column 9: BAR0 of kind MEMORY_32 can't \
          have 0xffff bytes: a power of two from 0x10 to 0x80000000
          end: "0xe000ffff" | end: "0x1ffffffffffffffff" | line 59, column 46: a number is like 4096 \
          or "0x1000" and below 2^64, not '0x1ffffffffffffffff'
          group: 17 | group: 18 | line 54, column 12: there is no IOMMU group 18 in this recording
          iommu: "dmar3" | iommu: "dmar4" | line 53, column 12: there is no IOMMU 'dmar4' in this \
          recording
          address: "0000:3b:00.0" | address: "0000:3a:00.0" | line 45, column 5: there are two \
          functions at 0000:3a:00.0
          address: "0000:3b:00.0" | address: "3b:00.0" | line 45, column 14: no PCI address: 3b:00.0
          revision: "0x02" | revision: "0x102" | line 51, column 15: 258 is more than 255
          driver: "vfio-pci" | driver: "../x" | line 52, column 13: '../x' is no name of a file
          irq: 24 | irq: 24, 25 | line 37, column 10: a number is like 4096 or "0x1000" and below \
          2^64, not '24, 25'
          irq: 24 | irrq: 24 | line 37, column 11: there is no 'irrq' here, only address, vendor, \
          device, subsystem-vendor, subsystem-device, class, revision, driver, driver-override, \
          iommu, group, irq, reset-methods, attributes, physical-function, sriov, tsm, vfio, resources, \
          config-bytes, config
          processors: 2 | kernel: x | line 6, column 3: 'kernel' is there twice
          kind: msi | kind: msy | line 27, column 57: 'msy' is none of direct, direct-relaxable, \
          reserved, msi
          config-bytes: 256 | config-bytes: 300 | line 42, column 13: configuration space has 256 or \
          4096 bytes, not 300
          0x010: 00 00 00 e0 | 0x0f8: 00 00 00 e0 | line 61, column 13: line 2 of the configuration \
          space is outside its 256 bytes
          0x010: 00 00 00 e0 | 0x010 00 00 00 e0 | line 61, column 13: line 2 of the configuration \
          space is not like '0x040: 05 50 80 00', but '0x010 00 00 00 e0 00 00 00 00 00 00 00 00 00 \
          00 00 00'
          0x040: 05 00 84 | 0x040: 05 00 8e | line 45, column 5: MSI has 1, 2, 4, 8, 16 or 32 \
          vectors, not 128
          physical-address-bits: 46 | physical-address-bits: 31 | line 10, column 26: physical \
          addresses have 32 to 52 bits
          """)
  void whatNoMachineCanBeIsRefused(String from, String to, String message) {
    String changed = SmallMachine.TEXT.replaceFirst(Pattern.quote(from), to);
    assertThat(changed).isNotEqualTo(SmallMachine.TEXT);
    refused(changed, message);
  }

  @Test
  void aFileIsNamed(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("x.yaml"), "recording: 9");
    assertThatThrownBy(() -> RecordingFile.read(file))
        .hasMessage(
            file
                + ", line 1, column 12: this recording has version 9, and only version 1 is known"
                + " here");
    Files.write(file, new byte[] {(byte) 0xff});
    assertThatThrownBy(() -> RecordingFile.read(file)).hasMessage(file + " is no text in UTF-8");
    Files.write(file, new byte[(3 << 20) + 1]);
    assertThatThrownBy(() -> RecordingFile.read(file))
        .hasMessage(file + ", it has more than 3145728 bytes");
  }

  /** A list of capabilities that leads back to itself, and one whose last entry does not fit. */
  @Test
  void capabilitiesMayLeadAnywhere() {
    Recording loop =
        RecordingFile.parse(SmallMachine.TEXT.replace("0x040: 05 00 84", "0x040: 09 40 84"));
    assertThat(loop.functions().getLast().config().capability(5)).isEmpty();
    Recording end =
        RecordingFile.parse(
            SmallMachine.TEXT
                .replace("0x030: 00 00 00 00 40", "0x030: 00 00 00 00 f8")
                .replace(
                    "0x040: 05 00 84 00 00 00 00 00 00 00 00 00 00 00 00 00",
                    "0x0f0: 00 00 00 00 00 00 00 00 05 00 84 00 00 00 00 00"));
    assertThat(end.functions().getLast().config().capability(5)).isEmpty();
  }
}
