package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.EventFdFile;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.device.MsiX;
import dev.iolite.mock.pci.IoResource;
import dev.iolite.mock.pci.Ones;
import dev.iolite.mock.pci.PciDev;
import dev.iolite.mock.pci.SavedState;
import dev.iolite.pci.PciRegs;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntSupplier;

/**
 * vfio-pci's record of a device (struct vfio_pci_core_device): its power and reset state, and
 * whether its memory may be accessed.
 */
final class VfioPciCore {
  private final Task task;
  private final VfioPciDevice device;
  private final PciDev pci;
  private final IrqState irqs;
  private final DmaBufs dmaBufs;
  private final IoEventFds ioEventFds;
  private final MappableBars mappableBars;
  private Optional<VirtualConfig> config = Optional.empty();
  private Optional<SavedState> stateAtOpen = Optional.empty();
  private Optional<SavedState> stateInD3 = Optional.empty();
  private Set<Integer> notReserved = Set.of();
  private boolean resetWorks;
  private boolean needsReset;
  private boolean losesStateInD3;
  private boolean lowPower;
  private Optional<EventFdFile> wakeUp = Optional.empty();

  VfioPciCore(Task task, VfioPciDevice device) {
    this.task = task;
    this.device = device;
    pci = device.pci();
    irqs = new IrqState(task, this);
    dmaBufs = new DmaBufs(task, device);
    ioEventFds = new IoEventFds(task, this);
    mappableBars = new MappableBars(task, this);
  }

  VfioPciDevice device() {
    return device;
  }

  PciDev pci() {
    return pci;
  }

  IrqState irqs() {
    return irqs;
  }

  DmaBufs dmaBufs() {
    return dmaBufs;
  }

  IoEventFds ioEventFds() {
    return ioEventFds;
  }

  MappableBars mappableBars() {
    return mappableBars;
  }

  /** Configuration space as its user sees it, while it is open. */
  VirtualConfig config() {
    return config.orElseThrow();
  }

  boolean resetWorks() {
    return resetWorks;
  }

  boolean needsReset() {
    return needsReset;
  }

  void setNeedsReset(boolean needed) {
    needsReset = needed;
  }

  /** vfio_pci_probe_power_state and what follows it in vfio_pci_core_register_device. */
  void register() {
    int pm = pci.powerCapability();
    losesStateInD3 =
        pm != 0
            && (pci.function().configRead(pm + PciRegs.PM_CTRL, 2) & PciRegs.PM_CTRL_NO_SOFT_RESET)
                == 0;
    setPower(PciDev.D0);
  }

  /**
   * vfio_pci_core_enable.
   *
   * @throws dev.iolite.mock.core.Refused EAGAIN if somebody holds the device lock
   */
  void enable() {
    pci.setMaster(false);
    pci.enable();
    int result = pci.tryReset();
    if (result == Errno.EAGAIN.negated()) {
      pci.disable();
      throw refused(Errno.EAGAIN);
    }
    resetWorks = result == 0;
    stateAtOpen = Optional.of(pci.save());
    pci.setIntx(true);
    config = Optional.of(new VirtualConfig(task, this));
    // vfio_pci_core_map_bars
    notReserved = Set.copyOf(pci.holders().keySet());
  }

  /** vfio_pci_core_close_device and vfio_pci_core_disable. */
  void close() {
    dmaBufs.cleanup();
    mappableBars.close();
    exitLowPower();
    setPower(PciDev.D0);
    pci.setMaster(false);
    irqs.disable();
    ioEventFds.clear();
    config = Optional.empty();
    needsReset = true;
    pci.function().configWrite(PciRegs.COMMAND, 2, PciRegs.COMMAND_INTX_DISABLE);
    if (resetWorks && !pci.isLocked() && pci.resetNow() == 0) {
      needsReset = false;
    }
    stateAtOpen.ifPresent(pci::restore);
    pci.disable();
    device.set().tryReset();
    irqs.forget();
  }

  // -- memory

  /** __vfio_pci_memory_enabled. */
  boolean isMemoryEnabled() {
    return pci.power() < PciDev.D3_HOT
        && (config().shadow(PciRegs.COMMAND, 2) & PciRegs.COMMAND_MEMORY) != 0;
  }

  /** Whether the host must not read or write a part of a BAR now. */
  boolean isPrivate(int bar, BarRange range) {
    return device.calls().isPrivate(device, bar, range);
  }

  /** Whether an access to a part of a mapped BAR reaches it (vfio_pci_vmf_insert_pfn). */
  boolean isMappable(int bar, BarRange range) {
    return config.isPresent()
        && !lowPower
        && isMemoryEnabled()
        && !device.calls().hidesMappings(device, bar, range);
  }

  /**
   * vfio_pci_dma_buf_move(false), where the kernel makes it depend on whether memory is enabled.
   */
  void restoreDmaBufs() {
    if (isMemoryEnabled()) {
      dmaBufs.move(false);
    }
  }

  /** Whether vfio-pci, and not another driver, has a BAR's addresses (vfio_pci_core_get_iomap). */
  boolean isReserved(int bar) {
    return !notReserved.contains(bar);
  }

  /** Whether a BAR can be mapped (vfio_pci_probe_mmaps). */
  boolean canMap(int bar) {
    IoResource resource = pci.resource(bar);
    if (!resource.isMemory()
        || !resource.isPresent()
        || !pci.vfioSeen().map(seen -> seen.canMap(bar)).orElse(true)) {
      return false;
    }
    long pageEnd = (resource.start() + resource.bytes() + Page.BYTES - 1) & -Page.BYTES;
    return resource.bytes() >= Page.BYTES
        || ((resource.start() & (Page.BYTES - 1)) == 0
            && pci.bus().isUnused(resource.start() + resource.bytes(), pageEnd));
  }

  /** The BAR with the MSI-X table; -1 if there is none. */
  int msixBar() {
    return pci.shape().msiX().map(MsiX::tableBar).orElse(-1);
  }

  /** Reads as the processor does: all ones where nothing answers. */
  long read(int bar, long offset, int bytes) {
    try {
      return pci.function().barRead(bar, offset, bytes);
    } catch (Memory.Unreachable e) {
      return Ones.of(bytes);
    }
  }

  /** Writes as the processor does: the value is lost where nothing answers. */
  void write(int bar, long offset, int bytes, long value) {
    try {
      pci.function().barWrite(bar, offset, bytes, value);
    } catch (Memory.Unreachable e) {
      return;
    }
  }

  // -- power and reset

  /** vfio_pci_set_power_state. */
  void setPower(int state) {
    boolean saves = losesStateInD3 && pci.power() < PciDev.D3_HOT && state >= PciDev.D3_HOT;
    boolean restores = losesStateInD3 && pci.power() >= PciDev.D3_HOT && state == PciDev.D0;
    Optional<SavedState> saved = saves ? Optional.of(pci.save()) : Optional.empty();
    if (pci.setPower(state) != 0) {
      return;
    }
    if (saves && pci.power() >= PciDev.D3_HOT) {
      stateInD3 = saved;
    } else if (restores) {
      stateInD3.ifPresent(pci::restore);
      stateInD3 = Optional.empty();
    }
  }

  /** vfio_pci_config.c:vfio_lock_and_set_power_state. */
  void setPowerAndRevoke(int state) {
    if (state >= PciDev.D3_HOT) {
      dmaBufs.move(true);
    }
    setPower(state);
    restoreDmaBufs();
  }

  /** Makes a reset, with all dma-bufs revoked in the meantime. */
  int resetRevoked(IntSupplier reset) {
    dmaBufs.move(true);
    int result = reset.getAsInt();
    restoreDmaBufs();
    return result;
  }

  /** vfio_pci_ioctl_reset. */
  int reset() {
    if (!resetWorks) {
      return Errno.EINVAL.negated();
    }
    setPower(PciDev.D0);
    return resetRevoked(pci::tryReset);
  }

  /**
   * vfio_pci_runtime_pm_entry: the dma-bufs are revoked, and an interface fails, even if it
   * refuses.
   *
   * @throws dev.iolite.mock.core.Refused EINVAL: it is already in low power
   */
  void enterLowPower(Optional<EventFdFile> wakeUpEvent) {
    device.calls().suspending(device);
    dmaBufs.move(true);
    if (lowPower) {
      throw refused(Errno.EINVAL);
    }
    lowPower = true;
    wakeUp = wakeUpEvent;
    wakeUp.ifPresent(EventFdFile::get);
  }

  /**
   * vfio_pci_core_runtime_resume: with an eventfd, the device stays awake. It was suspended as soon
   * as the call that let it had ended, where Linux takes a moment.
   */
  void resume() {
    if (lowPower) {
      // vfio_pci_core_runtime_suspend
      setPower(PciDev.D0);
    }
    if (wakeUp.isPresent()) {
      wakeUp.get().signal();
      stayAwake();
    }
  }

  /** vfio_pci_runtime_pm_exit. */
  void exitLowPower() {
    stayAwake();
    restoreDmaBufs();
  }

  /** __vfio_pci_runtime_pm_exit. */
  private void stayAwake() {
    lowPower = false;
    wakeUp.ifPresent(EventFdFile::put);
    wakeUp = Optional.empty();
    mappableBars.update();
  }
}
