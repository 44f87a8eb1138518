package dev.iolite.examples;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.mock.MockKernel;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.vfio.Attachment;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.IrqSet;
import dev.iolite.vfio.PciIrq;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.VfioDevice;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/**
 * Copies a text by DMA of QEMU's edu device: into the device's buffer, and from there to other
 * memory.
 */
public final class CopyByDma {
  private static final long IOVA = 0x10_0000;
  private static final long BYTES = 8192;
  private static final long DESTINATION = 4096;

  // The registers of edu, as QEMU's docs/specs/edu.rst describes them.
  private static final long IRQ_STATUS = 0x24;
  private static final long IRQ_ACKNOWLEDGE = 0x64;
  private static final long DMA_SOURCE = 0x80;
  private static final long DMA_DESTINATION = 0x88;
  private static final long DMA_COUNT = 0x90;
  private static final long DMA_COMMAND = 0x98;
  private static final long START = 1;
  private static final long TO_MEMORY = 2;
  private static final long INTERRUPT = 4;
  private static final long DEVICE_BUFFER = 0x4_0000;

  private CopyByDma() {}

  /** Copies a text on the model. */
  public static void main(String[] args) {
    try (MockKernel kernel = MockKernel.plain()) {
      System.out.println(copy(kernel, PciAddress.parse("0000:00:02.0"), "carried by DMA"));
    }
  }

  /** Assigns the device, copies a text by DMA, gives the device back, and returns the copy. */
  static String copy(Kernel kernel, PciAddress address, String text) {
    PciDevice function = new Pci(kernel).device(address);
    try (DriverBinding bound = DriverBinding.bind(function, "vfio-pci");
        Iommufd iommufd = Iommufd.open(kernel);
        VfioDevice opened =
            VfioDevice.open(kernel, function.requireVfioCdev(), address.toString());
        BoundVfioDevice device = opened.bind(iommufd);
        Ioas ioas = iommufd.allocIoas();
        Attachment attached = device.attach(ioas.id());
        Mapping memory = Mapping.anonymous(kernel, BYTES);
        IovaMapping mapped = ioas.map(IOVA, memory.segment(), IovaAccess.READ_WRITE);
        DeviceMemory registers = device.region(PciRegion.BAR0).map();
        EventFd event = EventFd.create(kernel);
        IrqSet interrupts = device.irqs(PciIrq.MSI)) {
      device.config().setMemoryDecode(true);
      device.config().setBusMaster(true);
      interrupts.enable(List.of(event));

      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      MemorySegment.copy(MemorySegment.ofArray(bytes), 0, memory.segment(), 0, bytes.length);
      transfer(registers, event, IOVA, DEVICE_BUFFER, bytes.length, START | INTERRUPT);
      transfer(
          registers,
          event,
          DEVICE_BUFFER,
          IOVA + DESTINATION,
          bytes.length,
          START | TO_MEMORY | INTERRUPT);
      byte[] copy = new byte[bytes.length];
      MemorySegment.copy(
          memory.segment(), DESTINATION, MemorySegment.ofArray(copy), 0, copy.length);
      return new String(copy, StandardCharsets.UTF_8);
    }
  }

  private static void transfer(
      DeviceMemory registers, EventFd event, long from, long to, int bytes, long command) {
    registers.write64(DMA_SOURCE, from);
    registers.write64(DMA_DESTINATION, to);
    registers.write64(DMA_COUNT, bytes);
    registers.write64(DMA_COMMAND, command);
    if (event.await(Duration.ofSeconds(10)) == 0) {
      throw new IllegalStateException("the device raised no interrupt within 10 s");
    }
    registers.write32(IRQ_ACKNOWLEDGE, registers.read32(IRQ_STATUS));
  }
}
