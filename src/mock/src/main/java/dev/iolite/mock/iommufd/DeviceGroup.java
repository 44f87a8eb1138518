package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.Refused;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A context's record of an IOMMU group (struct iommufd_group): the page table that all its devices
 * use, without a PASID and for each PASID.
 */
final class DeviceGroup {
  private static final int NO_PASID = 0;

  private final IommuDeviceGroup group;
  private final Map<Integer, Attachment> attachments = new TreeMap<>();
  private int users;

  DeviceGroup(IommuDeviceGroup group) {
    this.group = group;
  }

  IommuDeviceGroup group() {
    return group;
  }

  void get() {
    users++;
  }

  /** Releases a reference; returns whether it was the last. */
  boolean put() {
    return --users == 0;
  }

  /** A page table and who was attached to it (struct iommufd_attach). */
  private static final class Attachment {
    AttachedTranslation handle;

    /** The devices by their ids. */
    final Map<Integer, IommufdDevice> devices = new TreeMap<>();

    Attachment(AttachedTranslation handle) {
      this.handle = handle;
    }

    HwPagetable hwpt() {
      return handle.hwpt();
    }
  }

  boolean isAttached(IommufdDevice device, int pasid) {
    Attachment attachment = attachments.get(pasid);
    return attachment != null && attachment.devices.containsKey(device.id());
  }

  /**
   * Attaches one device; the first of the group moves all of it
   * (device.c:iommufd_hw_pagetable_attach).
   *
   * @throws Refused EBUSY: it is attached; EINVAL: the group uses another page table, or can't use
   *     this one; EADDRINUSE: a range that it reserves is in use
   */
  void attach(HwPagetable hwpt, IommufdDevice device, int pasid) {
    Attachment attachment = attachments.get(pasid);
    if (attachment != null) {
      refuseIf(attachment.devices.containsKey(device.id()), Errno.EBUSY);
      refuseIf(!attachment.hwpt().equals(hwpt), Errno.EINVAL);
    }
    if (pasid == NO_PASID) {
      reserve(hwpt.paging().ioas().table(), device.device());
    }
    if (attachment == null) {
      try {
        requireUsable(hwpt, device, pasid);
      } catch (Refused e) {
        if (pasid == NO_PASID) {
          hwpt.paging().ioas().table().reserved().remove(device.device());
        }
        throw e;
      }
      attachment = new Attachment(new AttachedTranslation(hwpt, device));
      attachments.put(pasid, attachment);
      translate(pasid, Optional.of(attachment.handle));
    }
    hwpt.get();
    attachment.devices.put(device.id(), device);
  }

  /** io_pagetable.c:iopt_table_enforce_dev_resv_regions. */
  private static void reserve(IoPageTable table, IommuDevice device) {
    try {
      for (IommuDevice.Range range : device.reserved()) {
        table.reserve(range.first(), range.last(), device);
      }
    } catch (Refused e) {
      table.reserved().remove(device);
      throw e;
    }
  }

  /** device.c:iommufd_hwpt_attach_device, up to what the IOMMU's driver checks. */
  private void requireUsable(HwPagetable hwpt, IommufdDevice device, int pasid) {
    requirePasidsSuit(hwpt, pasid);
    for (IommuDevice each : group.devices()) {
      refuseIf(!hwpt.isAcceptedBy(device.context().platform().of(each)), Errno.EINVAL);
      if (pasid != NO_PASID) {
        if (each.pasidBits() == 0) {
          continue;
        }
        refuseIf(Integer.compareUnsigned(pasid, 1 << each.pasidBits()) >= 0, Errno.EINVAL);
        refuseIf(!device.iommu().takesPasids(), Errno.EOPNOTSUPP);
      }
      refuseIf(hwpt.faults().isPresent() && !each.requestsPages(), Errno.ENODEV);
    }
  }

  /** device.c:iommufd_hwpt_pasid_compat. */
  private void requirePasidsSuit(HwPagetable hwpt, int pasid) {
    if (pasid == NO_PASID) {
      boolean hasPasids = attachments.keySet().stream().anyMatch(other -> other != NO_PASID);
      refuseIf(!hwpt.isForPasids() && hasPasids, Errno.EINVAL);
    } else {
      refuseIf(!hwpt.isForPasids(), Errno.EINVAL);
      Attachment whole = attachments.get(NO_PASID);
      refuseIf(whole != null && !whole.hwpt().isForPasids(), Errno.EINVAL);
    }
  }

  private void translate(int pasid, Optional<IommuDevice.Translation> translation) {
    for (IommuDevice each : group.devices()) {
      if (pasid == NO_PASID) {
        each.translateBy(translation);
      } else if (each.pasidBits() != 0) {
        each.translatePasidBy(pasid, translation);
      }
    }
  }

  /**
   * Detaches one device; the last one leaves the group without a page table
   * (device.c:iommufd_hw_pagetable_detach).
   *
   * @return the page table, whose reference the caller must release; empty: it was not attached to
   *     any
   */
  Optional<HwPagetable> detach(IommufdDevice device, int pasid) {
    Attachment attachment = attachments.get(pasid);
    if (attachment == null) {
      return Optional.empty();
    }
    attachment.devices.remove(device.id());
    if (attachment.devices.isEmpty()) {
      translate(pasid, Optional.empty());
      attachment.handle.endRequests();
      attachments.remove(pasid);
    }
    HwPagetable hwpt = attachment.hwpt();
    if (pasid == NO_PASID) {
      hwpt.paging().ioas().table().reserved().remove(device.device());
    }
    return Optional.of(hwpt);
  }

  /**
   * Moves the whole group to another page table (device.c:iommufd_device_do_replace).
   *
   * @return the previous page table, with one reference that the caller must release; empty: the
   *     group has the new one already
   * @throws Refused EINVAL, EADDRINUSE; then nothing has moved
   */
  Optional<HwPagetable> replace(IommufdDevice device, int pasid, HwPagetable hwpt) {
    Attachment attachment = attachments.get(pasid);
    if (attachment == null || !attachment.devices.containsKey(device.id())) {
      throw refused(Errno.EINVAL);
    }
    HwPagetable old = attachment.hwpt();
    if (hwpt.equals(old)) {
      return Optional.empty();
    }
    IoPageTable table = hwpt.paging().ioas().table();
    IoPageTable oldTable = old.paging().ioas().table();
    if (pasid == NO_PASID && table != oldTable) {
      reserveAll(table, attachment);
    }
    try {
      requireUsable(hwpt, device, pasid);
    } catch (Refused e) {
      if (pasid == NO_PASID) {
        releaseAll(table, attachment);
      }
      throw e;
    }
    AttachedTranslation oldHandle = attachment.handle;
    attachment.handle = new AttachedTranslation(hwpt, device);
    translate(pasid, Optional.of(attachment.handle));
    oldHandle.endRequests();
    if (pasid == NO_PASID && table != oldTable) {
      releaseAll(oldTable, attachment);
    }
    for (int i = 0; i < attachment.devices.size(); i++) {
      hwpt.get();
      if (i > 0) {
        old.put();
      }
    }
    return Optional.of(old);
  }

  /** device.c:iommufd_group_do_replace_reserved_iova. */
  private static void reserveAll(IoPageTable table, Attachment attachment) {
    try {
      attachment.devices.values().forEach(each -> reserve(table, each.device()));
    } catch (Refused e) {
      releaseAll(table, attachment);
      throw e;
    }
  }

  /** device.c:iommufd_group_remove_reserved_iova. */
  private static void releaseAll(IoPageTable table, Attachment attachment) {
    List<IommufdDevice> devices = new ArrayList<>(attachment.devices.values());
    devices.forEach(each -> table.reserved().remove(each.device()));
  }
}
