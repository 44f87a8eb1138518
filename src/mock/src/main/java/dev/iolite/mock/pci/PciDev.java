package dev.iolite.mock.pci;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Node;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.pci.PciRegs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The kernel's record of a function (struct pci_dev), from its discovery to its removal; the
 * function itself may disappear earlier.
 */
public final class PciDev {
  /** The index of the expansion ROM among the resources. */
  public static final int ROM = 6;

  /** The power state in which a device answers. */
  public static final int D0 = 0;

  /** The power state in which only configuration space answers. */
  public static final int D3_HOT = 3;

  /** The power state of a device that does not answer. */
  public static final int D3_COLD = 4;

  private static final int INTX_LINE = 11;

  private final PciFunction function;
  private final PciBus bus;
  private final Optional<Placement> placement;
  private final IoResource[] resources = new IoResource[ROM + 1];
  private Optional<PciDriver> driver = Optional.empty();
  private Optional<String> driverOverride = Optional.empty();
  private final Map<String, Node> files = new TreeMap<>();
  private List<ResetMethod> resetMethods;
  private int enableCount;
  private int power = D0;
  private boolean locked;
  private boolean registered = true;
  private int messages;

  /** How many vectors the host has for its interrupt messages. */
  private int vectors = Integer.MAX_VALUE;

  private boolean messagesAreMsix;
  private boolean releasing;
  private final Map<Integer, String> holders = new TreeMap<>();

  PciDev(PciFunction function, PciBus bus) {
    this.function = function;
    this.bus = bus;
    placement = bus.placement(function.address());
    driverOverride = placement.flatMap(Placement::driverOverride);
    Arrays.fill(resources, IoResource.NONE);
    for (Bar bar : function.shape().bars()) {
      resources[bar.index()] =
          function
              .assigned(bar.index())
              .map(start -> IoResource.of(bar, start))
              .orElseGet(() -> IoResource.unassigned(bar));
    }
    function
        .assigned(ROM)
        .ifPresent(start ->
            resources[ROM] = IoResource.ofRom(start, ConfigLayout.romBytes(function.shape())));
    for (int i = 0; placement.isPresent() && i <= ROM; i++) {
      resources[i] = placement.get().resource(i);
    }
    resetMethods = usableResets();
  }

  /** The function. */
  public PciFunction function() {
    return function;
  }

  /** Its address. */
  public Bdf address() {
    return function.address();
  }

  /** Its shape. */
  public DeviceShape shape() {
    return function.shape();
  }

  /** What VFIO said about it where it was recorded. */
  public Optional<VfioSeen> vfioSeen() {
    return placement.flatMap(Placement::vfio);
  }

  /** The bus type, which knows the other devices. */
  public PciBus bus() {
    return bus;
  }

  /** A BAR (0 to 5) or the ROM (6). */
  public IoResource resource(int index) {
    return resources[index];
  }

  /**
   * The holders of BAR addresses on the host, by BAR, other than the function's driver
   * (request_region).
   */
  public Map<Integer, String> holders() {
    return holders;
  }

  /** What a host was seen to say about it; empty if nothing was recorded. */
  Optional<Placement> placement() {
    return placement;
  }

  /** The driver that has it. */
  public Optional<PciDriver> driver() {
    return driver;
  }

  void setDriver(Optional<PciDriver> newDriver) {
    driver = newDriver;
  }

  /** Whether its driver is about to release it and only waits for its users. */
  public boolean isReleasing() {
    return releasing;
  }

  void setReleasing(boolean now) {
    releasing = now;
  }

  /** The only driver that may have it. */
  Optional<String> driverOverride() {
    return driverOverride;
  }

  void setDriverOverride(Optional<String> name) {
    driverOverride = name;
  }

  /** The files that drivers add to its directory in sysfs; live. */
  public Map<String, Node> files() {
    return files;
  }

  /** The path of its directory, below {@code /sys}. */
  public String path() {
    return bus.path(this);
  }

  /** Whether it is still known to the bus. */
  boolean isRegistered() {
    return registered;
  }

  void unregister() {
    registered = false;
  }

  /** Whether somebody holds the device lock, across a wait. */
  public boolean isLocked() {
    return locked;
  }

  void setLocked(boolean held) {
    locked = held;
  }

  // -- enabling

  /** How often it was enabled. */
  int enableCount() {
    return enableCount;
  }

  /**
   * drivers/pci/pci.c:pci_enable_device.
   *
   * @throws dev.iolite.mock.core.Refused EINVAL: a BAR has no address
   *     (drivers/pci/setup-res.c:pci_enable_resources)
   */
  public void enable() {
    if (enableCount > 0) {
      enableCount++;
      return;
    }
    refuseIf(Arrays.stream(resources).anyMatch(resource -> !resource.isAssigned()), Errno.EINVAL);
    enableCount = 1;
    setPower(D0);
    int command = function.configRead(PciRegs.COMMAND, 2);
    for (IoResource resource : resources) {
      command |= resource.isMemory() ? PciRegs.COMMAND_MEMORY : 0;
      command |= resource.isPorts() ? PciRegs.COMMAND_IO : 0;
    }
    if (function.shape().interruptPin() && messages == 0) {
      command &= ~PciRegs.COMMAND_INTX_DISABLE;
    }
    function.configWrite(PciRegs.COMMAND, 2, command);
  }

  /** drivers/pci/pci.c:pci_disable_device. */
  public void disable() {
    if (--enableCount == 0) {
      setMaster(false);
    }
  }

  /** pci_set_master and pci_clear_master. */
  public void setMaster(boolean on) {
    setCommand(PciRegs.COMMAND_MASTER, on);
  }

  /** drivers/pci/pci.c:pci_intx. */
  public void setIntx(boolean on) {
    setCommand(PciRegs.COMMAND_INTX_DISABLE, !on);
  }

  private void setCommand(int bit, boolean on) {
    int command = function.configRead(PciRegs.COMMAND, 2);
    int wanted = on ? command | bit : command & ~bit;
    if (wanted != command) {
      function.configWrite(PciRegs.COMMAND, 2, wanted);
    }
  }

  /** The number of its interrupt line; 0 if it has none. */
  public int irq() {
    return placement
        .map(Placement::irq)
        .orElseGet(() -> function.shape().interruptPin() ? INTX_LINE : 0);
  }

  /** Whether the line is asserted now. */
  public boolean isLineAsserted() {
    return (function.configRead(PciRegs.STATUS, 2) & PciRegs.STATUS_INTERRUPT) != 0;
  }

  // -- power

  /** The power state that it was last put into, D0 to {@link #D3_COLD}. */
  public int power() {
    return power;
  }

  /**
   * drivers/pci/pci.c:pci_set_power_state: no device here has D1 and D2 in its power management
   * capability.
   *
   * @return 0, or a negated errno, which some callers ignore
   */
  public int setPower(int state) {
    int pm = function.layout().pm();
    if (state == power) {
      return 0;
    }
    if (pm == 0 || state == 1 || state == 2) {
      return pm == 0 && state == D0 ? 0 : Errno.EIO.negated();
    }
    if (!function.isPresent()) {
      power = D3_COLD;
      return Errno.EIO.negated();
    }
    int control = function.configRead(pm + PciRegs.PM_CTRL, 2);
    boolean loses =
        state == D0 && power >= D3_HOT && (control & PciRegs.PM_CTRL_NO_SOFT_RESET) == 0;
    function.configWrite(pm + PciRegs.PM_CTRL, 2, (control & ~PciRegs.PM_CTRL_STATE) | state);
    power = state;
    if (loses) {
      restoreBars();
    }
    return 0;
  }

  /** drivers/pci/pci.c:pci_restore_bars. */
  private void restoreBars() {
    for (Bar bar : function.shape().bars()) {
      function.assigned(bar.index()).ifPresent(start -> function.assign(bar.index(), start));
    }
  }

  // -- reset

  /** drivers/pci/pci.c:pci_save_state. */
  public SavedState save() {
    return new SavedState(function);
  }

  /** drivers/pci/pci.c:pci_restore_state, with what was saved. */
  public void restore(SavedState state) {
    state.restore();
    restoreMessages();
  }

  List<ResetMethod> resetMethods() {
    return resetMethods;
  }

  /** drivers/pci/pci-sysfs.c:reset_method_store. */
  void setResetMethods(String text) {
    if (text.equals("default")) {
      resetMethods = usableResets();
      return;
    }
    List<ResetMethod> chosen = new ArrayList<>();
    for (String word : text.split(" ", -1)) {
      if (!word.isBlank()) {
        chosen.add(
            ResetMethod.of(word.strip())
                .filter(this::canReset)
                .orElseThrow(() -> refused(Errno.EINVAL)));
        refuseIf(chosen.size() > ResetMethod.values().length, Errno.EINVAL);
      }
    }
    resetMethods = chosen;
  }

  /**
   * drivers/pci/pci.c:pci_init_reset_methods, when the device is found: others that are found later
   * on the same bus do not count.
   */
  private List<ResetMethod> usableResets() {
    return Arrays.stream(ResetMethod.values()).filter(this::canReset).toList();
  }

  private boolean canReset(ResetMethod method) {
    if (placement.isPresent() && method != ResetMethod.BUS) {
      return placement.get().canReset(method);
    }
    return switch (method) {
      case FLR -> shape().express().filter(e -> e.functionLevelReset()).isPresent();
      case PM -> shape().power().equals(Optional.of(DeviceShape.Power.RESETS));
      case BUS -> bus.isAloneBehindBridge(function);
      case DEVICE_SPECIFIC, ACPI, AF_FLR, CXL_BUS -> false;
    };
  }

  /** pci_reset_supported. */
  boolean hasReset() {
    return !resetMethods.isEmpty();
  }

  /**
   * drivers/pci/pci.c:pci_try_reset_function.
   *
   * @return 0, or a negated errno: ENOTTY if it can't be reset, EAGAIN if the device is locked
   */
  public int tryReset() {
    if (!hasReset()) {
      return Errno.ENOTTY.negated();
    }
    if (locked) {
      return Errno.EAGAIN.negated();
    }
    return reset();
  }

  /** Saves, resets and restores (pci_dev_save_and_disable to pci_dev_restore). */
  int reset() {
    setPower(D0);
    SavedState before = save();
    function.configWrite(PciRegs.COMMAND, 2, PciRegs.COMMAND_INTX_DISABLE);
    int result = resetNow();
    restore(before);
    return result;
  }

  /**
   * drivers/pci/pci.c:__pci_reset_function_locked: if a method is no longer usable, for example
   * because another device has come to the bus, the next one is tried.
   *
   * @return 0, or a negated errno: ENOTTY if no method is usable, EINVAL if the device is not in D0
   */
  public int resetNow() {
    for (ResetMethod method : resetMethods) {
      if (canReset(method) && function.isPresent()) {
        if (method == ResetMethod.PM && power != D0) {
          return Errno.EINVAL.negated();
        }
        function.reset();
        return 0;
      }
    }
    return Errno.ENOTTY.negated();
  }

  // -- interrupt messages

  /** The offset of MSI in configuration space; 0 if there is none. */
  public int msiCapability() {
    return function.layout().msi();
  }

  /** The offset of MSI-X in configuration space; 0 if there is none. */
  public int msiXCapability() {
    return function.layout().msiX();
  }

  /** The offset of power management in configuration space; 0 if there is none. */
  public int powerCapability() {
    return function.layout().pm();
  }

  /** How many interrupt messages are allocated (pci_alloc_irq_vectors). */
  public int messages() {
    return messages;
  }

  void setVectors(int most) {
    vectors = most;
  }

  /**
   * pci_alloc_irq_vectors for MSI or MSI-X: allocates as many as are available; for MSI, either all
   * that are requested or a single one (kernel/irq/msi.c:msi_handle_pci_fail).
   *
   * @return how many there are now
   * @throws dev.iolite.mock.core.Refused ENOSPC: the host has no vector
   */
  public int allocateMessages(int count, boolean msix) {
    refuseIf(vectors == 0, Errno.ENOSPC);
    int available = count <= vectors ? count : msix ? vectors : 1;
    enableMessages(available, msix);
    return available;
  }

  private void enableMessages(int count, boolean msix) {
    messages = count;
    messagesAreMsix = msix;
    setIntx(false);
    if (msix) {
      int flags = msiXCapability() + PciRegs.MSIX_FLAGS;
      function.configWrite(flags, 2, PciRegs.MSIX_ENABLE);
    } else {
      int flags = msiCapability() + PciRegs.MSI_FLAGS;
      int log = Integer.SIZE - Integer.numberOfLeadingZeros(count - 1);
      function.configWrite(flags, 2, (log << 4) | PciRegs.MSI_ENABLE);
    }
  }

  /** pci_free_irq_vectors. */
  public void freeMessages() {
    messages = 0;
    function.interrupts().forgetMessages();
    int flags =
        messagesAreMsix
            ? msiXCapability() + PciRegs.MSIX_FLAGS
            : msiCapability() + PciRegs.MSI_FLAGS;
    int enable = messagesAreMsix ? PciRegs.MSIX_ENABLE : PciRegs.MSI_ENABLE;
    function.configWrite(flags, 2, function.configRead(flags, 2) & ~enable);
    setIntx(true);
  }

  /** drivers/pci/msi/msi.c:pci_restore_msi_state. */
  private void restoreMessages() {
    if (messages == 0) {
      return;
    }
    enableMessages(messages, messagesAreMsix);
    function.interrupts().reprogram();
  }

  /** request_irq for an interrupt message. */
  public void connectMessage(int vector, Runnable handler) {
    function.interrupts().connect(vector, handler);
  }

  /** free_irq for an interrupt message. */
  public void disconnectMessage(int vector) {
    function.interrupts().disconnect(vector);
  }

  /** request_irq for the line; the handler masks it before it returns. */
  public void connectLine(Runnable handler) {
    function.interrupts().connectLine(handler);
  }

  /** free_irq for the line. */
  public void disconnectLine() {
    function.interrupts().disconnectLine();
  }

  @Override
  public String toString() {
    return address().toString();
  }
}
