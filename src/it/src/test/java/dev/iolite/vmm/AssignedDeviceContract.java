package dev.iolite.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Kernel;
import dev.iolite.pci.ConfigSpace;
import dev.iolite.pci.EduRegs;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciRegs;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.IrqSet;
import dev.iolite.vfio.PciIrq;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What the VMM makes of a device for its guest, by the guest's accesses and by what arrives at KVM.
 * The lab and the model have the same devices.
 */
abstract class AssignedDeviceContract {
  static final PciAddress EDU = PciAddress.parse("0000:00:02.0");
  static final PciAddress NVME = PciAddress.parse("0000:00:03.0");

  /** A virtio source of random numbers, in one IOMMU group with an edu that has no driver. */
  private static final PciAddress VIRTIO = PciAddress.parse("0000:01:02.0");

  static final int SLOT = 1;
  static final int DECODE_AND_DMA = PciRegs.COMMAND_MEMORY | PciRegs.COMMAND_MASTER;
  private static final int LEVEL = 0x51;
  private static final int MESSAGE = 0x61;
  private static final int OTHER = 0x62;
  private static final int MESSAGES = 0xfee0_0000;
  private static final int EDU_MASK = 0xfff0_0000;

  private static final int ENTRY = 16;

  final Kernel kernel;
  private AssignedMachine machine;

  AssignedDeviceContract(Kernel kernel) {
    this.kernel = kernel;
  }

  @BeforeEach
  void makeMachine() {
    machine = new AssignedMachine(kernel);
  }

  @AfterEach
  void closeMachine() {
    machine.close();
  }

  final AssignedMachine machine() {
    return machine;
  }

  private int bar(int index) {
    return machine.config(SLOT, PciRegs.BAR + index * 4, 4);
  }

  private void setBar(int index, int value) {
    machine.setConfig(SLOT, PciRegs.BAR + index * 4, 4, value);
  }

  private long bar0() {
    return Integer.toUnsignedLong(bar(0)) & -16L;
  }

  private void setCommand(int command) {
    machine.setConfig(SLOT, PciRegs.COMMAND, 2, command);
  }

  private void raise() {
    machine.write32(bar0() + EduRegs.IRQ_RAISE, 1);
  }

  private void acknowledge() {
    machine.write32(bar0() + EduRegs.IRQ_ACK, 1);
  }

  /** Edu, which answers and may interrupt; its line is a level at the vCPU. */
  private BoundVfioDevice edu() {
    int line = machine.nextLine();
    BoundVfioDevice device = machine.assign(EDU);
    machine.sendLevel(line, LEVEL);
    setCommand(DECODE_AND_DMA);
    return device;
  }

  /** The offset of a capability in the list that the guest sees. */
  final int capability(int id) {
    int at = machine.config(SLOT, PciRegs.CAPABILITIES, 1);
    while (machine.config(SLOT, at, 1) != id) {
      at = machine.config(SLOT, at + 1, 1);
      assertThat(at).as("capability 0x%x", id).isNotZero();
    }
    return at;
  }

  final void setMsi(int control) {
    machine.setConfig(SLOT, capability(PciRegs.CAP_MSI) + PciRegs.MSI_FLAGS, 2, control);
  }

  final void setMessage(int vector) {
    int at = capability(PciRegs.CAP_MSI);
    boolean is64Bit = (machine.config(SLOT, at + PciRegs.MSI_FLAGS, 2) & PciRegs.MSI_64) != 0;
    machine.setConfig(SLOT, at + 4, 4, MESSAGES);
    machine.setConfig(SLOT, at + 8, 4, is64Bit ? 0 : vector);
    if (is64Bit) {
      machine.setConfig(SLOT, at + 12, 2, vector);
    }
  }

  // -- The line

  @Test
  void theLineComesAgainWhenTheGuestHasEndedItsInterrupt() {
    edu();
    raise();
    assertThat(machine.comes(LEVEL)).isTrue();
    assertThat(machine.takes(LEVEL)).isTrue();
    acknowledge();
    raise();
    assertThat(machine.isRequested(LEVEL)).as("masked until the end of the first").isFalse();
    machine.endInterrupt();
    assertThat(machine.comes(LEVEL)).as("the device still demands it").isTrue();
    assertThat(machine.takes(LEVEL)).isTrue();
    acknowledge();
    machine.endInterrupt();
    raise();
    assertThat(machine.comes(LEVEL)).as("a new one").isTrue();
    assertThat(machine.takes(LEVEL)).isTrue();
    acknowledge();
    machine.endInterrupt();
    assertThat(machine.takes(LEVEL)).as("no more").isFalse();
  }

  @Test
  void aLineThatIsSwitchedOffIsLowAndComesWhenItIsSwitchedOn() {
    edu();
    raise();
    assertThat(machine.comes(LEVEL)).isTrue();
    assertThat(machine.takes(LEVEL)).isTrue();
    setCommand(DECODE_AND_DMA | PciRegs.COMMAND_INTX_DISABLE);
    machine.endInterrupt();
    assertThat(machine.vm().interrupts().ioapic().irr()).as("pins").isZero();
    assertThat(machine.takes(LEVEL)).isFalse();
    setCommand(DECODE_AND_DMA);
    assertThat(machine.comes(LEVEL)).as("the device still demands it").isTrue();
  }

  // -- MSI

  @Test
  void aMessageIsSentAsTheGuestSaysNow() {
    edu();
    setMessage(MESSAGE);
    setMsi(PciRegs.MSI_ENABLE);
    raise();
    assertThat(machine.comes(MESSAGE)).isTrue();
    assertThat(machine.takes(MESSAGE)).isTrue();
    machine.endInterrupt();
    raise();
    assertThat(machine.comes(MESSAGE)).as("an edge needs no end").isTrue();
    setMessage(OTHER);
    raise();
    assertThat(machine.comes(OTHER)).as("another vector").isTrue();
    assertThat(machine.isRequested(LEVEL)).as("the line").isFalse();
  }

  @Test
  void aGuestGoesFromTheLineToMessagesToNothingAndBack() {
    edu();
    raise();
    assertThat(machine.comes(LEVEL)).isTrue();
    acknowledge();
    assertThat(machine.vm().interrupts().ioapic().irr()).as("high until its end").isNotZero();
    setMessage(MESSAGE);
    setMsi(PciRegs.MSI_ENABLE);
    assertThat(machine.vm().interrupts().ioapic().irr()).as("pins").isZero();
    assertThat(machine.takes(LEVEL)).isTrue();
    machine.endInterrupt();
    raise();
    assertThat(machine.comes(MESSAGE)).isTrue();
    assertThat(machine.takes(MESSAGE)).isTrue();
    machine.endInterrupt();
    acknowledge();
    setCommand(DECODE_AND_DMA | PciRegs.COMMAND_INTX_DISABLE);
    setMsi(0);
    raise();
    acknowledge();
    assertThat(machine.isRequested(MESSAGE)).isFalse();
    assertThat(machine.vm().interrupts().ioapic().irr()).as("pins").isZero();
    setCommand(DECODE_AND_DMA);
    raise();
    assertThat(machine.comes(LEVEL)).as("the line is back").isTrue();
    assertThat(machine.isRequested(MESSAGE)).isFalse();
  }

  @Test
  void moreMessagesThanTheDeviceHasAreOne() {
    edu();
    setMessage(MESSAGE);
    setMsi(PciRegs.MSI_ENABLE | 7 << 4);
    raise();
    assertThat(machine.comes(MESSAGE)).isTrue();
  }

  @Test
  void onlyTheEnableBitAndTheNumberOfMessagesAreWritten() {
    edu();
    int at = capability(PciRegs.CAP_MSI) + PciRegs.MSI_FLAGS;
    int before = machine.config(SLOT, at, 2);
    machine.setConfig(SLOT, at, 2, 0xffff & ~PciRegs.MSI_ENABLE);
    assertThat(machine.config(SLOT, at, 2)).isEqualTo(before | 7 << 4);
    machine.setConfig(SLOT, at + 1, 1, 0xff);
    assertThat(machine.config(SLOT, at, 2)).isEqualTo(before | 7 << 4);
    machine.setConfig(SLOT, at, 1, 1);
    assertThat(machine.config(SLOT, at - 2, 4) >>> 16).isEqualTo(before | 1);
  }

  // -- BARs

  @Test
  void aDeviceIsGivenToTheGuestWithoutDecoding() {
    machine.assign(EDU);
    assertThat(machine.config(SLOT, PciRegs.COMMAND, 2)).isZero();
    assertThat(machine.read32(bar0())).isEqualTo(-1);
    assertThat(machine.exits()).isEqualTo(1);
  }

  @Test
  void memoryIsThereAsLongAsItIsDecoded() {
    edu();
    assertThat(machine.read32(bar0())).isEqualTo(EduRegs.IDENTIFICATION);
    assertThat(machine.exits()).as("it is a slot").isZero();
    setCommand(0);
    assertThat(machine.read32(bar0())).isEqualTo(-1);
    machine.write32(bar0() + EduRegs.LIVENESS, 5);
    machine.setConfig(SLOT, PciRegs.COMMAND, 1, PciRegs.COMMAND_MEMORY);
    assertThat(machine.read32(bar0() + EduRegs.LIVENESS)).as("the write was lost").isZero();
    machine.write32(bar0() + EduRegs.LIVENESS, 5);
    assertThat(machine.read32(bar0() + EduRegs.LIVENESS)).isEqualTo(~5);
    assertThat(machine.exits()).isZero();
    machine.setConfig(SLOT, PciRegs.COMMAND + 1, 1, 4);
    assertThat(machine.read32(bar0())).as("the other byte").isEqualTo(EduRegs.IDENTIFICATION);
  }

  @Test
  void aBarThatMovesTakesItsSlotAlong() {
    edu();
    long before = bar0();
    long after = before + 0x1000_0000;
    setBar(0, (int) after);
    assertThat(bar0()).isEqualTo(after);
    assertThat(machine.read32(after)).isEqualTo(EduRegs.IDENTIFICATION);
    assertThat(machine.exits()).as("it is a slot").isZero();
    assertThat(machine.read32(before)).isEqualTo(-1);
    assertThat(machine.exits()).isEqualTo(1);
  }

  @Test
  void aBarIsMovedWhileItDoesNotDecode() {
    edu();
    long after = bar0() + 0x1000_0000;
    setCommand(0);
    setBar(0, (int) after);
    assertThat(machine.read32(after)).isEqualTo(-1);
    setCommand(PciRegs.COMMAND_MEMORY);
    assertThat(machine.read32(after)).isEqualTo(EduRegs.IDENTIFICATION);
    assertThat(machine.exits()).isZero();
  }

  @Test
  void aBarOutsideOfPciIsNowhere() {
    edu();
    long inside = bar0();
    for (int outside : new int[] {0, 0x10_0000, 0xfee0_0000, 0xfff0_0000}) {
      setBar(0, outside);
      assertThat(bar(0)).isEqualTo(outside);
      assertThat(machine.read32(inside)).isEqualTo(-1);
    }
    assertThat(machine.read32(0xfff0_0000L)).as("where it was moved to last").isEqualTo(-1);
    assertThat(machine.read32(0x10_0000)).as("RAM").isZero();
    setBar(0, (int) inside);
    assertThat(machine.read32(inside)).isEqualTo(EduRegs.IDENTIFICATION);
  }

  @Test
  void allOnesSayHowLargeABarIs() {
    edu();
    int before = bar(0);
    setBar(0, -1);
    assertThat(bar(0)).isEqualTo(EDU_MASK);
    assertThat(machine.read32(Integer.toUnsignedLong(before))).isEqualTo(-1);
    setBar(0, before);
    assertThat(bar(0)).isEqualTo(before);
    assertThat(machine.read32(bar0())).isEqualTo(EduRegs.IDENTIFICATION);
    assertThat(machine.exits()).isZero();
    for (int missing = 1; missing < 6; missing++) {
      setBar(missing, -1);
      assertThat(bar(missing)).isZero();
    }
  }

  @Test
  void aBarOf64BitsHasTwoRegisters() {
    machine.assign(NVME);
    int low = bar(0);
    int flags = low & PciRegs.BAR_FLAGS;
    assertThat(flags & PciRegs.BAR_WIDTH).isEqualTo(PciRegs.BAR_64);
    setBar(0, -1);
    setBar(1, -1);
    assertThat(bar(0) & ~PciRegs.BAR_FLAGS).isEqualTo(-0x4000);
    assertThat(bar(1)).isEqualTo(-1);
    setBar(0, low);
    setBar(1, 0);
    setCommand(PciRegs.COMMAND_MEMORY);
    int version = machine.read32(bar0() + 8);
    assertThat(version).as("the version of NVMe").isNotEqualTo(-1).isNotZero();
    setBar(1, 2);
    assertThat(bar(1)).isEqualTo(2);
    assertThat(bar(0)).isEqualTo(low);
    assertThat(machine.read32(bar0() + 8)).as("it is above 4 GiB").isEqualTo(-1);
    setBar(1, 0);
    assertThat(machine.read32(bar0() + 8)).isEqualTo(version);
  }

  @Test
  void aBarIsWrittenInParts() {
    edu();
    int before = bar(0);
    machine.setConfig(SLOT, PciRegs.BAR + 2, 2, 0xd120);
    assertThat(bar(0)).isEqualTo(0xd120_0000);
    assertThat(machine.config(SLOT, PciRegs.BAR + 3, 1)).isEqualTo(0xd1);
    assertThat(machine.config(SLOT, PciRegs.BAR + 2, 2)).isEqualTo(0xd120);
    machine.setConfig(SLOT, PciRegs.BAR, 1, 0xff);
    assertThat(bar(0)).isEqualTo(0xd120_0000);
    machine.setConfig(SLOT, PciRegs.BAR + 3, 1, 0xd2);
    assertThat(machine.read32(0xd220_0000L)).isEqualTo(EduRegs.IDENTIFICATION);
    setBar(0, before);
    assertThat(machine.read32(bar0())).isEqualTo(EduRegs.IDENTIFICATION);
  }

  @Test
  void aReadAcrossTheEndOfABarHasOnesBehindIt() {
    edu();
    long end = bar0() + 0x10_0000;
    assertThat(machine.read32(end - 2) >>> 16).isEqualTo(0xffff);
    machine.write32(end - 2, 0);
    assertThat(machine.read32(end)).isEqualTo(-1);
  }

  @Test
  void aDeviceWithoutPowerDoesNotDecode() {
    machine.assign(NVME);
    setCommand(PciRegs.COMMAND_MEMORY);
    int version = machine.read32(bar0() + 8);
    int at = capability(PciRegs.CAP_PM) + PciRegs.PM_CTRL;
    machine.setConfig(SLOT, at, 2, 3);
    assertThat(machine.config(SLOT, at, 2) & PciRegs.PM_CTRL_STATE).isEqualTo(3);
    assertThat(machine.read32(bar0() + 8)).isEqualTo(-1);
    machine.setConfig(SLOT, at, 2, 0);
    setCommand(PciRegs.COMMAND_MEMORY);
    assertThat(machine.read32(bar0() + 8)).isEqualTo(version);
    assertThat(machine.exits()).as("it is a slot").isZero();
  }

  @Test
  void aBarOfPortsAnswersAtItsPorts() {
    machine.assign(VIRTIO);
    int ports = bar(0);
    assertThat(ports & PciRegs.BAR_IO).isEqualTo(PciRegs.BAR_IO);
    int first = ports & ~3;
    int status = 0x12;
    assertThat(machine.readPort(first + status, 1)).as("not decoded").isEqualTo(0xff);
    setCommand(PciRegs.COMMAND_IO);
    machine.writePort(first + status, 1);
    assertThat(machine.readPort(first + status, 1)).isEqualTo(1);
    setBar(0, -1);
    int bytes = -(bar(0) & ~3);
    assertThat(bytes).isBetween(32, 64);
    setBar(0, 0x4000);
    assertThat(bar(0)).isEqualTo(0x4001);
    assertThat(machine.readPort(first + status, 1)).as("moved away").isEqualTo(0xff);
    assertThat(machine.readPort(0x4000 + status, 1)).isEqualTo(1);
    assertThat(machine.readPort(0x4000 + bytes - 2, 4)).as("across the end").isEqualTo(-1);
    machine.writePort(0x4000 + status, 0);
    setCommand(0);
    assertThat(machine.readPort(0x4000 + status, 1)).isEqualTo(0xff);
  }

  // -- Configuration space

  @Test
  void accessesThatStraddleRegistersAreAnsweredWithOnes() {
    PciBus bus = machine.bus();
    edu();
    machine.config(SLOT, PciRegs.VENDOR, 4);
    assertThat(bus.read(AssignedMachine.DATA + 1, 2)).isEqualTo(-1);
    assertThat(bus.read(AssignedMachine.DATA + 3, 2)).isEqualTo(-1);
    assertThat(bus.read(AssignedMachine.DATA + 2, 4)).isEqualTo(-1);
    bus.write(AssignedMachine.DATA + 1, 4, 0x1234_5678);
    bus.write(AssignedMachine.DATA + 3, 2, 0x1234);
    assertThat(machine.config(SLOT, PciRegs.VENDOR, 4))
        .isEqualTo(EduRegs.VENDOR | EduRegs.DEVICE << 16);
    assertThat(machine.config(SLOT, PciRegs.DEVICE, 1)).isEqualTo(EduRegs.DEVICE & 0xff);
    assertThat(machine.config(SLOT, PciRegs.DEVICE + 1, 1)).isEqualTo(EduRegs.DEVICE >> 8);
  }

  @Test
  void romAndReservedRegistersStayZero() {
    edu();
    for (int at : new int[] {PciRegs.ROM, 0x28, 0x38, 0x34 + 1}) {
      int bytes = at % 4 == 0 ? 4 : 1;
      machine.setConfig(SLOT, at, bytes, -1);
      assertThat(machine.config(SLOT, at, bytes)).as("0x%x", at).isZero();
    }
    machine.setConfig(SLOT, PciRegs.ROM + 1, 1, -1);
    assertThat(machine.config(SLOT, PciRegs.ROM + 2, 2)).isZero();
  }

  @Test
  void identityIsReadOnlyAndTheInterruptLineIsTheGuests() {
    edu();
    for (int at : new int[] {PciRegs.VENDOR, PciRegs.REVISION, PciRegs.SUBSYSTEM}) {
      int before = machine.config(SLOT, at, 4);
      machine.setConfig(SLOT, at, 4, ~before);
      assertThat(machine.config(SLOT, at, 4)).as("0x%x", at).isEqualTo(before);
    }
    machine.setConfig(SLOT, PciRegs.INTERRUPT_LINE, 2, 0x55aa);
    assertThat(machine.config(SLOT, PciRegs.INTERRUPT_LINE, 2)).isEqualTo(0x1aa);
  }

  @Test
  void theDeviceKeepsWhatTheHostHasGivenIt() {
    edu();
    ConfigSpace before = new Pci(kernel).device(EDU).config();
    setBar(0, (int) bar0() + 0x100_0000);
    setMessage(MESSAGE);
    machine.setConfig(SLOT, PciRegs.INTERRUPT_LINE, 1, 0x7b);
    machine.setConfig(SLOT, PciRegs.ROM, 4, -1);
    setMsi(PciRegs.MSI_ENABLE);
    setMsi(0);
    ConfigSpace after = new Pci(kernel).device(EDU).config();
    for (int at : new int[] {PciRegs.BAR, PciRegs.ROM, PciRegs.INTERRUPT_LINE & -4}) {
      assertThat(after.read32(at)).as("0x%x", at).isEqualTo(before.read32(at));
    }
    int flags = capability(PciRegs.CAP_MSI) + PciRegs.MSI_FLAGS;
    assertThat(after.read16(flags) & PciRegs.MSI_ENABLE).isZero();
  }

  @Test
  void nonsenseInConfigurationSpaceEndsNothing() {
    edu();
    for (int at = 0; at < PciRegs.CONVENTIONAL_BYTES; at += 4) {
      for (int value : new int[] {-1, 0x5555_5555, 0xaaaa_aaaa, 0}) {
        machine.setConfig(SLOT, at, 4, value);
      }
    }
    assertThat(machine.config(SLOT, PciRegs.VENDOR, 4))
        .isEqualTo(EduRegs.VENDOR | EduRegs.DEVICE << 16);
    setBar(0, 0xc000_0000);
    setCommand(DECODE_AND_DMA);
    assertThat(machine.read32(bar0())).isEqualTo(EduRegs.IDENTIFICATION);
    raise();
    acknowledge();
  }

  // -- MSI-X

  /** The NVMe controller with all entries of MSI-X masked, and its messages. */
  private IrqSet nvme(int control) {
    BoundVfioDevice device = machine.assign(NVME);
    setCommand(DECODE_AND_DMA);
    setMsix(control);
    return device.irqs(PciIrq.MSIX);
  }

  private void setMsix(int control) {
    machine.setConfig(SLOT, capability(PciRegs.CAP_MSIX) + PciRegs.MSIX_FLAGS, 2, control);
  }

  private long entry(int vector) {
    int location = machine.config(SLOT, capability(PciRegs.CAP_MSIX) + PciRegs.MSIX_TABLE, 4);
    assertThat(location & 7).as("the BAR of the table").isZero();
    return bar0() + location + (long) vector * ENTRY;
  }

  private void program(int vector, int message) {
    machine.write32(entry(vector), MESSAGES);
    machine.write32(entry(vector) + 4, 0);
    machine.write32(entry(vector) + 8, message);
  }

  private void mask(int vector, boolean isMasked) {
    machine.write32(entry(vector) + 12, isMasked ? 1 : 0);
  }

  @Test
  void anEntryThatIsUnmaskedLaterSendsItsMessage() {
    IrqSet messages = nvme(PciRegs.MSIX_ENABLE);
    program(0, MESSAGE);
    mask(0, false);
    messages.trigger(0);
    assertThat(machine.comes(MESSAGE)).isTrue();
    assertThat(machine.takes(MESSAGE)).isTrue();
    machine.endInterrupt();
    program(3, OTHER);
    mask(3, false);
    messages.trigger(3);
    assertThat(machine.comes(OTHER)).as("a later one").isTrue();
    messages.trigger(0);
    assertThat(machine.comes(MESSAGE)).as("the first one still").isTrue();
  }

  @Test
  void whatComesWhileAnEntryIsMaskedIsSentWhenItIsUnmasked() {
    IrqSet messages = nvme(PciRegs.MSIX_ENABLE);
    program(0, MESSAGE);
    program(1, OTHER);
    mask(0, false);
    mask(0, true);
    messages.trigger(0);
    assertThat(machine.isRequested(MESSAGE)).isFalse();
    mask(1, false);
    messages.trigger(1);
    assertThat(machine.comes(OTHER)).isTrue();
    mask(0, false);
    assertThat(machine.comes(MESSAGE)).as("though there are more vectors now").isTrue();
  }

  @Test
  void whatComesWhileAllEntriesAreMaskedIsSentAfterwards() {
    IrqSet messages = nvme(PciRegs.MSIX_ENABLE | PciRegs.MSIX_MASK_ALL);
    program(0, MESSAGE);
    program(1, OTHER);
    mask(0, false);
    mask(1, false);
    setMsix(PciRegs.MSIX_ENABLE);
    messages.trigger(1);
    assertThat(machine.comes(OTHER)).isTrue();
    setMsix(PciRegs.MSIX_ENABLE | PciRegs.MSIX_MASK_ALL);
    messages.trigger(0);
    assertThat(machine.isRequested(MESSAGE)).isFalse();
    setMsix(PciRegs.MSIX_ENABLE);
    assertThat(machine.comes(MESSAGE)).isTrue();
    setMsix(0);
    assertThat(machine.config(SLOT, capability(PciRegs.CAP_MSIX) + 2, 2) >> 14).isZero();
  }

  @Test
  void anEntryIsSentAsItIsNow() {
    IrqSet messages = nvme(PciRegs.MSIX_ENABLE);
    program(0, MESSAGE);
    mask(0, false);
    mask(0, true);
    program(0, OTHER);
    mask(0, false);
    messages.trigger(0);
    assertThat(machine.comes(OTHER)).isTrue();
    assertThat(machine.isRequested(MESSAGE)).isFalse();
    assertThat(machine.read32(entry(0) + 8)).isEqualTo(OTHER);
    assertThat(machine.exits()).as("the table is trapped").isEqualTo(1);
  }

  @Test
  void anAccessAcrossTwoEntriesCountsForBoth() {
    IrqSet messages = nvme(PciRegs.MSIX_ENABLE);
    program(0, MESSAGE);
    machine.write32(entry(1) + 8, OTHER);
    mask(1, false);
    long control = entry(0) + 12;
    VfioFunction nvme = machine.function();
    nvme.writeMemory(control, 8, (long) MESSAGES << Integer.SIZE);
    assertThat(nvme.readMemory(control, 8)).isEqualTo((long) MESSAGES << Integer.SIZE);
    assertThat(nvme.readMemory(control + 7, 1)).isEqualTo(0xfe);
    messages.trigger(0);
    assertThat(machine.comes(MESSAGE)).as("the entry is unmasked").isTrue();
    messages.trigger(1);
    assertThat(machine.comes(OTHER)).as("the entry has its address").isTrue();
  }

  // -- All of it

  @Test
  void aDeviceIsAssignedAsTheVmmDoesIt() {
    int line = machine.nextLine();
    machine.assignAsTheVmmDoes(EDU);
    machine.sendLevel(line, LEVEL);
    setCommand(DECODE_AND_DMA);
    assertThat(machine.read32(bar0())).isEqualTo(EduRegs.IDENTIFICATION);
    raise();
    assertThat(machine.comes(LEVEL)).isTrue();
    acknowledge();
  }
}
