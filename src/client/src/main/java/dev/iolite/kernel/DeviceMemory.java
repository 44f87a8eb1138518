package dev.iolite.kernel;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToLongFunction;

/**
 * A device's registers, mapped into this process.
 *
 * <p>The kernel removes the pages of such a mapping when the device is reset or its memory decode
 * is switched off. An access then ends in a SIGBUS, as it does once the device is gone. The JVM
 * turns that into an {@link InternalError}, but raises it only at its next safepoint, which may be
 * far from the access. Each access here ends with a transition into the JVM, which must raise the
 * error there, so the {@link DeviceFaultException} always comes from the access that faulted.
 * {@link #batch} pays for one transition only.
 *
 * <p>Registers are read and written in program order, never merged. Offsets are multiples of the
 * access size.
 *
 * <p>Safe for use by several threads. The registers that a batch gets are for the thread that runs
 * it.
 */
public final class DeviceMemory implements Registers, AutoCloseable {
  /** Far enough below 0 that no number of batches that find it closed can raise it to 0. */
  private static final int CLOSED = Integer.MIN_VALUE;

  private final Mapping mapping;
  private final String name;

  /** How the registers are reached if the device is a model's. */
  private final Optional<Registers> model;

  private final Registers registers;

  /** How many batches are running; below 0 when closed. */
  private final AtomicInteger batches = new AtomicInteger();

  /**
   * Takes over a mapping of a device's registers.
   *
   * @param name what it is called in messages, such as {@code 0000:00:03.0 BAR0}
   */
  public DeviceMemory(Mapping mapping, String name) {
    this.mapping = mapping;
    this.name = name;
    model = mapping.registers();
    registers = access(mapping.segment());
  }

  private Batch access(MemorySegment memory) {
    return model.<Batch>map(ModelRegisters::new).orElseGet(() -> new MappedRegisters(memory));
  }

  /** Where it is mapped in this process, to pass to the kernel (a memory slot's address). */
  public long address() {
    return mapping.address();
  }

  /** How much is mapped, in bytes. */
  public long bytes() {
    return mapping.bytes();
  }

  /**
   * {@inheritDoc}
   *
   * @throws DeviceFaultException if the device does not answer
   */
  @Override
  public long read(long offset, int bytes) {
    try {
      long value = registers.read(offset, bytes);
      raisePendingFault();
      return value;
    } catch (InternalError e) {
      throw fault(e);
    }
  }

  /**
   * {@inheritDoc}
   *
   * @throws DeviceFaultException if the device does not answer
   */
  @Override
  public void write(long offset, int bytes, long value) {
    try {
      registers.write(offset, bytes, value);
      raisePendingFault();
    } catch (InternalError e) {
      throw fault(e);
    }
  }

  /**
   * Makes many accesses at the price of plain loads and stores. A fault in one of them surfaces at
   * the end of the batch at the latest; values read after the fault are void. Each access checks
   * its bounds, but not whether the registers are still mapped: they cannot be unmapped before the
   * batch ends. Afterwards, the registers that the batch got must not be used.
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
    Batch batch = access(mapping.unguarded());
    try {
      long value = body.applyAsLong(batch);
      raisePendingFault();
      return value;
    } catch (InternalError e) {
      throw fault(e);
    } finally {
      batch.end();
      batches.decrementAndGet();
    }
  }

  /** Registers that can be accessed until the batch ends. */
  interface Batch extends Registers {
    void end();
  }

  /** A model's registers, for the accesses that a mapping of memory would allow. */
  private final class ModelRegisters implements Batch {
    private final Registers device;
    private boolean ended;

    private ModelRegisters(Registers device) {
      this.device = device;
    }

    @Override
    public long read(long offset, int bytes) {
      check(offset, bytes);
      return device.read(offset, bytes);
    }

    @Override
    public void write(long offset, int bytes, long value) {
      check(offset, bytes);
      device.write(offset, bytes, value);
    }

    private void check(long offset, int bytes) {
      if (ended) {
        throw new IndexOutOfBoundsException("the batch has ended");
      }
      mapping.address();
      Objects.checkFromIndexSize(offset, bytes, mapping.bytes());
      if (offset % bytes != 0) {
        throw new IllegalArgumentException("0x%x is no multiple of %d".formatted(offset, bytes));
      }
    }

    @Override
    public void end() {
      ended = true;
    }
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
   * that faulted in compiled code; without this, it would surface somewhere in our caller.
   */
  @SuppressWarnings("ReturnValueIgnored") // only the transition is needed
  private void raisePendingFault() {
    Thread.holdsLock(mapping);
  }

  private DeviceFaultException fault(InternalError e) {
    return new DeviceFaultException(name, e);
  }
}
