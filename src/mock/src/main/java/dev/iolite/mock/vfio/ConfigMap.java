package dev.iolite.mock.vfio;

import dev.iolite.mock.pci.PciFunction;
import dev.iolite.pci.PciRegs;
import java.util.Arrays;

/**
 * Which capability each byte of configuration space belongs to (pci_config_map), and the links
 * between the capabilities that the user sees: those that VFIO does not know are removed from the
 * list.
 */
final class ConfigMap {
  private static final int NONE = 0xff;
  private static final int BASIC = 0;
  private static final int CAP_HEAD = 4;
  private static final int ID_BITS = 0xffff;
  private static final int NEXT_SHIFT = 20;
  private static final int NEXT_BITS = 0xffc;
  private static final int NEXT_OF_STANDARD = 0xfc;

  private final PciFunction function;
  private final VirtualConfig config;
  private final CapabilityLengths lengths;
  private final int[] ids;
  private final Permissions msi;

  /** What an access to a byte does. */
  enum Kind {
    /** It is the hardware's. */
    RAW,
    /** It reads the hardware; a write is ignored. */
    DIRECT,
    /** Its bits belong to the hardware or to the shadow. */
    MASKED
  }

  /** vfio_cap_init and vfio_ecap_init. */
  ConfigMap(PciFunction function, VirtualConfig config) {
    this.function = function;
    this.config = config;
    lengths = new CapabilityLengths(function);
    ids = new int[function.configBytes()];
    Arrays.fill(ids, NONE);
    Arrays.fill(ids, 0, PciRegs.HEADER_BYTES, BASIC);
    msi = Permissions.msi(standard());
    extended();
  }

  /** Returns the flags of the MSI capability; 0 without one. */
  private int standard() {
    int msiFlags = 0;
    boolean any = false;
    int previous = PciRegs.CAPABILITIES;
    boolean has = (function.configRead(PciRegs.STATUS, 2) & PciRegs.STATUS_CAPABILITIES) != 0;
    int loops = (PciRegs.CONVENTIONAL_BYTES - PciRegs.HEADER_BYTES) / CAP_HEAD;
    for (int at = has ? function.configRead(PciRegs.CAPABILITIES, 1) & NEXT_OF_STANDARD : 0;
        at != 0 && loops > 0;
        loops--) {
      int id = function.configRead(at, 1);
      int next = function.configRead(at + 1, 1) & NEXT_OF_STANDARD;
      int length = lengths.standard(id, at);
      if (length == 0) {
        config.setShadow(previous, 1, next);
      } else {
        take(at, length, id);
        if (id == PciRegs.CAP_MSI) {
          msiFlags = function.configRead(at + PciRegs.MSI_FLAGS, 2);
        } else if (id == PciRegs.CAP_PM) {
          hidePme(at);
        }
        previous = at + 1;
        any = true;
      }
      at = next;
    }
    if (!any) {
      config.setShadow(
          PciRegs.STATUS, 2, config.shadow(PciRegs.STATUS, 2) & ~PciRegs.STATUS_CAPABILITIES);
    }
    return msiFlags;
  }

  private void take(int at, int length, int id) {
    Arrays.fill(ids, at, Math.min(at + length, ids.length), id);
    config.fill(at, length);
  }

  /** vfio_update_pm_vconfig_bytes. */
  private void hidePme(int at) {
    config.setShadow(
        at + PciRegs.PM_PMC, 2, config.shadow(at + PciRegs.PM_PMC, 2) & ~Permissions.PMC_PME);
    config.setShadow(
        at + PciRegs.PM_CTRL,
        2,
        config.shadow(at + PciRegs.PM_CTRL, 2)
            & ~(PciRegs.PM_CTRL_PME_ENABLE | PciRegs.PM_CTRL_PME_STATUS));
  }

  /**
   * vfio_ecap_init: capabilities that VFIO does not know are removed from the list, except the
   * first one, which stays without an id. Bytes outside the capabilities that it knows can be
   * written.
   */
  private void extended() {
    // vfio_cap_len: a configuration space whose extended part starts with 0 has no extended
    // capabilities.
    if (ids.length == PciRegs.CONVENTIONAL_BYTES
        || function.configRead(PciRegs.CONVENTIONAL_BYTES, CAP_HEAD) == 0) {
      return;
    }
    boolean any = false;
    int previous = 0;
    int loops = (ids.length - PciRegs.CONVENTIONAL_BYTES) / CAP_HEAD;
    for (int at = PciRegs.CONVENTIONAL_BYTES;
        at >= PciRegs.CONVENTIONAL_BYTES && loops > 0;
        loops--) {
      int head = function.configRead(at, CAP_HEAD);
      int next = head >>> NEXT_SHIFT & NEXT_BITS;
      int length = lengths.extended(head & ID_BITS, at);
      if (length == 0 && previous != 0) {
        int left = config.shadow(previous, CAP_HEAD) & ~(NEXT_BITS << NEXT_SHIFT);
        config.setShadow(previous, CAP_HEAD, left | next << NEXT_SHIFT);
      } else {
        take(at, length == 0 ? CAP_HEAD : length, head & ID_BITS);
        if (length == 0) {
          config.setShadow(at, CAP_HEAD, head & NEXT_BITS << NEXT_SHIFT);
        }
        any |= length != 0;
        previous = at;
      }
      at = next;
    }
    if (!any) {
      config.setShadow(PciRegs.CONVENTIONAL_BYTES, CAP_HEAD, 0);
    }
  }

  /** vfio_find_cap_start. */
  int start(int at) {
    int id = ids[at];
    if (id == NONE) {
      return at;
    }
    int base = at >= PciRegs.CONVENTIONAL_BYTES ? PciRegs.CONVENTIONAL_BYTES : 0;
    int start = at;
    while (start - 1 >= base && ids[start - 1] == id) {
      start--;
    }
    return start;
  }

  /** The standard capability of a byte; BASIC for the header, NONE for others. */
  int standardId(int at) {
    return at < PciRegs.CONVENTIONAL_BYTES ? ids[at] : NONE;
  }

  Kind kind(int at) {
    int id = ids[at];
    if (id == NONE) {
      return Kind.RAW;
    }
    return at < PciRegs.CONVENTIONAL_BYTES && Permissions.isMasked(id) ? Kind.MASKED : Kind.DIRECT;
  }

  /** The permissions for the capability of a byte whose kind is MASKED. */
  Permissions permissions(int at) {
    return ids[at] == PciRegs.CAP_MSI ? msi : Permissions.of(ids[at]);
  }

  /** vfio_pci_cap_remaining_dword, and the width of an access that fits. */
  int width(int at, long left) {
    int room = 1;
    while ((at + room) % 4 != 0 && ids[at + room] == ids[at]) {
      room++;
    }
    long most = Math.min(left, room);
    if (most >= 4 && at % 4 == 0) {
      return 4;
    }
    return most >= 2 && at % 2 == 0 ? 2 : 1;
  }
}
