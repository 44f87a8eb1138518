package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.uapi.libc.Libc;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A memfd has the seals that it is given, and no others. */
class MemFdTest {
  private final HostKernel kernel = new HostKernel();

  @ParameterizedTest
  @EnumSource(Seal.class)
  void aSealIsTheOneThatWasAskedFor(Seal seal) {
    try (MemFd memory = MemFd.sealable(kernel, "sealed", Page.BYTES)) {
      memory.seal(EnumSet.of(seal));
      assertThat(kernel.seals(memory.fd().number())).isEqualTo(seal.bit());
    }
  }

  @Test
  void severalSealsAreAddedAtOnceAndWhatTheyForbidIsRefused() {
    try (MemFd memory = MemFd.sealable(kernel, "sealed", Page.BYTES)) {
      memory.seal(EnumSet.of(Seal.SHRINK, Seal.GROW));
      memory.seal(EnumSet.of(Seal.SEAL));
      assertThat(kernel.seals(memory.fd().number()))
          .isEqualTo(Libc.F_SEAL_SHRINK() | Libc.F_SEAL_GROW() | Libc.F_SEAL_SEAL());
      assertThat(kernel.ftruncate(memory.fd().number(), 2 * Page.BYTES))
          .isEqualTo(Errno.EPERM.negated());
      assertThatThrownBy(() -> memory.seal(EnumSet.of(Seal.WRITE)))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EPERM))
          .hasMessageContaining("F_ADD_SEALS [WRITE]");
    }
  }

  @Test
  void oneThatWasNotMadeToBeSealedIsNot() {
    try (MemFd memory = MemFd.create(kernel, "usual", Page.BYTES)) {
      assertThatThrownBy(() -> memory.seal(EnumSet.of(Seal.SHRINK)))
          .isInstanceOf(KernelException.class)
          .hasMessageContaining("EPERM")
          .hasMessageContaining("MFD_ALLOW_SEALING");
    }
  }
}
