package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A device's registers and its configuration space, read, written and mapped. */
abstract class VfioRegionContract extends VfioContract {
  private static final int READ_WRITE = Libc.PROT_READ() | Libc.PROT_WRITE();
  private static final long INVERTER = 0x04;
  private static final int BAR0_REGISTER = 0x10;
  private static final int CAPABILITIES = 0x34;

  private int device = NO_FD;

  VfioRegionContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @BeforeEach
  void enable() {
    device = enabledDevice();
  }

  @Test
  void aRegisterIsRead() {
    // vfio_pci_rdwr.c:vfio_pci_bar_rw
    assertThat(read(device, BAR0, 0, 4)).isEqualTo(EDU_ID);
  }

  @Test
  void aRegisterIsWritten() {
    // vfio_pci_rdwr.c:vfio_pci_bar_rw
    write(device, BAR0, INVERTER, 4, 0x1234_5678);
    assertThat(read(device, BAR0, INVERTER, 4)).isEqualTo(~0x1234_5678 & 0xffff_ffffL);
  }

  @Test
  void aReadThatBeginsAtTheEndOfABarIsInvalid() {
    // vfio_pci_rdwr.c:vfio_pci_bar_rw: pos >= end
    fails(Errno.EINVAL, kernel.pread(device, zeros(4).address(), 4, EDU_BYTES));
    fails(Errno.EINVAL, kernel.pwrite(device, zeros(4).address(), 4, EDU_BYTES));
  }

  @Test
  void aReadAcrossTheEndOfABarIsShort() {
    // vfio_pci_rdwr.c:vfio_pci_bar_rw: min of the count and what is left
    assertThat(kernel.pread(device, zeros(16).address(), 16, EDU_BYTES - 4)).isEqualTo(4);
  }

  @Test
  void aLongReadEndsWhereItIsToEnd() {
    // vfio_pci_rdwr.c:vfio_pci_core_do_io_rw
    MemorySegment into = MemorySegment.ofAddress(ram(2 * PAGE)).reinterpret(2 * PAGE);
    into.set(ValueLayout.JAVA_LONG, PAGE + 8, 0x5555);
    assertThat(kernel.pread(device, into.address(), PAGE + 8, 0)).isEqualTo(PAGE + 8);
    assertThat(into.get(ValueLayout.JAVA_LONG, PAGE + 8)).isEqualTo(0x5555);
  }

  @Test
  void aReadOfNoBytesReadsNone() {
    // vfio_pci_core.c:vfio_pci_core_read
    assertThat(kernel.pread(device, NOWHERE, 0, offset(1))).isZero();
    assertThat(kernel.pwrite(device, NOWHERE, 0, offset(1))).isZero();
  }

  @Test
  void aBarThatIsNotThereIsInvalid() {
    // vfio_pci_rdwr.c:vfio_pci_bar_rw
    fails(Errno.EINVAL, kernel.pread(device, zeros(4).address(), 4, offset(1)));
  }

  @Test
  void aRegionBeyondTheLastIsInvalid() {
    // vfio_pci_core.c:vfio_pci_rw
    fails(Errno.EINVAL, kernel.pread(device, zeros(4).address(), 4, offset(9)));
    fails(Errno.EINVAL, kernel.pread(device, zeros(4).address(), 4, offset(100)));
  }

  @Test
  void aRomIsNotWrittenAndOneThatIsNotThereNotRead() {
    // vfio_pci_core.c:vfio_pci_rw
    int rom = Vfio.VFIO_PCI_ROM_REGION_INDEX();
    fails(Errno.EINVAL, kernel.pwrite(device, zeros(4).address(), 4, offset(rom)));
    fails(Errno.EINVAL, kernel.pread(device, zeros(4).address(), 4, offset(rom)));
  }

  @Test
  void anotherDeviceThanAGraphicsDeviceHasNoVga() {
    // vfio_pci_rdwr.c:vfio_pci_vga_rw
    int vga = Vfio.VFIO_PCI_VGA_REGION_INDEX();
    fails(Errno.EINVAL, kernel.pread(device, zeros(4).address(), 4, offset(vga)));
  }

  @Test
  void aReadIntoNowhereIsAFault() {
    // vfio_pci_rdwr.c:vfio_pci_core_do_io_rw
    fails(Errno.EFAULT, kernel.pread(device, NOWHERE, 4, 0));
    fails(Errno.EFAULT, kernel.pwrite(device, NOWHERE, 4, 0));
    fails(Errno.EFAULT, kernel.pread(device, NOWHERE, 4, offset(CONFIG)));
    fails(Errno.EFAULT, kernel.pwrite(device, NOWHERE, 4, offset(CONFIG)));
  }

  @Test
  void aNegativeOffsetIsInvalid() {
    // fs/read_write.c:ksys_pread64
    fails(Errno.EINVAL, kernel.pread(device, zeros(4).address(), 4, -1));
  }

  @Test
  void withoutMemoryDecodeThereIsNoRegister() {
    // vfio_pci_rdwr.c:vfio_pci_core_ioread32: EIO
    setCommand(device, MASTER);
    fails(Errno.EIO, kernel.pread(device, zeros(4).address(), 4, 0));
    fails(Errno.EIO, kernel.pwrite(device, zeros(4).address(), 4, 0));
    setCommand(device, MEMORY);
    assertThat(read(device, BAR0, 0, 4)).isEqualTo(EDU_ID);
  }

  @Test
  void withoutMemoryDecodeTheEndOfABarIsStillInvalid() {
    // vfio_pci_rdwr.c:vfio_pci_bar_rw: the bounds come first
    setCommand(device, 0);
    fails(Errno.EINVAL, kernel.pread(device, zeros(4).address(), 4, EDU_BYTES));
  }

  @Test
  void theIdentityOfTheDeviceIsRead() {
    // vfio_pci_config.c:vfio_config_do_rw
    assertThat(read(device, CONFIG, 0, 4)).isEqualTo(0x11e8_1234L);
  }

  @Test
  void theIdentityOfTheDeviceIsNotWritten() {
    // vfio_pci_config.c:vfio_default_config_write: no bit of it is writable
    write(device, CONFIG, 0, 4, 0xffff_ffffL);
    assertThat(read(device, CONFIG, 0, 4)).isEqualTo(0x11e8_1234L);
  }

  @Test
  void configSpaceEndsAt256Bytes() {
    // vfio_pci_config.c:vfio_pci_config_rw
    assertThat(kernel.pread(device, zeros(8).address(), 8, offset(CONFIG) + 252)).isNotZero();
    fails(Errno.EFAULT, kernel.pread(device, zeros(8).address(), 8, offset(CONFIG) + 256));
  }

  @Test
  void aLongReadOfConfigSpaceIsDoneInPieces() {
    // vfio_pci_config.c:vfio_pci_config_rw
    assertThat(kernel.pread(device, zeros(64).address(), 64, offset(CONFIG))).isEqualTo(64);
    assertThat(kernel.pread(device, zeros(3).address(), 3, offset(CONFIG) + 1)).isEqualTo(3);
  }

  @Test
  void theCommandRegisterReadsAsItWasWritten() {
    // vfio_pci_config.c:vfio_basic_config_write
    setCommand(device, MEMORY);
    assertThat(command(device) & (MEMORY | MASTER)).isEqualTo(MEMORY);
    setCommand(device, MASTER);
    assertThat(command(device) & (MEMORY | MASTER)).isEqualTo(MASTER);
    setCommand(device, MEMORY | MASTER);
    assertThat(command(device) & (MEMORY | MASTER)).isEqualTo(MEMORY | MASTER);
  }

  @Test
  void theLineInterruptIsDisabledInTheCommandRegister() {
    // vfio_pci_config.c:vfio_basic_config_write: PCI_COMMAND_INTX_DISABLE is virtual
    setCommand(device, MEMORY | 0x400);
    assertThat(command(device) & 0x400).isEqualTo(0x400);
    setCommand(device, MEMORY);
    assertThat(command(device) & 0x400).isZero();
  }

  @Test
  void aBarTellsItsSizeWhenItIsWrittenWithOnes() {
    // vfio_pci_config.c:vfio_bar_fixup, vfio_basic_config_read
    long before = read(device, CONFIG, BAR0_REGISTER, 4);
    write(device, CONFIG, BAR0_REGISTER, 4, 0xffff_ffffL);
    assertThat(read(device, CONFIG, BAR0_REGISTER, 4)).isEqualTo(-EDU_BYTES & 0xffff_ffffL);
    write(device, CONFIG, BAR0_REGISTER, 4, before);
    assertThat(read(device, CONFIG, BAR0_REGISTER, 4)).isEqualTo(before);
  }

  @Test
  void aBarThatIsMovedStaysWhereItIs() {
    // vfio_pci_config.c: BARs are virtual, the device's own are not touched
    long before = read(device, CONFIG, BAR0_REGISTER, 4);
    write(device, CONFIG, BAR0_REGISTER, 4, 0xc000_0000L);
    assertThat(read(device, CONFIG, BAR0_REGISTER, 4)).isEqualTo(0xc000_0000L);
    assertThat(read(device, BAR0, 0, 4)).isEqualTo(EDU_ID);
    write(device, CONFIG, BAR0_REGISTER, 4, before);
  }

  @Test
  void aBarThatIsNotThereReadsZero() {
    // vfio_pci_config.c:vfio_bar_fixup
    write(device, CONFIG, BAR0_REGISTER + 4, 4, 0xffff_ffffL);
    assertThat(read(device, CONFIG, BAR0_REGISTER + 4, 4)).isZero();
  }

  @Test
  void theCapabilitiesBeginWithMessageInterrupts() {
    // vfio_pci_config.c:vfio_cap_init
    long first = read(device, CONFIG, CAPABILITIES, 1);
    assertThat(read(device, CONFIG, first, 1)).isEqualTo(5);
    assertThat(read(device, CONFIG, first + 1, 1)).isZero();
  }

  @Test
  void messageInterruptsAreNotEnabledThroughConfigSpace() {
    // vfio_pci_config.c:vfio_msi_config_write: only where the interrupts are set up
    long first = read(device, CONFIG, CAPABILITIES, 1);
    long flags = read(device, CONFIG, first + 2, 2);
    write(device, CONFIG, first + 2, 2, flags | 1);
    assertThat(read(device, CONFIG, first + 2, 2) & 1).isZero();
  }

  @Test
  void theCacheLineAndTheLatencyAreTheGuests() {
    // vfio_pci_config.c:init_pci_cap_basic_perm: PCI_CACHE_LINE_SIZE is virtual
    write(device, CONFIG, 0x0c, 1, 0x10);
    assertThat(read(device, CONFIG, 0x0c, 1)).isEqualTo(0x10);
  }

  @Test
  void theInterruptLineIsTheGuests() {
    // vfio_pci_config.c:init_pci_cap_basic_perm: PCI_INTERRUPT_LINE
    write(device, CONFIG, 0x3c, 1, 0x42);
    assertThat(read(device, CONFIG, 0x3c, 1)).isEqualTo(0x42);
    assertThat(read(device, CONFIG, 0x3d, 1)).isEqualTo(1);
  }

  @Test
  void whatAGuestWroteIsGoneWhenTheDeviceIsOpenedAgain() {
    // vfio_pci_core.c:vfio_pci_core_disable: vfio_config_free
    write(device, CONFIG, BAR0_REGISTER, 4, 0xc000_0000L);
    close(device);
    device = enabledDevice();
    assertThat(read(device, CONFIG, BAR0_REGISTER, 4)).isNotEqualTo(0xc000_0000L);
  }

  @Test
  void aBarIsMapped() {
    // vfio_pci_core.c:vfio_pci_core_mmap
    long bar = mmap(device, EDU_BYTES, READ_WRITE, Libc.MAP_SHARED(), 0);
    mapped(bar, EDU_BYTES);
    assertThat(registers(bar).read32(0)).isEqualTo(EDU_ID);
    registers(bar).write32(INVERTER, 0x55);
    assertThat(registers(bar).read32(INVERTER)).isEqualTo(~0x55);
    assertThat(read(device, BAR0, INVERTER, 4)).isEqualTo(~0x55 & 0xffff_ffffL);
  }

  @Test
  void aPageOfABarIsMapped() {
    // vfio_pci_core.c:vfio_pci_core_mmap
    mapped(mmap(device, PAGE, READ_WRITE, Libc.MAP_SHARED(), EDU_BYTES - PAGE), PAGE);
  }

  @Test
  void aBarIsMappedShared() {
    // vfio_pci_core.c:vfio_pci_core_mmap: VM_SHARED
    fails(Errno.EINVAL, mmap(device, PAGE, READ_WRITE, Libc.MAP_PRIVATE(), 0));
  }

  @Test
  void aMappingBeyondABarIsInvalid() {
    // vfio_pci_core.c:vfio_pci_core_mmap
    fails(Errno.EINVAL, mmap(device, EDU_BYTES + PAGE, READ_WRITE, Libc.MAP_SHARED(), 0));
    fails(Errno.EINVAL, mmap(device, PAGE, READ_WRITE, Libc.MAP_SHARED(), EDU_BYTES));
  }

  @Test
  void onlyABarIsMapped() {
    // vfio_pci_core.c:vfio_pci_core_mmap
    fails(Errno.EINVAL, mmap(device, PAGE, READ_WRITE, Libc.MAP_SHARED(), offset(CONFIG)));
    fails(Errno.EINVAL, mmap(device, PAGE, READ_WRITE, Libc.MAP_SHARED(), offset(1)));
    fails(Errno.EINVAL, mmap(device, PAGE, READ_WRITE, Libc.MAP_SHARED(), offset(9)));
  }

  @Test
  void aBarMayBeMappedWhileItsDecodeIsOff() {
    // vfio_pci_core.c:vfio_pci_core_mmap asks nothing of it; a touch would be a SIGBUS
    setCommand(device, 0);
    mapped(mmap(device, PAGE, READ_WRITE, Libc.MAP_SHARED(), 0), PAGE);
  }

  @Test
  void aMappingSurvivesDecodeBeingOffForAWhile() {
    // vfio_pci_core.c:vfio_pci_zap_bars, and the fault afterwards
    long bar = mapped(mmap(device, PAGE, READ_WRITE, Libc.MAP_SHARED(), 0), PAGE);
    assertThat(registers(bar).read32(0)).isEqualTo(EDU_ID);
    setCommand(device, MASTER);
    setCommand(device, MEMORY | MASTER);
    assertThat(registers(bar).read32(0)).isEqualTo(EDU_ID);
  }

  @Test
  void aMappingKeepsTheDeviceOpen() {
    // mm: the mapping holds the file
    long bar = mapped(mmap(device, PAGE, READ_WRITE, Libc.MAP_SHARED(), 0), PAGE);
    close(device);
    assertThat(registers(bar).read32(0)).isEqualTo(EDU_ID);
  }

  @Test
  void theFilesPositionChoosesTheRegionToo() {
    // vfio_main.c:vfio_device_fops_read: ppos; the file has no llseek
    fails(Errno.ESPIPE, kernel.lseek(device, offset(CONFIG), Libc.SEEK_SET()));
  }
}
