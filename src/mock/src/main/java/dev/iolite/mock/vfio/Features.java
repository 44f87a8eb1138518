package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.EventFdFile;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.vfio_device_feature_dma_buf_runs;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_device_low_power_entry_with_wakeup;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * VFIO_DEVICE_FEATURE (drivers/vfio/vfio_main.c:vfio_ioctl_device_feature,
 * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_ioctl_feature).
 */
final class Features {
  private static final int INDEX = Vfio.VFIO_DEVICE_FEATURE_MASK();
  private static final int GET = Vfio.VFIO_DEVICE_FEATURE_GET();
  private static final int SET = Vfio.VFIO_DEVICE_FEATURE_SET();
  private static final int PROBE = Vfio.VFIO_DEVICE_FEATURE_PROBE();
  private static final int LOW_POWER_ENTRY = Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY();
  private static final int LOW_POWER_WAKEUP =
      Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP();
  private static final int LOW_POWER_EXIT = Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_EXIT();
  private static final int DMA_BUF = Vfio.VFIO_DEVICE_FEATURE_DMA_BUF();
  private static final int DMA_BUF_RUNS = TsmSeed2025.VFIO_DEVICE_FEATURE_DMA_BUF_RUNS();
  private static final int PRECOPY_INFO = Vfio.VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2();
  private static final long HEAD = vfio_device_feature.sizeof();

  private final Task task;
  private final VfioPciCore core;

  Features(Task task, VfioPciCore core) {
    this.task = task;
    this.core = core;
  }

  int ioctl(long address) {
    MemorySegment feature = UserStructs.head(task, address, HEAD);
    int flags = vfio_device_feature.flags(feature);
    long room = Integer.toUnsignedLong(vfio_device_feature.argsz(feature)) - HEAD;
    refuseIf((flags & ~(INDEX | GET | SET | PROBE)) != 0, Errno.EINVAL);
    refuseIf((flags & PROBE) == 0 && (flags & (GET | SET)) == (GET | SET), Errno.EINVAL);
    int index = flags & INDEX;
    long data = address + HEAD;
    if (index == DMA_BUF) {
      return check(flags, room, GET, DmaBufs.HEAD_BYTES) ? core.dmaBufs().export(data) : 0;
    } else if (index == DMA_BUF_RUNS && core.device().calls().tellsRuns()) {
      if (check(flags, room, GET, vfio_device_feature_dma_buf_runs.sizeof())) {
        core.dmaBufs().tellRuns(data);
      }
    } else if (index == LOW_POWER_ENTRY) {
      if (check(flags, room, SET, 0)) {
        core.enterLowPower(Optional.empty());
      }
    } else if (index == LOW_POWER_WAKEUP) {
      if (check(flags, room, SET, vfio_device_low_power_entry_with_wakeup.sizeof())) {
        enterWithWakeUp(data);
      }
    } else if (index == LOW_POWER_EXIT) {
      if (check(flags, room, SET, 0)) {
        core.exitLowPower();
      }
    } else {
      // The migration of vfio-pci's devices has no pre-copy; no other feature exists.
      throw refused(index == PRECOPY_INFO ? Errno.EINVAL : Errno.ENOTTY);
    }
    return 0;
  }

  /**
   * vfio_check_feature.
   *
   * @return whether there is something to do; false for a probe
   */
  private static boolean check(int flags, long room, int supported, long least) {
    refuseIf((flags & (GET | SET) & ~supported) != 0, Errno.EINVAL);
    if ((flags & PROBE) != 0) {
      return false;
    }
    refuseIf((flags & (GET | SET)) == 0 || room < least, Errno.EINVAL);
    return true;
  }

  /** vfio_pci_core_pm_entry_with_wakeup. */
  private void enterWithWakeUp(long address) {
    MemorySegment entry = task.in(address, vfio_device_low_power_entry_with_wakeup.sizeof());
    int fd = vfio_device_low_power_entry_with_wakeup.wakeup_eventfd(entry);
    refuseIf(fd < 0, Errno.EINVAL);
    EventFdFile event = core.irqs().eventFd(fd);
    try {
      core.enterLowPower(Optional.of(event));
    } finally {
      event.put();
    }
  }
}
