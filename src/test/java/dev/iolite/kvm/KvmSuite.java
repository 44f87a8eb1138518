package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What KVM does with us, on whatever kernel has a {@code /dev/kvm}. */
abstract class KvmSuite {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofMillis(50);

  private final Kernel kernel = new HostKernel();
  private List<String> descriptorsBefore = List.of();

  @BeforeEach
  void kvmIsThere() {
    // Also loads the classes that hold descriptors of their own.
    try (Kvm kvm = Kvm.open(kernel)) {
      kvm.createVm(VmType.DEFAULT).close();
    } catch (KernelException e) {
      assumeTrue(false, "no usable KVM here: " + e.getMessage());
    }
    descriptorsBefore = descriptors();
  }

  @AfterEach
  void noDescriptorIsLeft() {
    assertThat(descriptors()).isEqualTo(descriptorsBefore);
  }

  /** The KVM descriptors of this process; others come and go with the JVM. */
  private List<String> descriptors() {
    SysFs proc = new SysFs(kernel);
    return proc.list("/proc/self/fd").stream()
        .flatMap(fd -> proc.linkName("/proc/self/fd/" + fd).stream())
        .filter(name -> name.contains("kvm"))
        .toList();
  }

  @Test
  void helloGuestPrintsItsTextAndHalts() {
    HelloGuest.Result result = HelloGuest.run(kernel, "Hello, wörld\n", LONG);

    assertThat(result.text()).isEqualTo("Hello, wörld\n");
    assertThat(result.exits()).isEqualTo("Hello, w..rld\n".length() + 1);
  }

  @Test
  void aGuestThatNeverHaltsIsStoppedAtTheDeadlineAndCanRunAgain() {
    // jmp $
    try (Guest guest = new Guest(0xeb, 0xfe)) {
      assertThatThrownBy(() -> guest.vcpu.run(SHORT))
          .isInstanceOf(GuestDeadlineException.class)
          .hasMessageContaining("KVM_RUN on KVM vCPU")
          .hasMessageContaining(
              "did not stop within 50 ms (exits handled: 0; stopped at rip=0x1000")
          .hasMessageContaining("Next: ");

      guest.ram.segment().set(ValueLayout.JAVA_BYTE, 0, (byte) 0xf4);
      assertThat(guest.vcpu.run(LONG)).isInstanceOf(Exit.Hlt.class);
    }
  }
}
