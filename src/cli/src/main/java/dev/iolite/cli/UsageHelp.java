package dev.iolite.cli;

import static picocli.CommandLine.Model.UsageMessageSpec.SECTION_KEY_SYNOPSIS;
import static picocli.CommandLine.Model.UsageMessageSpec.SECTION_KEY_SYNOPSIS_HEADING;

import java.util.HashMap;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.IHelpSectionRenderer;

/** Fits usage messages to a terminal. */
public final class UsageHelp {
  private static final int MOST_COLUMNS = 80;

  /** The narrowest layout of picocli. */
  private static final int LEAST_COLUMNS = 55;

  /** A width at which no line is broken. */
  private static final int UNBROKEN = 10_000;

  private static final int MOST_INDENT = 6;
  private static final int CONTINUATION = 4;

  private UsageHelp() {}

  /** Fits the usage messages of a command and of those below it. */
  public static void fit(CommandLine command, Terminal terminal) {
    int columns = Math.min(terminal.columns().orElse(MOST_COLUMNS), MOST_COLUMNS);
    if (columns >= LEAST_COLUMNS) {
      command.setUsageHelpWidth(columns);
      return;
    }
    Map<String, IHelpSectionRenderer> sections = new HashMap<>(command.getHelpSectionMap());
    // The heading and the synopsis share a line.
    sections.put(SECTION_KEY_SYNOPSIS_HEADING, _ -> "");
    sections.put(
        SECTION_KEY_SYNOPSIS,
        help -> help.synopsisHeading() + help.synopsis(help.synopsisHeadingLength()));
    sections.replaceAll((_, section) -> help -> broken(section.render(help), columns));
    command.setUsageHelpWidth(UNBROKEN);
    command.setHelpSectionMap(sections);
  }

  private static String broken(String section, int columns) {
    StringBuilder lines = new StringBuilder();
    for (String line : section.lines().toList()) {
      int spaces = line.length() - line.stripLeading().length();
      int indent = Math.min(spaces, MOST_INDENT);
      String text = line.substring(spaces - indent);
      lines.append(Wrapping.of(text, columns, indent + CONTINUATION)).append('\n');
    }
    return lines.toString();
  }
}
