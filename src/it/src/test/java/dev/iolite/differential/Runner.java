package dev.iolite.differential;

import dev.iolite.kernel.HostKernel;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;

/**
 * Runs programs on the kernel of this machine, which is the lab's, and writes what each call
 * answered: a line for each, and an empty one after each program.
 */
final class Runner {
  private Runner() {}

  /**
   * Runs them.
   *
   * @param args the kernel's name, and {@code seeds FIRST COUNT} or {@code file PATH}
   */
  public static void main(String[] args) throws IOException {
    long start = System.nanoTime();
    long calls = 0;
    PrintStream out =
        new PrintStream(
            new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);
    LabKernel kernel = LabKernel.of(args[0]);
    try (Machine machine = new Machine(kernel, new HostKernel(), Machine.REAL_SETTLE_MILLIS)) {
      Iterator<Program> programs =
          args[1].equals("seeds")
              ? Program.ofSeeds(kernel, Long.parseLong(args[2]), Integer.parseInt(args[3]))
                  .iterator()
              : Program.read(Path.of(args[2])).iterator();
      while (programs.hasNext()) {
        List<String> answers = machine.run(programs.next().ops());
        answers.forEach(out::println);
        out.println();
        calls += answers.size();
      }
    }
    out.flush();
    System.err.printf("%d calls in %.1f s%n", calls, (System.nanoTime() - start) / 1e9);
  }
}
