package dev.iolite.differential;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A program with a name.
 *
 * @param name its seed, or where it is from
 * @param ops its calls
 */
record Program(String name, List<Op> ops) {
  static Program ofSeed(LabKernel kernel, long seed) {
    return new Program("seed " + seed, kernel.program(seed));
  }

  /** The programs of seeds that follow one another, made one by one. */
  static Stream<Program> ofSeeds(LabKernel kernel, long first, int count) {
    return LongStream.range(first, first + count).mapToObj(seed -> ofSeed(kernel, seed));
  }

  /** Writes programs as JSON lines: a string starts each, then its calls follow. */
  static void write(Path file, List<Program> programs) throws IOException {
    List<String> lines = new ArrayList<>();
    for (Program program : programs) {
      lines.add("\"" + program.name + "\"");
      program.ops.forEach(op -> lines.add(op.toString()));
    }
    Files.write(file, lines);
  }

  /** Reads what {@link #write} wrote. */
  static List<Program> read(Path file) throws IOException {
    return parse(Files.readAllLines(file));
  }

  /**
   * As {@link #read}, of the lines of a file.
   *
   * @throws IllegalArgumentException if they are no programs
   */
  static List<Program> parse(List<String> lines) {
    List<Program> programs = new ArrayList<>();
    for (String line : lines) {
      if (line.startsWith("\"")) {
        programs.add(new Program(line.replace("\"", ""), new ArrayList<>()));
      } else if (!line.isBlank()) {
        if (programs.isEmpty()) {
          throw new IllegalArgumentException("no name of a program comes before " + line);
        }
        programs.getLast().ops.add(Op.parse(line));
      }
    }
    return programs;
  }
}
