package dev.iolite.bench;

import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Mapping;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * 32-bit register reads, here of plain memory, which answers much faster than a device;
 * scripts/bench compares them with the same loop in C.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 2, time = 1)
public class ReadBenchmark {
  private static final int BYTES = 4096;
  private static final int REGISTERS = BYTES / Integer.BYTES;

  private final DeviceMemory memory = new DeviceMemory(filled(), "plain memory");

  private static Mapping filled() {
    Mapping mapping = Mapping.anonymous(new HostKernel(), BYTES);
    for (int i = 0; i < REGISTERS; i++) {
      mapping.segment().setAtIndex(ValueLayout.JAVA_INT, i, i);
    }
    return mapping;
  }

  /** Every register, in one batch. */
  @Benchmark
  @OperationsPerInvocation(REGISTERS)
  public long batch() {
    return memory.batch(ReadBenchmark::sum);
  }

  private static long sum(MemorySegment registers) {
    int sum = 0;
    for (int offset = 0; offset < BYTES; offset += Integer.BYTES) {
      sum += DeviceMemory.get32(registers, offset);
    }
    return sum;
  }

  /** Every register, each on its own: a fault is raised at the access. */
  @Benchmark
  @OperationsPerInvocation(REGISTERS)
  public int single() {
    int sum = 0;
    for (int offset = 0; offset < BYTES; offset += Integer.BYTES) {
      sum += memory.read32(offset);
    }
    return sum;
  }

  /** Unmaps the memory. */
  @TearDown
  public void close() {
    memory.close();
  }
}
