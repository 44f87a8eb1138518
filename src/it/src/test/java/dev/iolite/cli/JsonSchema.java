package dev.iolite.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.StringNode;

/**
 * The keywords of JSON Schema (draft 2020-12) that the project's schemas use. A schema with another
 * keyword is refused, so that none is ignored.
 */
final class JsonSchema {
  private static final Set<String> KEYWORDS =
      Set.of(
          "$schema",
          "$id",
          "$defs",
          "$ref",
          "title",
          "description",
          "type",
          "const",
          "enum",
          "pattern",
          "minimum",
          "maximum",
          "required",
          "properties",
          "propertyNames",
          "additionalProperties",
          "items",
          "anyOf");

  private final JsonNode root;

  JsonSchema(JsonNode root) {
    this.root = root;
  }

  /** The places in a value that break the schema, with the keyword that they break. */
  List<String> problems(JsonNode value) {
    List<String> problems = new ArrayList<>();
    check(root, value, "", problems);
    return problems;
  }

  private void check(JsonNode schema, JsonNode value, String at, List<String> problems) {
    for (String keyword : schema.propertyNames()) {
      if (!KEYWORDS.contains(keyword)) {
        throw new AssertionError("this does not know the keyword " + keyword);
      }
      JsonNode demand = schema.get(keyword);
      boolean holds =
          switch (keyword) {
            case "type" ->
                demand.isArray()
                    ? demand.valueStream().anyMatch(type -> isOfType(value, type.asString()))
                    : isOfType(value, demand.asString());
            case "anyOf" -> demand.valueStream().anyMatch(each -> isAccepted(each, value));
            case "const" -> value.equals(demand);
            case "enum" -> demand.valueStream().anyMatch(value::equals);
            case "pattern" ->
                !value.isString()
                    || Pattern.compile(demand.asString()).matcher(value.asString()).find();
            case "minimum" -> !value.isNumber() || value.asLong() >= demand.asLong();
            case "maximum" -> !value.isNumber() || value.asLong() <= demand.asLong();
            case "required" ->
                !value.isObject()
                    || demand.valueStream().allMatch(name -> value.has(name.asString()));
            case "additionalProperties" -> !demand.isBoolean() || hasOnly(schema, value);
            default -> true;
          };
      if (!holds) {
        problems.add(at + " breaks " + keyword + " " + demand);
      }
    }
    if (schema.has("$ref")) {
      check(root.at(schema.get("$ref").asString().substring(1)), value, at, problems);
    }
    if (value.isArray() && schema.has("items")) {
      for (int i = 0; i < value.size(); i++) {
        check(schema.get("items"), value.get(i), at + "/" + i, problems);
      }
    }
    if (value.isObject()) {
      value.propertyNames().forEach(name -> member(schema, value, name, at + "/" + name, problems));
    }
  }

  private boolean isAccepted(JsonNode schema, JsonNode value) {
    List<String> problems = new ArrayList<>();
    check(schema, value, "", problems);
    return problems.isEmpty();
  }

  private void member(
      JsonNode schema, JsonNode value, String name, String at, List<String> problems) {
    if (schema.has("propertyNames")) {
      check(schema.get("propertyNames"), StringNode.valueOf(name), at, problems);
    }
    if (schema.path("properties").has(name)) {
      check(schema.get("properties").get(name), value.get(name), at, problems);
    } else if (schema.path("additionalProperties").isObject()) {
      check(schema.get("additionalProperties"), value.get(name), at, problems);
    }
  }

  private static boolean hasOnly(JsonNode schema, JsonNode value) {
    return value.propertyNames().stream().allMatch(schema.path("properties")::has);
  }

  private static boolean isOfType(JsonNode value, String type) {
    return switch (type) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isString();
      case "integer" -> value.isIntegralNumber();
      case "number" -> value.isNumber();
      case "null" -> value.isNull();
      case "boolean" -> value.isBoolean();
      default -> throw new AssertionError("this does not know the type " + type);
    };
  }
}
