package dev.iolite.mock.device;

import dev.iolite.kernel.Registers;
import dev.iolite.mock.core.Memory;
import dev.iolite.pci.EduRegs;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * QEMU's {@code edu} device, as QEMU's docs/specs/edu.rst describes it and version 7.2 implements
 * it: 1 MiB of registers, a 4 KiB buffer that DMA fills and empties, factorials, and an interrupt.
 *
 * <p>DMA and factorials complete at once, so the bits that say that they are running are never
 * seen. QEMU exits when a DMA is not inside the buffer or reaches its end; here, such a DMA is not
 * done and raises no interrupt.
 */
public final class Edu implements DeviceLogic {
  private static final int BAR_BYTES = 1 << 20;
  private static final long DMA_MASK = (1L << 28) - 1;

  private final DeviceHost host;
  private final MemorySegment buffer = MemorySegment.ofArray(new byte[EduRegs.BUFFER_BYTES]);
  private int liveness;
  private int factorial;
  private int status;
  private int irqStatus;
  private long source;
  private long destination;
  private long count;
  private long command;

  private Edu(DeviceHost host) {
    this.host = host;
  }

  /** The device, as in the lab. */
  public static DeviceModel model() {
    return new DeviceModel(
        DeviceShape.builder(EduRegs.VENDOR, EduRegs.DEVICE)
            .revision(0x10)
            .bar(Bar.memory32(0, BAR_BYTES))
            .msi(1)
            .build(),
        Edu::new);
  }

  @Override
  public Optional<Registers> registers(int bar) {
    return Optional.of(
        new Registers() {
          @Override
          public long read(long offset, int bytes) {
            return readRegister(offset, bytes);
          }

          @Override
          public void write(long offset, int bytes, long value) {
            writeRegister(offset, bytes, value);
          }
        });
  }

  /** What QEMU's memory core does with narrow accesses: 0, and nothing is written. */
  private static boolean isTooNarrow(int bytes) {
    return bytes < Integer.BYTES;
  }

  private static boolean isTooWide(long offset, int bytes) {
    return offset < EduRegs.DMA_SOURCE && bytes == Long.BYTES;
  }

  private long readRegister(long offset, int bytes) {
    if (isTooNarrow(bytes)) {
      return 0;
    }
    long all = bytes == Long.BYTES ? -1 : 0xffff_ffffL;
    if (isTooWide(offset, bytes)) {
      return all;
    }
    long value =
        switch ((int) offset) {
          case EduRegs.ID -> EduRegs.IDENTIFICATION;
          case EduRegs.LIVENESS -> liveness;
          case EduRegs.FACTORIAL -> factorial;
          case EduRegs.STATUS -> status;
          case EduRegs.IRQ_STATUS -> irqStatus;
          case EduRegs.DMA_SOURCE -> source;
          case EduRegs.DMA_DESTINATION -> destination;
          case EduRegs.DMA_COUNT -> count;
          case EduRegs.DMA_COMMAND -> command;
          default -> -1;
        };
    return value & all;
  }

  private void writeRegister(long offset, int bytes, long value) {
    if (isTooNarrow(bytes) || isTooWide(offset, bytes)) {
      return;
    }
    switch ((int) offset) {
      case EduRegs.LIVENESS -> liveness = (int) ~value;
      case EduRegs.FACTORIAL -> computeFactorial((int) value);
      case EduRegs.STATUS -> status = (int) value & EduRegs.STATUS_IRQ_AFTER_FACTORIAL;
      case EduRegs.IRQ_RAISE -> raise((int) value);
      case EduRegs.IRQ_ACK -> acknowledge((int) value);
      case EduRegs.DMA_SOURCE -> source = value;
      case EduRegs.DMA_DESTINATION -> destination = value;
      case EduRegs.DMA_COUNT -> count = value;
      case EduRegs.DMA_COMMAND -> startDma(value);
      default -> {}
    }
  }

  private void computeFactorial(int n) {
    int product = 1;
    // From 34 on, the product has 32 factors of two and stays 0.
    for (long factor = Integer.toUnsignedLong(n); factor > 0 && product != 0; factor--) {
      product *= (int) factor;
    }
    factorial = product;
    if ((status & EduRegs.STATUS_IRQ_AFTER_FACTORIAL) != 0) {
      raise(EduRegs.IRQ_FACTORIAL);
    }
  }

  private void raise(int causes) {
    irqStatus |= causes;
    if (irqStatus == 0) {
      return;
    }
    if (host.messagesEnabled()) {
      host.send(0);
    } else {
      host.setLine(true);
    }
  }

  private void acknowledge(int causes) {
    irqStatus &= ~causes;
    if (irqStatus == 0 && !host.messagesEnabled()) {
      host.setLine(false);
    }
  }

  private void startDma(long value) {
    if ((value & EduRegs.DMA_RUN) == 0) {
      return;
    }
    command = value & ~EduRegs.DMA_RUN;
    long inBuffer = (value & EduRegs.DMA_TO_MEMORY) == 0 ? destination : source;
    if (!isInBuffer(inBuffer)) {
      return;
    }
    MemorySegment part = buffer.asSlice(inBuffer - EduRegs.BUFFER, count);
    long address = (value & EduRegs.DMA_TO_MEMORY) == 0 ? source : destination;
    host.later(() -> copy(value, address & DMA_MASK, part));
  }

  /** QEMU does this some time after the write to the command register. */
  private void copy(long command, long address, MemorySegment part) {
    if ((command & EduRegs.DMA_TO_MEMORY) == 0) {
      readPages(address, part);
    } else {
      writePages(address, part);
    }
    if ((command & EduRegs.DMA_IRQ) != 0) {
      raise(EduRegs.IRQ_DMA);
    }
  }

  /** QEMU requires that the byte after the last one is in the buffer too. */
  private boolean isInBuffer(long address) {
    long end = address + count;
    return address >= EduRegs.BUFFER
        && address < EduRegs.BUFFER + EduRegs.BUFFER_BYTES
        && end > address
        && end < EduRegs.BUFFER + EduRegs.BUFFER_BYTES;
  }

  /** Reads page by page, because the IOMMU decides by pages; in QEMU, what it denies reads as 0. */
  private void readPages(long address, MemorySegment into) {
    for (long done = 0; done < into.byteSize(); ) {
      MemorySegment part = into.asSlice(done, inPage(address + done, into.byteSize() - done));
      try {
        host.read(address + done, part);
      } catch (Memory.Unreachable e) {
        part.fill((byte) 0);
      }
      done += part.byteSize();
    }
  }

  private void writePages(long address, MemorySegment from) {
    for (long done = 0; done < from.byteSize(); ) {
      MemorySegment part = from.asSlice(done, inPage(address + done, from.byteSize() - done));
      try {
        host.write(address + done, part);
      } catch (Memory.Unreachable e) {
        // A posted write that the IOMMU denies is lost, and the device is not told.
      }
      done += part.byteSize();
    }
  }

  private static long inPage(long address, long bytes) {
    return Math.min(EduRegs.BUFFER_BYTES - address % EduRegs.BUFFER_BYTES, bytes);
  }
}
