package dev.iolite.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Which calls of Linux 7.3 on x86-64 have a method in the client, and where the contract suite has
 * made them.
 *
 * <p>The rows are in the file {@code coverage} beside this class. A test finds the methods in the
 * client's classes, the contract suite finds the calls that it made, and both compare.
 *
 * @param rows a row for each call, and for each of its parts that a header names
 */
public record Coverage(List<Row> rows) {
  private static final String FILE = "coverage";
  private static final int COLUMNS = 7;

  /** The backends that the contract suite runs on. */
  public enum Backend {
    /** The model. */
    MODEL,
    /** The lab's kernel. */
    LAB,
    /** The KVM of the machine that builds iolite. */
    HOST
  }

  /** How a call ended on a backend. */
  public enum Ended {
    /** It was made, and succeeded. */
    YES,
    /** It was made, and the kernel has it, but refused it each time. */
    REFUSED,
    /** It was not made, or the kernel does not have it. */
    NO;

    /** As it is shown: {@code yes}, {@code refused}, or {@code -}. */
    public String words() {
      return this == NO ? "-" : name().toLowerCase(Locale.ROOT);
    }

    static Ended of(String words) {
      return words.equals("-") ? NO : valueOf(words.toUpperCase(Locale.ROOT));
    }
  }

  /**
   * A call, or a part of one.
   *
   * @param descriptor the kind of descriptor that it is made on
   * @param call its name; a part of it follows a colon
   * @param method the client's method or constant for it; empty if there is none
   * @param ended how it ended on each backend
   * @param note why it has no method, or is not made where it could be; or empty
   */
  public record Row(
      String descriptor,
      String call,
      Optional<String> method,
      Map<Backend, Ended> ended,
      String note) {

    /** How it ended on a backend. */
    public Ended on(Backend backend) {
      return ended.getOrDefault(backend, Ended.NO);
    }

    private static Row parse(String line) {
      String[] cells = line.split(" +", COLUMNS);
      return new Row(
          cells[0],
          cells[1],
          Optional.of(cells[2]).filter(method -> !method.equals("-")),
          Map.of(
              Backend.MODEL, Ended.of(cells[3]),
              Backend.LAB, Ended.of(cells[4]),
              Backend.HOST, Ended.of(cells[5])),
          cells.length < COLUMNS ? "" : cells[6]);
    }

    /** Its cells, as they are in the file and in the documentation. */
    public List<String> cells() {
      return List.of(
          descriptor,
          call,
          method.orElse("-"),
          on(Backend.MODEL).words(),
          on(Backend.LAB).words(),
          on(Backend.HOST).words(),
          note);
    }
  }

  /** The rows of this version. */
  public static Coverage read() {
    try (InputStream file = Objects.requireNonNull(Coverage.class.getResourceAsStream(FILE), FILE);
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(file, StandardCharsets.UTF_8))) {
      return new Coverage(
          lines
              .lines()
              .filter(line -> !line.isBlank() && !line.startsWith("#"))
              .map(Row::parse)
              .toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
