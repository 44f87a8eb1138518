package dev.iolite.mock.device;

import dev.iolite.kernel.Page;
import dev.iolite.kernel.Registers;
import dev.iolite.mock.core.Memory;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * An accelerator that can be assigned to a confidential guest, with everything that real ones have:
 * IDE and TDISP, registers of which one page stays shared, 16 GiB of memory, MSI-X structures,
 * shared doorbells, and a range whose kind can change.
 *
 * <ul>
 *   <li>BAR0, 64 KiB: page 0 has the registers below, page 2 the shared doorbells: a 32-bit write
 *       of N anywhere in it sends interrupt N; pages 12 and 13 can change their kind
 *   <li>BAR2, 16 GiB, prefetchable: plain memory
 *   <li>BAR4, 32 KiB: page 0 the MSI-X table, page 1 the pending bits, the rest plain shared memory
 * </ul>
 *
 * <p>A TDX module accepts it: only 64-bit BARs have TEE memory.
 *
 * <p>The registers of page 0: 0x00 identification, 0x08 scratch, 0x10 IOVA, 0x18 offset in BAR2,
 * 0x20 bytes (at most 1 MiB), 0x28 command (1: memory to device, 2: device to memory), 0x30 result
 * of the last command (0: done, 1: fault, 2: bad argument). Each takes 64 bits; interrupt 0 is sent
 * after a command.
 */
public final class TdispEndpoint implements DeviceLogic {
  /** The value of the identification register. */
  public static final long IDENTIFICATION = 0x7d15_0001L;

  /** PCI vendor id. */
  public static final int VENDOR = 0x1234;

  /** PCI device id. */
  public static final int DEVICE = 0x7d15;

  /** The size of BAR2, in bytes. */
  public static final long MEMORY_BYTES = 16L << 30;

  private static final int REGISTERS_BAR = 0;
  private static final int MEMORY_BAR = 2;
  private static final int MSIX_BAR = 4;
  private static final int VECTORS = 16;
  private static final int DOORBELL_PAGE = 2;
  private static final int LONGEST_COPY = 1 << 20;

  private static final int REG_ID = 0x00;
  private static final int REG_SCRATCH = 0x08;
  private static final int REG_IOVA = 0x10;
  private static final int REG_OFFSET = 0x18;
  private static final int REG_BYTES = 0x20;
  private static final int REG_COMMAND = 0x28;
  private static final int REG_RESULT = 0x30;
  private static final long COMMAND_READ = 1;
  private static final long COMMAND_WRITE = 2;
  private static final long RESULT_DONE = 0;
  private static final long RESULT_FAULT = 1;
  private static final long RESULT_BAD = 2;

  private final DeviceHost host;
  private long scratch;
  private long iova;
  private long offset;
  private long bytes;
  private long result;

  private TdispEndpoint(DeviceHost host) {
    this.host = host;
  }

  /** The device, with the usual measurements. */
  public static DeviceModel model() {
    return measuring(DeviceMeasurements.usual());
  }

  /** The device, with these measurements. */
  public static DeviceModel measuring(DeviceMeasurements measurements) {
    return new DeviceModel(
        DeviceShape.builder(VENDOR, DEVICE)
            .classCode(0x12_0000)
            .revision(1)
            .bar(Bar.memory64(REGISTERS_BAR, 64 << 10))
            .bar(Bar.prefetchable64(MEMORY_BAR, MEMORY_BYTES))
            .bar(Bar.memory32(MSIX_BAR, 32 << 10))
            .msiX(new MsiX(VECTORS, MSIX_BAR, 0, MSIX_BAR, Page.BYTES))
            .power(DeviceShape.Power.KEEPS_STATE)
            .express(new Express(true, true, true))
            .measurements(measurements)
            .tdi(
                TdiReport.of(
                    new TdiRange(REGISTERS_BAR, 0, 2, 0),
                    new TdiRange(REGISTERS_BAR, DOORBELL_PAGE, 1, TdiRange.NON_TEE),
                    new TdiRange(REGISTERS_BAR, 3, 9, 0),
                    new TdiRange(REGISTERS_BAR, 12, 2, TdiRange.UPDATABLE),
                    new TdiRange(REGISTERS_BAR, 14, 2, 0),
                    new TdiRange(MEMORY_BAR, 0, (int) (MEMORY_BYTES / Page.BYTES), 0),
                    new TdiRange(MSIX_BAR, 0, 1, TdiRange.MSIX_TABLE),
                    new TdiRange(MSIX_BAR, 1, 1, TdiRange.MSIX_PBA),
                    new TdiRange(MSIX_BAR, 2, 6, TdiRange.NON_TEE)))
            .build(),
        TdispEndpoint::new);
  }

  @Override
  public Optional<Registers> registers(int bar) {
    return bar == REGISTERS_BAR ? Optional.of(new Bar0()) : Optional.empty();
  }

  @Override
  public void reset() {
    scratch = 0;
    iova = 0;
    offset = 0;
    bytes = 0;
    result = 0;
  }

  /** BAR0; an access of fewer than 64 bits sees the low bits. */
  private final class Bar0 implements Registers {
    @Override
    public long read(long at, int width) {
      long value =
          switch ((int) at) {
            case REG_ID -> IDENTIFICATION;
            case REG_SCRATCH -> scratch;
            case REG_IOVA -> iova;
            case REG_OFFSET -> offset;
            case REG_BYTES -> bytes;
            case REG_RESULT -> result;
            default -> 0;
          };
      return width == Long.BYTES ? value : value & ((1L << (width * Byte.SIZE)) - 1);
    }

    @Override
    public void write(long at, int width, long value) {
      switch ((int) at) {
        case REG_SCRATCH -> scratch = value;
        case REG_IOVA -> iova = value;
        case REG_OFFSET -> offset = value;
        case REG_BYTES -> bytes = value;
        case REG_COMMAND -> {
          result = copy(value);
          host.send(0);
        }
        default -> {
          if (at / Page.BYTES == DOORBELL_PAGE && value >= 0 && value < VECTORS) {
            host.send((int) value);
          }
        }
      }
    }
  }

  private long copy(long command) {
    if (bytes < 1
        || bytes > LONGEST_COPY
        || offset < 0
        || offset > MEMORY_BYTES - bytes
        || (command != COMMAND_READ && command != COMMAND_WRITE)) {
      return RESULT_BAD;
    }
    MemorySegment buffer = MemorySegment.ofArray(new byte[(int) bytes]);
    try {
      if (command == COMMAND_READ) {
        host.read(iova, buffer);
        host.memory(MEMORY_BAR).write(offset, buffer);
      } else {
        host.memory(MEMORY_BAR).read(offset, buffer);
        host.write(iova, buffer);
      }
      return RESULT_DONE;
    } catch (Memory.Unreachable e) {
      return RESULT_FAULT;
    }
  }
}
