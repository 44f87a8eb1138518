package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommufdContext;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.pci.PciDev;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_pci_dependent_device;
import dev.iolite.uapi.vfio.vfio_pci_hot_reset;
import dev.iolite.uapi.vfio.vfio_pci_hot_reset_info;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Resets of a whole bus (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_pci_hot_reset_info,
 * vfio_pci_ioctl_pci_hot_reset).
 */
final class HotReset {
  private static final int NOT_OWNED = Vfio.VFIO_PCI_DEVID_NOT_OWNED();
  private static final int OWNED = Vfio.VFIO_PCI_DEVID_OWNED();
  private static final int FLAG_IDS = Vfio.VFIO_PCI_HOT_RESET_FLAG_DEV_ID();
  private static final int FLAG_ALL_OWNED = Vfio.VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED();
  private static final long INFO_HEAD = vfio_pci_hot_reset_info.sizeof();
  private static final long DEPENDENT = vfio_pci_dependent_device.sizeof();
  private static final long RESET_HEAD = vfio_pci_hot_reset.count$offset() + Integer.BYTES;

  private final Task task;
  private final VfioPciDevice device;
  private final VfioDeviceSet set;

  HotReset(Task task, VfioPciDevice device) {
    this.task = task;
    this.device = device;
    set = device.set();
  }

  int info(long address) {
    MemorySegment head = UserStructs.head(task, address, INFO_HEAD);
    long room = Integer.toUnsignedLong(vfio_pci_hot_reset_info.argsz(head)) - INFO_HEAD;
    refuseIf(!set.hasBusReset(device), Errno.ENODEV);
    List<PciDev> all = set.bus().onBus(device.pci().function());
    vfio_pci_hot_reset_info.flags(head, 0);
    vfio_pci_hot_reset_info.count(head, all.size());
    if (all.size() > room / DEPENDENT) {
      task.out(address, head);
      return Errno.ENOSPC.negated();
    }
    int flags = device.isOpenedByItself() ? FLAG_IDS | FLAG_ALL_OWNED : 0;
    MemorySegment devices = task.scratch(all.size() * DEPENDENT);
    for (int i = 0; i < all.size(); i++) {
      PciDev pci = all.get(i);
      MemorySegment one = vfio_pci_dependent_device.asSlice(devices, i);
      if (device.isOpenedByItself()) {
        int id = set.find(pci).map(this::id).orElse(NOT_OWNED);
        flags &= id == NOT_OWNED ? ~FLAG_ALL_OWNED : -1;
        vfio_pci_dependent_device.devid(one, id);
      } else {
        int group = pci.function().group().orElseThrow(() -> refused(Errno.EPERM)).id();
        vfio_pci_dependent_device.group_id(one, group);
      }
      vfio_pci_dependent_device.segment(one, (short) pci.address().domain());
      vfio_pci_dependent_device.bus(one, (byte) pci.address().bus());
      vfio_pci_dependent_device.devfn(one, (byte) pci.address().devfn());
    }
    vfio_pci_hot_reset_info.flags(head, flags);
    task.out(address + vfio_pci_hot_reset_info.devices$offset(), devices);
    task.out(address, head);
    return 0;
  }

  /** vfio_iommufd_get_dev_id, for the iommufd of the device on which the call is made. */
  private int id(VfioPciDevice other) {
    IommufdContext context = device.context().orElseThrow();
    if (other.context().filter(context::equals).isPresent()) {
      return other.bound().orElseThrow().id();
    }
    return context.owns(other.pci().function().group().orElseThrow()) ? OWNED : NOT_OWNED;
  }

  int reset(long address) {
    MemorySegment head = task.in(address, RESET_HEAD);
    refuseIf(
        Integer.compareUnsigned(vfio_pci_hot_reset.argsz(head), (int) RESET_HEAD) < 0
            || vfio_pci_hot_reset.flags(head) != 0,
        Errno.EINVAL);
    int count = vfio_pci_hot_reset.count(head);
    refuseIf((count != 0) == device.isOpenedByItself(), Errno.EINVAL);
    refuseIf(!set.hasBusReset(device), Errno.ENODEV);
    if (device.isOpenedByItself()) {
      return reset(each -> id(each) != NOT_OWNED);
    }
    Set<VfioGroup> groups = groups(address + RESET_HEAD, count);
    return reset(each -> groups.contains(each.group()));
  }

  /** vfio_pci_ioctl_pci_hot_reset_groups: the groups that the caller owns. */
  private Set<VfioGroup> groups(long address, int count) {
    int most = set.bus().onBus(device.pci().function()).size();
    refuseIf(Integer.compareUnsigned(count, most) > 0, Errno.EINVAL);
    MemorySegment fds = task.in(address, (long) count * Integer.BYTES);
    Set<VfioGroup> groups = new HashSet<>();
    for (int i = 0; i < count; i++) {
      OpenFile file = task.descriptors().get(fds.getAtIndex(ValueLayout.JAVA_INT, i));
      if (!(file instanceof VfioGroupFile group)) {
        throw refused(Errno.EINVAL);
      }
      groups.add(group.group());
    }
    return groups;
  }

  /** vfio_pci_dev_set_hot_reset: if it refuses, what was revoked until then is restored. */
  private int reset(Predicate<VfioPciDevice> isOwned) {
    refuseIf(!set.isResettable(), Errno.EINVAL);
    // vfio_pci_dev_set_pm_runtime_get
    set.devices().forEach(each -> each.core().resume());
    int result = Errno.EINVAL.negated();
    boolean allOwned = true;
    for (VfioPciDevice each : set.devices()) {
      if (!isOwned.test(each)) {
        allOwned = false;
        break;
      }
      each.core().dmaBufs().move(true);
    }
    if (allOwned) {
      set.devices().forEach(each -> each.core().setPower(PciDev.D0));
      result = set.bus().resetBus(device.pci());
    }
    for (VfioPciDevice each : set.devices()) {
      if (each.openCount() != 0) {
        each.core().restoreDmaBufs();
      }
    }
    return result;
  }
}
