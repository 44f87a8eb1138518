package dev.iolite.bench;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kvm.VmType;
import dev.iolite.vmm.InnerInitrd;
import dev.iolite.vmm.VirtualMachine;
import dev.iolite.vmm.VmConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * How long a guest's Linux takes to reach user space in a {@link VirtualMachine} and under QEMU
 * with KVM, by turns: the same kernel, initial RAM disk, memory and number of processors, both with
 * a serial console only. QEMU's time includes the start of its program, ours no start of a JVM; the
 * first pair, in which this one compiles what a guest needs, is not counted.
 */
public final class BootFigures {
  private static final Path KERNEL = Path.of("/host/bzImage");
  private static final int MEGABYTES = 128;
  private static final String COMMAND_LINE = "console=ttyS0 panic=-1 no_timer_check";
  private static final String MARK = "this is user space";
  private static final int PAIRS = 5;
  private static final int MOST_TRIES = 3 * PAIRS;

  /** A few guests in a hundred wait for ever in an emulated machine, see VmmLabTest. */
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  /** What QEMU and its guest have printed last. */
  private static final StringBuilder printed = new StringBuilder();

  private BootFigures() {}

  /** What a guest prints, and when it printed the mark. */
  private static final class Console extends OutputStream {
    private final StringBuilder line = new StringBuilder();
    private OptionalLong marked = OptionalLong.empty();

    @Override
    public void write(int b) {
      line.append((char) b);
      if (b == '\n') {
        if (marked.isEmpty() && line.indexOf(MARK) >= 0) {
          marked = OptionalLong.of(System.nanoTime());
        }
        line.setLength(0);
      }
    }
  }

  /**
   * Prints the medians and their ratio.
   *
   * @param arguments the directory of QEMU: its program, in lib what it is linked with, and its
   *     firmware
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path qemu = Path.of(arguments[0]);
    Path initrd = Files.createTempFile("initrd", "");
    Files.write(initrd, InnerInitrd.of("echo '" + MARK + "'\npoweroff -f\n"));
    VmConfig ours =
        new VmConfig(
            KERNEL,
            Optional.of(initrd),
            COMMAND_LINE,
            (long) MEGABYTES << 20,
            1,
            List.of(),
            VmType.DEFAULT);
    List<String> theirs =
        List.of(
            qemu.resolve("lib/ld-linux-x86-64.so.2").toString(),
            "--library-path",
            qemu.resolve("lib").toString(),
            qemu.resolve("qemu-system-x86_64").toString(),
            "-L",
            qemu.toString(),
            "-accel",
            "kvm",
            "-cpu",
            "host",
            "-m",
            Integer.toString(MEGABYTES),
            "-no-reboot",
            "-nodefaults",
            "-display",
            "none",
            "-serial",
            "stdio",
            "-kernel",
            KERNEL.toString(),
            "-initrd",
            initrd.toString(),
            "-append",
            COMMAND_LINE);
    List<Double> ratios = new ArrayList<>();
    List<Double> seconds = new ArrayList<>();
    List<Double> secondsOfQemu = new ArrayList<>();
    for (int i = 0; i < MOST_TRIES && ratios.size() < PAIRS; i++) {
      OptionalDouble own = boot(ours);
      OptionalDouble other = boot(theirs);
      System.out.println("here " + text(own) + ", QEMU " + text(other));
      if (i > 0 && own.isPresent() && other.isPresent()) {
        seconds.add(own.getAsDouble());
        secondsOfQemu.add(other.getAsDouble());
        ratios.add(own.getAsDouble() / other.getAsDouble());
      }
    }
    if (ratios.isEmpty()) {
      throw new IllegalStateException("no pair of guests reached user space:\n" + printed);
    }
    System.out.printf(
        "Linux reaches user space: here %.1f s, QEMU %.1f s, ratio %.2f (medians of %d)%n",
        median(seconds), median(secondsOfQemu), median(ratios), ratios.size());
  }

  private static String text(OptionalDouble seconds) {
    return seconds.isPresent() ? "%.1f s".formatted(seconds.getAsDouble()) : "never";
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }

  /** Seconds until a guest of this process prints the mark; empty if it never does. */
  private static OptionalDouble boot(VmConfig config) {
    Console console = new Console();
    long start = System.nanoTime();
    long end = start + PATIENCE.toNanos();
    try (VirtualMachine machine = VirtualMachine.create(new HostKernel(), config, console)) {
      machine.run(() -> System.nanoTime() > end);
    }
    return console.marked.isPresent()
        ? OptionalDouble.of((console.marked.getAsLong() - start) / 1e9)
        : OptionalDouble.empty();
  }

  /** The same of a program; its guest then powers off. */
  private static OptionalDouble boot(List<String> command)
      throws IOException, InterruptedException {
    long start = System.nanoTime();
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.outputWriter().close();
    CompletableFuture.delayedExecutor(PATIENCE.toSeconds(), TimeUnit.SECONDS)
        .execute(process::destroyForcibly);
    try (BufferedReader lines = process.inputReader()) {
      printed.setLength(0);
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        printed.append(line).append('\n');
        if (line.contains(MARK)) {
          double seconds = (System.nanoTime() - start) / 1e9;
          lines.lines().forEach(_ -> {});
          return OptionalDouble.of(seconds);
        }
      }
      return OptionalDouble.empty();
    } finally {
      process.waitFor();
    }
  }
}
