package dev.iolite.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToLongFunction;

/**
 * A device's registers, mapped into this process.
 *
 * <p>The kernel takes the pages of such a mapping away when the device is reset or its memory
 * decode is switched off. An access then ends in a SIGBUS, as it does once the device is gone. The
 * JVM turns that into an {@link InternalError}, but raises it only at its next safepoint, which may
 * be far from the access. Each access here ends with a transition into the JVM, where it must be
 * raised, so the {@link DeviceFaultException} always comes out of the access that faulted. {@link
 * #batch} pays for one transition only.
 *
 * <p>Registers are little endian and are read and written whole, in program order, never merged.
 * Offsets are in bytes from the start of the mapping and multiples of the access size.
 */
public final class DeviceMemory implements AutoCloseable {
  private static final VarHandle INT32 =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
  private static final VarHandle INT64 =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  /** So far below 0 that no number of batches that find it closed brings it up again. */
  private static final int CLOSED = Integer.MIN_VALUE;

  private final Mapping mapping;
  private final String name;

  /** How the registers are reached if the device is a model's. */
  private final Optional<RegisterAccess> model;

  /** How many batches are running; below 0 when closed. */
  private final AtomicInteger batches = new AtomicInteger();

  /**
   * Takes over a mapping of a device.
   *
   * @param name what it is called in messages, such as {@code 0000:00:03.0 BAR0}
   */
  public DeviceMemory(Mapping mapping, String name) {
    this.mapping = mapping;
    this.name = name;
    this.model = mapping.registers();
  }

  /** Where it is mapped in this process, to be given to the kernel (a memory slot's address). */
  public long address() {
    return mapping.address();
  }

  /** How much is mapped, in bytes. */
  public long bytes() {
    return mapping.bytes();
  }

  /**
   * Reads a 32-bit register.
   *
   * @throws DeviceFaultException if the device does not answer
   */
  public int read32(long offset) {
    try {
      if (model.isPresent()) {
        return (int) modelled(offset, Integer.BYTES).read(offset, Integer.BYTES);
      }
      int value = (int) INT32.getVolatile(mapping.segment(), offset);
      raisePendingFault();
      return value;
    } catch (InternalError e) {
      throw fault(e);
    }
  }

  /**
   * Writes a 32-bit register.
   *
   * @throws DeviceFaultException if the device does not answer
   */
  public void write32(long offset, int value) {
    try {
      if (model.isPresent()) {
        modelled(offset, Integer.BYTES).write(offset, Integer.BYTES, value);
        return;
      }
      INT32.setVolatile(mapping.segment(), offset, value);
      raisePendingFault();
    } catch (InternalError e) {
      throw fault(e);
    }
  }

  /**
   * Reads a 64-bit register in one access.
   *
   * @throws DeviceFaultException if the device does not answer
   */
  public long read64(long offset) {
    try {
      if (model.isPresent()) {
        return modelled(offset, Long.BYTES).read(offset, Long.BYTES);
      }
      long value = (long) INT64.getVolatile(mapping.segment(), offset);
      raisePendingFault();
      return value;
    } catch (InternalError e) {
      throw fault(e);
    }
  }

  /**
   * Writes a 64-bit register in one access.
   *
   * @throws DeviceFaultException if the device does not answer
   */
  public void write64(long offset, long value) {
    try {
      if (model.isPresent()) {
        modelled(offset, Long.BYTES).write(offset, Long.BYTES, value);
        return;
      }
      INT64.setVolatile(mapping.segment(), offset, value);
      raisePendingFault();
    } catch (InternalError e) {
      throw fault(e);
    }
  }

  /**
   * Makes many accesses at the price of plain loads and stores. A fault among them surfaces here at
   * the latest; what was read after it is void.
   *
   * @param body what to do with the registers; must not keep them
   * @return what the body returned
   * @throws DeviceFaultException if the device did not answer one of the accesses
   * @throws IllegalStateException if the registers are unmapped
   */
  public long batch(ToLongFunction<Registers> body) {
    if (batches.getAndIncrement() < 0) {
      batches.decrementAndGet();
      throw new IllegalStateException("the mapping of " + name + " is closed");
    }
    Registers registers =
        model.isPresent() ? new ModelRegisters() : new MappedRegisters(mapping.unguarded());
    try {
      long value = body.applyAsLong(registers);
      raisePendingFault();
      return value;
    } catch (InternalError e) {
      throw fault(e);
    } finally {
      registers.end();
      batches.decrementAndGet();
    }
  }

  /**
   * A device's registers during a {@link #batch}. Each access checks its bounds, but not whether
   * the registers are still mapped: they can't be unmapped before the batch ends. After it there is
   * nothing here to access.
   */
  public abstract static sealed class Registers {
    private Registers() {}

    /** Reads a 32-bit register. */
    public abstract int read32(long offset);

    /** Writes a 32-bit register. */
    public abstract void write32(long offset, int value);

    abstract void end();
  }

  private static final class MappedRegisters extends Registers {
    private MemorySegment memory;

    private MappedRegisters(MemorySegment memory) {
      this.memory = memory;
    }

    @Override
    public int read32(long offset) {
      return (int) INT32.getVolatile(memory, offset);
    }

    @Override
    public void write32(long offset, int value) {
      INT32.setVolatile(memory, offset, value);
    }

    @Override
    void end() {
      memory = MemorySegment.NULL;
    }
  }

  private final class ModelRegisters extends Registers {
    private boolean ended;

    @Override
    public int read32(long offset) {
      return (int) access(offset).read(offset, Integer.BYTES);
    }

    @Override
    public void write32(long offset, int value) {
      access(offset).write(offset, Integer.BYTES, value);
    }

    private RegisterAccess access(long offset) {
      if (ended) {
        throw new IndexOutOfBoundsException("the batch has ended");
      }
      return modelled(offset, Integer.BYTES);
    }

    @Override
    void end() {
      ended = true;
    }
  }

  /** The model's registers, for an access that a mapping of memory would allow. */
  private RegisterAccess modelled(long offset, int bytes) {
    mapping.address();
    Objects.checkFromIndexSize(offset, bytes, mapping.bytes());
    if (offset % bytes != 0) {
      throw new IllegalArgumentException("0x%x is no multiple of %d".formatted(offset, bytes));
    }
    return model.orElseThrow();
  }

  /**
   * Unmaps the registers, once.
   *
   * @throws IllegalStateException if a batch is running
   */
  @Override
  public void close() {
    if (!batches.compareAndSet(0, CLOSED) && batches.get() > 0) {
      throw new IllegalStateException(name + " can't be unmapped while a batch accesses it");
    }
    mapping.close();
  }

  @Override
  public String toString() {
    return name;
  }

  /**
   * Enters and leaves native code. On the way back the JVM raises the InternalError of an access
   * that faulted in compiled code; without this it would surface somewhere in our caller.
   */
  @SuppressWarnings("ReturnValueIgnored") // only the transition is wanted
  private void raisePendingFault() {
    Thread.holdsLock(mapping);
  }

  private DeviceFaultException fault(InternalError e) {
    return new DeviceFaultException(name, e);
  }
}
