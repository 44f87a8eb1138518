package dev.iolite.bench;

import dev.iolite.vmm.InnerInitrd;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * How long a guest's Linux takes to reach user space under {@code iolite vm run} and under QEMU
 * with KVM, from the start of the program on, by turns: the same kernel, initial RAM disk, memory
 * and number of processors, both with a serial console only.
 */
public final class BootFigures {
  private static final String KERNEL = "/host/bzImage";
  private static final String MEMORY = "128";
  private static final String COMMAND_LINE = "console=ttyS0 panic=-1 no_timer_check";
  private static final String MARK = "this is user space";
  private static final int PAIRS = 5;
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private BootFigures() {}

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
    List<String> ours =
        List.of(
            "/bin/iolite",
            "vm",
            "run",
            "--kernel",
            KERNEL,
            "--initrd",
            initrd.toString(),
            "--memory",
            MEMORY + "M",
            "--cmdline",
            COMMAND_LINE);
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
            MEMORY,
            "-no-reboot",
            "-nodefaults",
            "-display",
            "none",
            "-serial",
            "stdio",
            "-kernel",
            KERNEL,
            "-initrd",
            initrd.toString(),
            "-append",
            COMMAND_LINE);
    List<Double> ratios = new ArrayList<>();
    List<Double> seconds = new ArrayList<>();
    List<Double> secondsOfQemu = new ArrayList<>();
    while (ratios.size() < PAIRS) {
      double own = boot(ours);
      double other = boot(theirs);
      System.out.printf("vm run %.1f s, QEMU %.1f s%n", own, other);
      seconds.add(own);
      secondsOfQemu.add(other);
      ratios.add(own / other);
    }
    System.out.printf(
        "Linux reaches user space: vm run %.1f s, QEMU %.1f s, ratio %.2f (medians of %d)%n",
        median(seconds), median(secondsOfQemu), median(ratios), PAIRS);
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }

  /** Seconds until the guest prints the mark. It then powers off. */
  private static double boot(List<String> command) throws IOException, InterruptedException {
    long start = System.nanoTime();
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.outputWriter().close();
    List<String> printed = new ArrayList<>();
    CompletableFuture.delayedExecutor(PATIENCE.toSeconds(), TimeUnit.SECONDS)
        .execute(process::destroyForcibly);
    try (BufferedReader lines = process.inputReader()) {
      String line = lines.readLine();
      while (line != null && !line.contains(MARK)) {
        printed.add(line);
        line = lines.readLine();
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      if (line == null) {
        throw new IllegalStateException(command.getFirst() + ": " + String.join("\n", printed));
      }
      lines.lines().forEach(_ -> {});
      return seconds;
    } finally {
      process.waitFor();
    }
  }
}
