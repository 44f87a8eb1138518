package dev.iolite.mock.recording;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.dataformat.yaml.YAMLMapper;
import tools.jackson.dataformat.yaml.YAMLParser;

/** A value in a recording that knows where it is, so that errors can be located. */
final class RecordingNode {
  private static final int HEXADECIMAL = 16;

  private final String place;
  private final Object value;

  /**
   * Makes a node.
   *
   * @param value a String, a List of nodes or a Map of names to nodes
   */
  private RecordingNode(String place, Object value) {
    this.place = place;
    this.value = value;
  }

  /**
   * Parses a text.
   *
   * @throws MalformedRecordingException if it is not YAML, or makes use of anchors and aliases
   */
  static RecordingNode parse(String text) {
    try (JsonParser parser = YAMLMapper.shared().createParser(text)) {
      if (parser.nextToken() == null) {
        throw new MalformedRecordingException("line 1, column 1: the file is empty");
      }
      RecordingNode node = node(parser);
      if (parser.nextToken() != null) {
        throw fault(place(parser), "something follows after the recording");
      }
      return node;
    } catch (JacksonException e) {
      // The lines below the first show the file.
      String problem = e.getOriginalMessage().lines().findFirst().orElse("");
      throw fault(place(e.getLocation()), "the file is cut off or no YAML: " + problem);
    }
  }

  private static String place(TokenStreamLocation at) {
    return at == null
        ? "line 1, column 1"
        : "line %d, column %d".formatted(at.getLineNr(), at.getColumnNr());
  }

  private static String place(JsonParser parser) {
    return place(parser.currentTokenLocation());
  }

  private static RecordingNode node(JsonParser parser) {
    String place = place(parser);
    if (parser.getObjectId() != null
        || (parser instanceof YAMLParser yaml && yaml.isCurrentAlias())) {
      throw fault(place, "a recording has no anchors (&name) and no aliases (*name)");
    }
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        Map<String, RecordingNode> members = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          String at = place(parser);
          parser.nextToken();
          if (members.put(name, node(parser)) != null) {
            throw fault(at, "'%s' is there twice".formatted(name));
          }
        }
        yield new RecordingNode(place, members);
      }
      case START_ARRAY -> {
        List<RecordingNode> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          items.add(node(parser));
        }
        yield new RecordingNode(place, items);
      }
      default -> new RecordingNode(place, String.valueOf(parser.getString()));
    };
  }

  private static MalformedRecordingException fault(String place, String message) {
    return new MalformedRecordingException(place + ": " + message);
  }

  MalformedRecordingException fault(String message) {
    return fault(place, message);
  }

  /**
   * Makes something of this node.
   *
   * @throws MalformedRecordingException with the node's place, if it throws an
   *     IllegalArgumentException
   */
  <T> T checked(Function<RecordingNode, T> make) {
    try {
      return make.apply(this);
    } catch (IllegalArgumentException e) {
      throw fault(String.valueOf(e.getMessage()));
    }
  }

  private Map<?, ?> members() {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw fault("names and values are expected here");
  }

  /** The members, of a node whose names are not known in advance. */
  Map<String, RecordingNode> all() {
    Map<String, RecordingNode> all = new LinkedHashMap<>();
    members().forEach((name, node) -> all.put((String) name, (RecordingNode) node));
    return all;
  }

  /** Refuses members other than these. */
  void only(String... names) {
    Set<String> known = Set.of(names);
    all()
        .forEach((name, node) -> {
          if (!known.contains(name)) {
            throw node.fault(
                "there is no '%s' here, only %s".formatted(name, String.join(", ", names)));
          }
        });
  }

  Optional<RecordingNode> optional(String name) {
    return Optional.ofNullable(members().get(name)).map(RecordingNode.class::cast);
  }

  RecordingNode required(String name) {
    return optional(name).orElseThrow(() -> fault("'%s' is missing".formatted(name)));
  }

  List<RecordingNode> list() {
    if (value instanceof List<?> list) {
      return list.stream().map(RecordingNode.class::cast).toList();
    }
    throw fault("a list is expected here");
  }

  /** The nodes of a list that may be left out. */
  List<RecordingNode> list(String name) {
    return optional(name).map(RecordingNode::list).orElse(List.of());
  }

  String text() {
    if (value instanceof String text) {
      return text;
    }
    throw fault("a text is expected here");
  }

  /** A number of at most 64 bits, decimal or hexadecimal. */
  long bits64() {
    String text = text();
    try {
      return text.startsWith("0x")
          ? Long.parseUnsignedLong(text.substring(2), HEXADECIMAL)
          : Long.parseUnsignedLong(text);
    } catch (NumberFormatException _) {
      throw fault("a number is like 4096 or \"0x1000\" and below 2^64, not '%s'".formatted(text));
    }
  }

  /**
   * A number.
   *
   * @param most the largest that it may be
   */
  int integer(int most) {
    long number = bits64();
    if (Long.compareUnsigned(number, most) > 0) {
      throw fault("%s is more than %d".formatted(Long.toUnsignedString(number), most));
    }
    return (int) number;
  }

  /** A constant of an enum, by its word. */
  <E extends Enum<E>> E oneOf(Class<E> kind, Function<E, String> word) {
    String text = text();
    return Arrays.stream(kind.getEnumConstants())
        .filter(one -> word.apply(one).equals(text))
        .findFirst()
        .orElseThrow(() ->
            fault(
                "'%s' is none of %s"
                    .formatted(
                        text,
                        Arrays.stream(kind.getEnumConstants())
                            .map(word)
                            .collect(Collectors.joining(", ")))));
  }

  /** The word of a constant, as recordings have it. */
  static String word(Enum<?> one) {
    return one.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
