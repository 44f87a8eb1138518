package dev.iolite.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A parsed page of the documentation.
 *
 * @param file where it is
 * @param anchors the anchors that GitHub makes from its headings
 * @param links where it points to
 * @param blocks its blocks of code
 * @param codes the code in its text
 */
record MarkdownPage(
    Path file, List<String> anchors, List<Part> links, List<Block> blocks, List<Part> codes) {
  private static final Pattern HEADING = Pattern.compile("#{1,6} +(.*)");
  private static final Pattern FENCE = Pattern.compile("```(\\w*)");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");
  private static final Pattern LINK = Pattern.compile("\\[[^]]*]\\(([^)\\s]+)\\)");
  private static final Pattern NOT_IN_ANCHOR = Pattern.compile("[^\\p{L}\\p{N} _-]");

  /** A piece of text and the line on which it begins. */
  record Part(int line, String text) {}

  /** A block of code, the line on which it begins, and the language that its fence names. */
  record Block(int line, String language, List<String> lines) {}

  static MarkdownPage read(Path file) throws IOException {
    return parse(file, Files.readAllLines(file));
  }

  static MarkdownPage parse(Path file, List<String> lines) {
    Map<String, Integer> headings = new HashMap<>();
    List<String> anchors = new ArrayList<>();
    List<Block> blocks = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < lines.size(); i++) {
      Matcher fence = FENCE.matcher(lines.get(i).strip());
      Matcher heading = HEADING.matcher(lines.get(i));
      text.append('\n');
      if (fence.matches()) {
        int end = i + 1;
        while (end < lines.size() && !lines.get(end).strip().equals("```")) {
          text.append('\n');
          end++;
        }
        blocks.add(new Block(i + 1, fence.group(1), lines.subList(i + 1, end)));
        text.append('\n');
        i = end;
        continue;
      }
      if (heading.matches()) {
        String name = anchor(heading.group(1));
        int before = headings.merge(name, 1, Integer::sum) - 1;
        anchors.add(before == 0 ? name : name + "-" + before);
      }
      text.append(lines.get(i));
    }
    String prose = text.toString();
    return new MarkdownPage(
        file,
        anchors,
        parts(LINK, CODE.matcher(prose).replaceAll(code -> " ".repeat(code.group().length()))),
        blocks,
        parts(CODE, prose));
  }

  private static String anchor(String heading) {
    String plain = LINK.matcher(heading).replaceAll("").toLowerCase(Locale.ROOT);
    return NOT_IN_ANCHOR.matcher(plain).replaceAll("").strip().replace(' ', '-');
  }

  private static List<Part> parts(Pattern pattern, String prose) {
    return pattern
        .matcher(prose)
        .results()
        .map(found -> {
          int line = (int) prose.substring(0, found.start()).chars().filter(c -> c == '\n').count();
          return new Part(line, found.group(1).replaceAll("\\s+", " "));
        })
        .toList();
  }
}
