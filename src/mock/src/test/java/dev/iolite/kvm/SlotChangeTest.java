package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.catalog.KvmIoctls;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A slot that two threads change at once. */
class SlotChangeTest {
  private static final long BYTES = 0x1000;

  /** Has another thread do something while it is in the next change of a slot. */
  private static final class Racing extends ForwardingKernel {
    private Thread other = new Thread(() -> {});

    Racing(MockKernel inner) {
      super(inner);
    }

    @Override
    public int ioctl(int fd, long request, long argument) {
      boolean changes = request == KvmIoctls.KVM_SET_USER_MEMORY_REGION.number();
      if (changes && other.getState() == Thread.State.NEW) {
        other.start();
        while (other.getState() != Thread.State.BLOCKED
            && other.getState() != Thread.State.TERMINATED) {
          Thread.onSpinWait();
        }
      }
      return super.ioctl(fd, request, argument);
    }
  }

  @Test
  @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void neitherChangeIsLost() throws InterruptedException {
    try (MockKernel model = MockKernel.plain()) {
      Racing kernel = new Racing(model);
      try (Kvm kvm = Kvm.open(kernel);
          Vm vm = kvm.createVm(VmType.DEFAULT);
          Mapping memory = Mapping.anonymous(kernel, BYTES)) {
        MemorySlot slot = vm.addSlot(0x1000, BYTES, memory.address());
        Thread moves = new Thread(() -> slot.moveTo(0x5000));
        kernel.other = moves;
        slot.logDirtyPages(true);
        moves.join();
        assertThat(slot.gpa()).isEqualTo(0x5000);
        assertThat(slot.flags()).containsExactly(SlotFlag.LOG_DIRTY_PAGES);
      }
    }
  }
}
