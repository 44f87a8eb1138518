package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.KvmIoctls;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** An XSAVE area of more than 4096 bytes, as processors with AMX have. */
class ExtendedStateTest {
  private static final int SMALL = 4096;
  private static final int LARGE = 11_008;

  private byte[] area = new byte[LARGE];
  private final Kernel kernel =
      new ForwardingKernel(new HostKernel()) {
        @Override
        public int ioctl(int fd, long request, long argument) {
          MemorySegment all = MemorySegment.ofAddress(argument).reinterpret(LARGE);
          if (request == KvmIoctls.KVM_GET_XSAVE2.number()) {
            all.copyFrom(MemorySegment.ofArray(area));
          } else {
            assertThat(request).isEqualTo(KvmIoctls.KVM_SET_XSAVE.number());
            area = all.toArray(ValueLayout.JAVA_BYTE);
          }
          return 0;
        }
      };

  private ExtendedState state(int bytes) {
    return new ExtendedState(Fd.borrowed(kernel, FdKind.KVM_VCPU, 100, "vCPU"), () -> bytes);
  }

  @Test
  void allOfItIsReadAndSet() {
    area[SMALL] = 1;
    area[LARGE - 1] = 2;
    byte[] read = state(LARGE).fullArea();
    assertThat(read).isEqualTo(area);
    read[LARGE - 2] = 3;
    state(LARGE).setArea(read);
    assertThat(area).isEqualTo(read);
  }

  /** arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_set_xsave reads as much as the vCPU's area has. */
  @Test
  void whatAShorterAreaLacksIsZero() {
    area[LARGE - 1] = 2;
    byte[] shorter = new byte[SMALL];
    shorter[SMALL - 1] = 4;
    state(LARGE).setArea(shorter);
    assertThat(area).startsWith(shorter);
    assertThat(
            MemorySegment.ofArray(area)
                .asSlice(SMALL)
                .mismatch(MemorySegment.ofArray(new byte[LARGE - SMALL])))
        .isEqualTo(-1);
  }
}
