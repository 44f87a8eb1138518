package dev.iolite.bench;

import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.Registers;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.libc.Libc;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** 32-bit register reads; scripts/bench compares them with the same loop in C. */
public class ReadBenchmark extends FastestWindow {
  private static final int BYTES = 4096;
  private static final int REGISTERS = BYTES / Integer.BYTES;

  /** A device's resource file, such as {@code /sys/bus/pci/devices/BDF/resource0}. */
  @Param("")
  public String file = "";

  private @Nullable DeviceMemory registers;

  /** Maps the file, or plain memory where there is none. */
  @Setup
  public void map() {
    Kernel kernel = new HostKernel();
    if (file.isEmpty()) {
      registers = new DeviceMemory(Mapping.anonymous(kernel, BYTES), "plain memory");
    } else {
      try (Fd fd = Fd.open(kernel, FdKind.FILE, file, Libc.O_RDWR())) {
        int protection = Libc.PROT_READ() | Libc.PROT_WRITE();
        registers = new DeviceMemory(Mapping.of(fd, 0, BYTES, protection), file);
      }
    }
  }

  /** Every register, in one batch. */
  @Benchmark
  @OperationsPerInvocation(REGISTERS)
  public long batch() {
    return memory().batch(ReadBenchmark::sum);
  }

  private static long sum(Registers registers) {
    int sum = 0;
    for (int offset = 0; offset < BYTES; offset += Integer.BYTES) {
      sum += registers.read32(offset);
    }
    return sum;
  }

  /** Every register, each on its own: a fault is raised at the access. */
  @Benchmark
  @OperationsPerInvocation(REGISTERS)
  public int single() {
    DeviceMemory memory = memory();
    int sum = 0;
    for (int offset = 0; offset < BYTES; offset += Integer.BYTES) {
      sum += memory.read32(offset);
    }
    return sum;
  }

  private DeviceMemory memory() {
    return Objects.requireNonNull(registers);
  }

  /** Unmaps the memory. */
  @TearDown
  public void close() {
    memory().close();
  }
}
