package dev.iolite.uapi;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads what headers define from the output of {@code gcc -E -dD}: a second opinion, independent of
 * jextract. It knows as much C as UAPI headers need.
 */
final class HeaderReader {

  /** What a struct has: a path as {@code offsetof} takes it. */
  record Member(String path, boolean bitField) {}

  /** What the wanted headers define; the structs with all their members, nested ones included. */
  record Definitions(
      Set<String> functionMacros,
      Set<String> emptyMacros,
      Set<String> macros,
      Set<String> enumConstants,
      Set<String> typedefs,
      Map<String, List<Member>> structs) {

    Definitions() {
      this(
          new LinkedHashSet<>(),
          new LinkedHashSet<>(),
          new LinkedHashSet<>(),
          new LinkedHashSet<>(),
          new LinkedHashSet<>(),
          new LinkedHashMap<>());
    }
  }

  private static final Pattern MARKER = Pattern.compile("# \\d+ \"([^\"]*)\".*");
  private static final Pattern DEFINE = Pattern.compile("#define (\\w+)(\\(?)(.*)");
  private static final Pattern TOKEN = Pattern.compile("\\w+|[^\\s\\w]");
  private static final Pattern NAME = Pattern.compile("[A-Za-z_]\\w*");

  private final Definitions found = new Definitions();
  private final List<String> tokens = new ArrayList<>();
  private int next;

  private HeaderReader() {}

  /** Reads the parts of {@code preprocessed} that come from the header named {@code wanted}. */
  static Definitions read(UapiHeaders headers, String wanted, String preprocessed) {
    HeaderReader reader = new HeaderReader();
    reader.readLines(headers, wanted, preprocessed);
    while (reader.next < reader.tokens.size()) {
      reader.declaration();
    }
    return reader.found;
  }

  private void readLines(UapiHeaders headers, String wanted, String preprocessed) {
    boolean inside = false;
    for (String line : preprocessed.lines().toList()) {
      Matcher marker = MARKER.matcher(line);
      if (marker.matches()) {
        inside = headers.nameOf(marker.group(1)).equals(Optional.of(wanted));
      } else if (inside && line.startsWith("#define ")) {
        define(line);
      } else if (inside && !line.startsWith("#")) {
        TOKEN.matcher(line).results().map(match -> match.group()).forEach(tokens::add);
      }
    }
  }

  private void define(String line) {
    Matcher define = DEFINE.matcher(line);
    if (!define.matches()) {
      throw new AssertionError("not understood: " + line);
    }
    Set<String> kind;
    if (!define.group(2).isEmpty()) {
      kind = found.functionMacros();
    } else {
      kind = define.group(3).isBlank() ? found.emptyMacros() : found.macros();
    }
    kind.add(define.group(1));
  }

  /** One declaration up to its semicolon; the members that it adds to the struct it is in. */
  private List<Member> declaration() {
    List<Member> members = new ArrayList<>();
    boolean typedef = accept("typedef");
    Optional<List<Member>> body = Optional.empty();
    String declarator = "";
    String subscripts = "";
    boolean bitField = false;
    while (true) {
      String token = take();
      if (token.equals("struct") || token.equals("union")) {
        declarator = "";
        body = struct();
      } else if (token.equals("enum")) {
        declarator = "";
        enumeration();
      } else if (token.equals("__attribute__")) {
        skip("(", ")");
      } else if (token.equals("[")) {
        next--;
        skip("[", "]");
        subscripts += "[0]";
      } else if (token.equals("(")) {
        throw new AssertionError("a function or pointer to one, near " + near());
      } else if (token.equals(":")) {
        bitField = true;
        take();
      } else if (token.equals(",") || token.equals(";")) {
        if (typedef) {
          found.typedefs().add(declarator);
        } else {
          add(members, declarator, subscripts, bitField, body);
        }
        subscripts = "";
        bitField = false;
        if (token.equals(";")) {
          return members;
        }
      } else if (NAME.matcher(token).matches()) {
        declarator = token;
      }
    }
  }

  private static void add(
      List<Member> members,
      String declarator,
      String subscripts,
      boolean bitField,
      Optional<List<Member>> body) {
    // The headers need an empty struct beside a flexible array in a union.
    boolean placeholder = body.isPresent() && body.get().isEmpty();
    if (declarator.isEmpty()) {
      body.ifPresent(members::addAll);
    } else if (!placeholder) {
      members.add(new Member(declarator, bitField));
      String prefix = declarator + subscripts + ".";
      body.ifPresent(
          nested -> nested.forEach(m -> members.add(new Member(prefix + m.path(), m.bitField()))));
    }
  }

  /** After {@code struct} or {@code union}: the members, if it is defined here. */
  private Optional<List<Member>> struct() {
    String tag = tag();
    if (!accept("{")) {
      return Optional.empty();
    }
    List<Member> members = new ArrayList<>();
    while (!accept("}")) {
      members.addAll(declaration());
    }
    if (!tag.isEmpty()) {
      found.structs().put(tag, members);
    }
    return Optional.of(members);
  }

  private void enumeration() {
    tag();
    if (!accept("{")) {
      return;
    }
    while (!accept("}")) {
      found.enumConstants().add(take());
      while (!accept(",") && !tokens.get(next).equals("}")) {
        take();
      }
    }
  }

  private String tag() {
    String tag = "";
    while (!tokens.get(next).equals("{") && NAME.matcher(tokens.get(next)).matches()) {
      if (accept("__attribute__")) {
        skip("(", ")");
      } else if (tag.isEmpty()) {
        tag = take();
      } else {
        break;
      }
    }
    return tag;
  }

  private void skip(String open, String close) {
    int depth = 0;
    do {
      String token = take();
      if (token.equals(open)) {
        depth++;
      } else if (token.equals(close)) {
        depth--;
      }
    } while (depth > 0);
  }

  private boolean accept(String token) {
    boolean there = next < tokens.size() && tokens.get(next).equals(token);
    if (there) {
      next++;
    }
    return there;
  }

  private String take() {
    if (next == tokens.size()) {
      throw new AssertionError("the headers end within a declaration");
    }
    return tokens.get(next++);
  }

  private String near() {
    return String.join(" ", tokens.subList(Math.max(0, next - 10), next));
  }
}
