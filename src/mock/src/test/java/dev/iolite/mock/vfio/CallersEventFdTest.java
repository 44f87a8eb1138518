package dev.iolite.mock.vfio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import dev.iolite.mock.core.CallerEventFd;
import dev.iolite.mock.core.CallerFiles;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_device_low_power_entry_with_wakeup;
import dev.iolite.uapi.vfio.vfio_irq_set;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An eventfd that the caller itself has made: VFIO signals it, and keeps it as long as needed. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CallersEventFdTest {
  private static final String ADDRESS = "0000:00:02.0";
  private static final int OWN = 5;
  private static final int NONE = -1;
  private static final int INTX = Vfio.VFIO_PCI_INTX_IRQ_INDEX();
  private static final int REQUEST = Vfio.VFIO_PCI_REQ_IRQ_INDEX();
  private static final int TRIGGER = Vfio.VFIO_IRQ_SET_ACTION_TRIGGER();
  private static final int UNMASK = Vfio.VFIO_IRQ_SET_ACTION_UNMASK();

  private final HostKernel host = new HostKernel();
  private final Arena arena = Arena.ofShared();
  private int eventFd = NONE;
  private int held;

  private final MockKernel kernel = MockKernel.builder().files(new Own()).build();
  private final VfioUser user = new VfioUser(kernel, ADDRESS);

  /** The caller's only file. */
  private final class Own implements CallerFiles {
    @Override
    public int first() {
      return OWN + 1;
    }

    @Override
    public boolean has(int fd) {
      return fd == OWN;
    }

    @Override
    public Optional<OpenFile> find(Task task, int fd) {
      if (fd != OWN) {
        return Optional.empty();
      }
      held++;
      eventFd = host.eventfd(0, Libc.EFD_NONBLOCK());
      return Optional.of(new CallerEventFd(task, host, eventFd, () -> held--));
    }

    @Override
    public void given(int fd) {}
  }

  @AfterEach
  void close() {
    user.close();
    kernel.close();
    assertThat(held).isZero();
    arena.close();
  }

  private void connect(int index, int action, int fd) {
    MemorySegment set = arena.allocate(vfio_irq_set.sizeof() + Integer.BYTES, Integer.BYTES);
    vfio_irq_set.argsz(set, (int) set.byteSize());
    vfio_irq_set.flags(set, Vfio.VFIO_IRQ_SET_DATA_EVENTFD() | action);
    vfio_irq_set.index(set, index);
    vfio_irq_set.count(set, 1);
    set.set(ValueLayout.JAVA_INT, vfio_irq_set.sizeof(), fd);
    assertThat(kernel.ioctl(device(), Vfio.VFIO_DEVICE_SET_IRQS(), set.address())).isZero();
  }

  private void trigger(int index) {
    MemorySegment set = arena.allocate(vfio_irq_set.sizeof(), Integer.BYTES);
    vfio_irq_set.argsz(set, (int) set.byteSize());
    vfio_irq_set.flags(set, Vfio.VFIO_IRQ_SET_DATA_NONE() | TRIGGER);
    vfio_irq_set.index(set, index);
    vfio_irq_set.count(set, 1);
    assertThat(kernel.ioctl(device(), Vfio.VFIO_DEVICE_SET_IRQS(), set.address())).isZero();
  }

  private int device() {
    return user.device().fd().number();
  }

  private int sleep(int wakeUp) {
    long bytes = vfio_device_feature.sizeof() + vfio_device_low_power_entry_with_wakeup.sizeof();
    MemorySegment feature = arena.allocate(bytes, Long.BYTES);
    vfio_device_feature.argsz(feature, (int) bytes);
    vfio_device_feature.flags(
        feature,
        Vfio.VFIO_DEVICE_FEATURE_SET() | Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP());
    vfio_device_low_power_entry_with_wakeup.wakeup_eventfd(
        feature.asSlice(vfio_device_feature.sizeof()), wakeUp);
    return kernel.ioctl(device(), Vfio.VFIO_DEVICE_FEATURE(), feature.address());
  }

  private long count() {
    MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
    return host.read(eventFd, value.address(), Long.BYTES) < 0
        ? 0
        : value.get(ValueLayout.JAVA_LONG, 0);
  }

  @Test
  void itIsSignalled() {
    connect(REQUEST, TRIGGER, OWN);
    trigger(REQUEST);
    trigger(REQUEST);
    assertThat(count()).isEqualTo(2);
  }

  /** fs/eventfd.c:eventfd_signal_mask. */
  @Test
  void aSignalToAFullOneIsLost() {
    connect(REQUEST, TRIGGER, OWN);
    MemorySegment most = arena.allocateFrom(ValueLayout.JAVA_LONG, -2L);
    assertThat(host.write(eventFd, most.address(), Long.BYTES)).isEqualTo(Long.BYTES);
    trigger(REQUEST);
    assertThat(count()).isEqualTo(-2);
  }

  /** vfio_pci_intrs.c:vfio_pci_eventfd_replace_locked. */
  @Test
  void itIsKeptUntilAnotherTakesItsPlace() {
    connect(REQUEST, TRIGGER, OWN);
    connect(REQUEST, TRIGGER, OWN);
    assertThat(held).isEqualTo(1);
    connect(REQUEST, TRIGGER, NONE);
    assertThat(held).isZero();
  }

  /** drivers/vfio/virqfd.c. */
  @Test
  void oneThatUnmasksIsKeptUntilItIsDisconnected() {
    connect(INTX, TRIGGER, kernel.eventfd(0, 0));
    connect(INTX, UNMASK, OWN);
    assertThat(held).isEqualTo(1);
    connect(INTX, UNMASK, NONE);
    assertThat(held).isZero();
    connect(INTX, UNMASK, OWN);
    user.device().close();
    assertThat(held).isZero();
  }

  /** vfio_pci_core.c:vfio_pci_core_pm_entry_with_wakeup. */
  @Test
  void oneThatTellsOfAWakeUpIsKeptUntilThen() {
    assertThat(sleep(OWN)).isZero();
    assertThat(held).isEqualTo(1);
    assertThat(user.device().lowPower().enter()).as("it has woken").isTrue();
    assertThat(held).isZero();
    assertThat(sleep(OWN)).isEqualTo(Errno.EINVAL.negated());
    assertThat(held).as("a refused call keeps none").isZero();
  }
}
