package dev.iolite.cli;

import dev.iolite.cli.drawing.LayoutPicture;
import dev.iolite.kernel.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.ColorScheme;

/**
 * What a stream is connected to: a terminal with its width and colours, or a pipe or file that has
 * neither; and the characters that can be written to it. Each descriptor is examined separately;
 * the Java runtime and picocli can only tell whether standard input and output are both a terminal.
 *
 * @param isTerminal whether it is a terminal
 * @param columns its width, {@link #LEAST_COLUMNS} or more; empty if it has none: a pipe, a file,
 *     or a terminal that does not know its width, such as a serial console
 * @param charset the encoding of its characters
 * @param colours whether text is coloured
 */
public record Terminal(boolean isTerminal, OptionalInt columns, Charset charset, Ansi colours) {
  /** Standard input. */
  static final int IN = 0;

  /** Standard output. */
  static final int OUT = 1;

  /** Standard error. */
  static final int ERR = 2;

  /** The smallest width for which output is laid out; a narrower terminal breaks lines itself. */
  static final int LEAST_COLUMNS = LayoutPicture.LEAST_COLUMNS;

  private static final int MOST_COLUMNS = 10_000;
  private static final int USUAL_TEXT = 100;
  private static final int USUAL_PICTURE = 80;

  /** The least room that an indentation must leave in a line. */
  private static final int LEAST_ROOM = 36;

  private static final int SMALL_INDENT = 4;

  /**
   * Not in the bindings, because it is not part of device assignment. The number is that of
   * asm-generic/ioctls.h, which x86, Arm and RISC-V share; the argument is {@code struct winsize},
   * four {@code unsigned short}, the first two of which are ws_row and ws_col.
   */
  private static final long TIOCGWINSZ = 0x5413;

  private static final int WINSIZE_BYTES = 8;
  private static final int WS_ROW = 0;
  private static final int WS_COL = 2;

  /**
   * Examines a descriptor.
   *
   * @param environment COLUMNS takes precedence over a terminal's own width; NO_COLOR
   *     (no-color.org) and TERM=dumb forbid colours
   */
  static Terminal of(
      Kernel kernel, int descriptor, Map<String, String> environment, Charset charset) {
    try (Arena arena = Arena.ofConfined()) {
      Optional<MemorySegment> window = window(kernel, descriptor, arena);
      if (window.isEmpty()) {
        return new Terminal(false, OptionalInt.empty(), charset, Ansi.OFF);
      }
      OptionalInt wanted = columns(environment.getOrDefault("COLUMNS", ""));
      int own = Short.toUnsignedInt(window.get().get(ValueLayout.JAVA_SHORT, WS_COL));
      boolean isColoured =
          environment.getOrDefault("NO_COLOR", "").isEmpty()
              && !environment.getOrDefault("TERM", "").equals("dumb");
      return new Terminal(
          true,
          wanted.isPresent() ? wanted : columns(Integer.toString(own)),
          charset,
          isColoured ? Ansi.ON : Ansi.OFF);
    }
  }

  /** The height of the terminal that standard output is; empty if it has none. */
  static OptionalInt rows(Kernel kernel) {
    try (Arena arena = Arena.ofConfined()) {
      int rows =
          window(kernel, OUT, arena)
              .map(window -> Short.toUnsignedInt(window.get(ValueLayout.JAVA_SHORT, WS_ROW)))
              .orElse(0);
      return rows == 0 ? OptionalInt.empty() : OptionalInt.of(rows);
    }
  }

  /** A terminal's struct winsize; empty if the descriptor is of none. */
  private static Optional<MemorySegment> window(Kernel kernel, int descriptor, Arena arena) {
    MemorySegment window = arena.allocate(WINSIZE_BYTES, Short.BYTES);
    return kernel.ioctl(descriptor, TIOCGWINSZ, window.address()) == 0
        ? Optional.of(window)
        : Optional.empty();
  }

  /** Parses a width; empty if the text is not a width. */
  private static OptionalInt columns(String text) {
    try {
      int columns = Integer.parseInt(text);
      return columns > 0 && columns <= MOST_COLUMNS
          ? OptionalInt.of(Math.max(columns, LEAST_COLUMNS))
          : OptionalInt.empty();
    } catch (NumberFormatException _) {
      return OptionalInt.empty();
    }
  }

  /**
   * A terminal as another process has described it; what the description leaves out is as for a
   * pipe.
   */
  static Terminal described(Map<String, String> description) {
    return new Terminal(
        false,
        columns(description.getOrDefault("columns", "")),
        Charset.forName(description.getOrDefault("charset", ""), StandardCharsets.UTF_8),
        Boolean.parseBoolean(description.get("colours")) ? Ansi.ON : Ansi.OFF);
  }

  /** What another process has to know in order to print for this terminal. */
  public Map<String, String> description() {
    Map<String, String> description = new HashMap<>();
    columns.ifPresent(width -> description.put("columns", Integer.toString(width)));
    description.put("charset", charset.name());
    description.put("colours", Boolean.toString(colours.enabled()));
    return description;
  }

  /** The width of running text. */
  int textColumns() {
    return columns.orElse(USUAL_TEXT);
  }

  /** The width of a picture. */
  int pictureColumns() {
    return columns.orElse(USUAL_PICTURE);
  }

  /** An indentation, reduced where it would leave too little of a line. */
  int indent(int wanted) {
    return textColumns() - wanted >= LEAST_ROOM ? wanted : Math.min(wanted, SMALL_INDENT);
  }

  /** Whether the charset has all characters of a text. */
  boolean canEncode(String text) {
    return charset.canEncode() && charset.newEncoder().canEncode(text);
  }

  /** The colours and styles that it has, if any. */
  public ColorScheme colorScheme() {
    return Help.defaultColorScheme(colours);
  }
}
