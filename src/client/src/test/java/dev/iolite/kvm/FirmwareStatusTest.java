package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.uapi.UapiHeaders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The names of what the firmware of SEV and TDX says. */
class FirmwareStatusTest {
  private static final Pattern CODE =
      Pattern.compile("(?m)^\\s*(SEV_RET_\\w+)\\s*=\\s*(0x[0-9A-Fa-f]+|-?\\d+)");

  /** The kernel has the name misspelled, and right as an alias. */
  private static final String MISSPELLED = "SEV_RET_INAVLID_CONFIG";

  @Test
  void theNamesAreThoseOfTheHeader() throws IOException {
    Path header = UapiHeaders.orSkip().headers().resolve("linux/psp-sev.h");
    assumeTrue(Files.isReadable(header), "Skipped: no " + header);
    Matcher codes = CODE.matcher(Files.readString(header));
    int count = 0;
    while (codes.find()) {
      int code = Integer.decode(codes.group(2));
      String name = codes.group(1).replace(MISSPELLED, "SEV_RET_INVALID_CONFIG");
      assertThat(SevStatus.text(code))
          .isEqualTo("error=0x%s (%s)".formatted(Integer.toHexString(code), name));
      count++;
    }
    assertThat(count).isGreaterThan(50);
  }

  @Test
  void codesThatTheKernelHasNoNameForAreNumbers() {
    assertThat(SevStatus.text(0x1e)).isEqualTo("error=0x1e");
    assertThat(SevStatus.text(0x40)).isEqualTo("error=0x40");
    assertThat(SevStatus.text(-2)).isEqualTo("error=0xfffffffe");
    assertThat(TdxStatus.text(0x8000_1234_0000_0000L)).isEqualTo("hw_error=0x8000123400000000");
  }

  @Test
  void aTdxStatusIsNamedWhateverItsDetails() {
    assertThat(TdxStatus.text(0xc000_0100_0000_0001L))
        .isEqualTo("hw_error=0xc000010000000001 (TDX_OPERAND_INVALID)");
    assertThat(TdxStatus.text(0x8000_0200_0000_0092L))
        .isEqualTo("hw_error=0x8000020000000092 (TDX_OPERAND_BUSY)");
    assertThat(TdxStatus.text(0x8000_ff00_0000_000dL))
        .isEqualTo("hw_error=0x8000ff000000000d (TDX_SEAMCALL_GP)");
  }
}
