package dev.iolite.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import com.sun.jna.Native;
import dev.iolite.uapi.catalog.KvmIoctls;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** The ioctl of {@link IoctlBenchmark}, made in the other ways that Java has. */
public class OtherWays extends FastestWindow {
  private static final int CALLS = 1024;
  private static final long REQUEST = KvmIoctls.KVM_GET_API_VERSION.number();

  /** Without errno, and without a transition of the thread: no call by the FFM API is shorter. */
  private static final MethodHandle FLOOR =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("ioctl"),
              FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
              Linker.Option.critical(false),
              Linker.Option.firstVariadicArg(2));

  private static final Jnr JNR = LibraryLoader.create(Jnr.class).load("c");
  private static final Runtime JNR_RUNTIME = Runtime.getRuntime(JNR);

  private final int fd = IoctlBenchmark.descriptor();

  /** libc, as JNR-FFI maps it. */
  public interface Jnr {
    int ioctl(int fd, long request, long argument);
  }

  private static final class Jna {
    static {
      Native.register("c");
    }

    static native int ioctl(int fd, long request, long argument);
  }

  /** The shortest call that the FFM API can make. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public long floor() throws Throwable {
    long sum = 0;
    for (int i = 0; i < CALLS; i++) {
      sum += (int) FLOOR.invokeExact(fd, REQUEST, 0L);
    }
    return sum;
  }

  /** JNA with direct mapping. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public long jna() {
    long sum = 0;
    for (int i = 0; i < CALLS; i++) {
      int result = Jna.ioctl(fd, REQUEST, 0);
      sum += result == -1 ? -Native.getLastError() : result;
    }
    return sum;
  }

  /** JNR-FFI. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public long jnr() {
    long sum = 0;
    for (int i = 0; i < CALLS; i++) {
      int result = JNR.ioctl(fd, REQUEST, 0);
      sum += result == -1 ? -JNR_RUNTIME.getLastError() : result;
    }
    return sum;
  }
}
