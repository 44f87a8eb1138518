package dev.iolite.vmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.PreconditionException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Kernel images that can be booted, and those that can't. */
class BzImageTest {
  private static void assertRefused(byte[] bytes, String why) {
    assertThatThrownBy(() -> new BzImage("vmlinux", ByteBuffer.wrap(bytes)))
        .isInstanceOf(PreconditionException.class)
        .hasMessageStartingWith("boot vmlinux: ")
        .hasMessageContaining(why);
  }

  @Test
  void theHeaderSaysWhereTheKernelGoes() {
    BzImage image = new TestImage().image();

    assertThat(image.loadAddress()).isEqualTo(TestImage.LOAD);
    assertThat(image.entry()).isEqualTo(TestImage.LOAD + 0x200);
    assertThat(image.initBytes()).isEqualTo(TestImage.INIT_BYTES);
    assertThat(image.longestCommandLine()).isEqualTo(TestImage.LONGEST_COMMAND_LINE);
    assertThat(image.header()).as("to 0x202 + 0x6a").hasSize(0x26c - 0x1f1);
  }

  @Test
  void whatIsNoImageIsRefused() {
    assertRefused(new byte[0], "no setup header");
    assertRefused("\177ELF".repeat(1000).getBytes(StandardCharsets.US_ASCII), "no setup header");
    assertRefused(new TestImage().with16(0x1fe, 0).bytes(), "no setup header");
    assertRefused(new TestImage().with16(0x202, 0).bytes(), "no setup header");
  }

  @Test
  void anotherBootProtocolIsRefused() {
    assertRefused(new TestImage().with16(0x206, 0x20b).bytes(), "boot protocol is 2.11");
    assertRefused(new TestImage().with16(0x236, 0).bytes(), "without the 64-bit entry");
  }

  @Test
  void anImageThatWasCutOffIsRefused() {
    assertRefused(
        Arrays.copyOf(new TestImage().bytes(), TestImage.SETUP_BYTES), "ends within its setup");
  }
}
