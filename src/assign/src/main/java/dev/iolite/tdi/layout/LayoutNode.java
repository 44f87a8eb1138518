package dev.iolite.tdi.layout;

import dev.iolite.kernel.ByteSize;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** A value in a YAML or JSON text that knows its line, so that errors can be located. */
final class LayoutNode {
  private final int line;
  private final Object value;

  /**
   * Makes a node.
   *
   * @param value a String, a List of nodes or a Map of names to nodes
   */
  private LayoutNode(int line, Object value) {
    this.line = line;
    this.value = value;
  }

  static LayoutNode parse(String text) {
    ObjectMapper mapper =
        text.stripLeading().startsWith("{") ? JsonMapper.shared() : YAMLMapper.shared();
    try (JsonParser parser = mapper.createParser(text)) {
      if (parser.nextToken() == null) {
        throw new MalformedLayoutException("line 1: the file is empty");
      }
      LayoutNode node = node(parser);
      if (parser.nextToken() != null) {
        throw fault(line(parser), "something follows after the layout");
      }
      return node;
    } catch (JacksonException e) {
      int line = Optional.ofNullable(e.getLocation()).map(at -> at.getLineNr()).orElse(1);
      throw fault(line, "neither YAML nor JSON: " + problem(e));
    }
  }

  /** Without the lines of the file that YAML's messages show below. */
  private static String problem(JacksonException e) {
    return e.getOriginalMessage().lines().findFirst().orElse("");
  }

  private static int line(JsonParser parser) {
    return parser.currentTokenLocation().getLineNr();
  }

  private static LayoutNode node(JsonParser parser) {
    int line = line(parser);
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        Map<String, LayoutNode> members = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          int at = line(parser);
          parser.nextToken();
          if (members.put(name, node(parser)) != null) {
            throw fault(at, "'%s' is there twice".formatted(name));
          }
        }
        yield new LayoutNode(line, members);
      }
      case START_ARRAY -> {
        List<LayoutNode> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          items.add(node(parser));
        }
        yield new LayoutNode(line, items);
      }
      default -> new LayoutNode(line, parser.getString());
    };
  }

  private static MalformedLayoutException fault(int line, String message) {
    return new MalformedLayoutException("line %d: %s".formatted(line, message));
  }

  MalformedLayoutException fault(String message) {
    return fault(line, message);
  }

  private Map<?, ?> members() {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw fault("names and values are expected here");
  }

  /** Refuses members other than these. */
  void only(String... names) {
    Set<String> known = Set.of(names);
    members()
        .forEach((name, node) -> {
          if (!known.contains(name) && node instanceof LayoutNode at) {
            throw at.fault(
                "there is no '%s' here, only %s".formatted(name, String.join(", ", names)));
          }
        });
  }

  Optional<LayoutNode> optional(String name) {
    return Optional.ofNullable(members().get(name)).map(LayoutNode.class::cast);
  }

  LayoutNode required(String name) {
    return optional(name).orElseThrow(() -> fault("'%s' is missing".formatted(name)));
  }

  List<LayoutNode> list() {
    if (value instanceof List<?> list) {
      return list.stream().map(LayoutNode.class::cast).toList();
    }
    throw fault("a list is expected here");
  }

  /** A number of bytes, with an optional unit. */
  long bytes() {
    if (!(value instanceof String text)) {
      throw fault("a number is expected here");
    }
    try {
      return ByteSize.parse(text);
    } catch (IllegalArgumentException e) {
      throw fault(String.valueOf(e.getMessage()));
    }
  }
}
