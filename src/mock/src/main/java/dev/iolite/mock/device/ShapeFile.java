package dev.iolite.mock.device;

import dev.iolite.kernel.ByteSize;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * Reads the shape of a device from a YAML file:
 *
 * <pre>{@code
 * vendor: 0x1234
 * device: 0xcafe
 * class: 0x120000               # 0x00ff00 if it is left out, as are all that follow
 * revision: 1
 * subsystem: {vendor: 0x1af4, device: 0x1100}
 * interrupt-pin: true
 * bars:
 *   - {index: 0, size: 64K, type: memory64}       # memory32, memory64 or ports
 *   - {index: 2, size: 16G, type: memory64, prefetchable: true}
 *   - {index: 4, size: 32K, type: memory32}
 * msi: {vectors: 1}
 * msix: {vectors: 16, table: {bar: 4, offset: 0}, pba: {bar: 4, offset: 0x1000}}
 * express: {flr: true, tee: true, ide: true, extended: [ats, sriov, pri, pasid]}
 * power: {keeps-state: true}
 * tdi:
 *   - {bar: 0, page: 0, pages: 2}
 *   - {bar: 0, page: 2, pages: 1, attributes: [non-tee]}   # msix-table, msix-pba, updatable
 * measurements:                 # a firmware, a configuration and a version if it is left out
 *   - {index: 1, of: firmware, digest: "00aaff"}   # rom, hardware-configuration,
 *                               # firmware-configuration, manifest, device-mode, firmware-version,
 *                               # firmware-security-version; 'raw' in place of 'digest'
 * }</pre>
 *
 * <p>Sizes and offsets are in bytes, decimal or hexadecimal, with K, M, G or T for powers of 1024.
 * A key may appear only once in an object.
 */
public final class ShapeFile {
  private static final int MOST_BYTES = 1 << 20;
  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private ShapeFile() {}

  /**
   * Reads a file.
   *
   * @throws IOException if it can't be read
   * @throws IllegalArgumentException if it describes an impossible device, or can't be understood
   */
  public static DeviceShape read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw new IllegalArgumentException("it has more than %d bytes".formatted(MOST_BYTES));
      }
      return parse(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  /**
   * Does what {@link #read} does, for a text.
   *
   * @throws IllegalArgumentException if it describes an impossible device, or can't be understood
   */
  public static DeviceShape parse(String yaml) {
    try {
      return shape(YAML.readTree(yaml));
    } catch (JacksonException e) {
      int line = Optional.ofNullable(e.getLocation()).map(at -> at.getLineNr()).orElse(1);
      // The lines below the first show the file.
      String problem = e.getOriginalMessage().lines().findFirst().orElse("");
      throw new IllegalArgumentException("line %d is no YAML: %s".formatted(line, problem), e);
    }
  }

  private static DeviceShape shape(JsonNode file) {
    only(
        file,
        "vendor",
        "device",
        "class",
        "revision",
        "subsystem",
        "interrupt-pin",
        "bars",
        "msi",
        "msix",
        "express",
        "power",
        "tdi",
        "measurements");
    DeviceShapeBuilder builder =
        DeviceShape.builder(integer(file, "vendor"), integer(file, "device"));
    if (file.has("class")) {
      builder.classCode(integer(file, "class"));
    }
    if (file.has("revision")) {
      builder.revision(integer(file, "revision"));
    }
    if (file.has("subsystem")) {
      JsonNode board = file.get("subsystem");
      only(board, "vendor", "device");
      builder.subsystem(integer(board, "vendor"), integer(board, "device"));
    }
    if (!flag(file, "interrupt-pin", true)) {
      builder.withoutInterruptPin();
    }
    list(file, "bars").forEach(bar -> builder.bar(bar(bar)));
    if (file.has("msi")) {
      only(file.get("msi"), "vectors");
      builder.msi(integer(file.get("msi"), "vectors"));
    }
    if (file.has("msix")) {
      builder.msiX(msiX(file.get("msix")));
    }
    if (file.has("express")) {
      builder.express(express(file.get("express")));
    }
    if (file.has("power")) {
      only(file.get("power"), "keeps-state");
      builder.power(
          flag(file.get("power"), "keeps-state", true)
              ? DeviceShape.Power.KEEPS_STATE
              : DeviceShape.Power.RESETS);
    }
    if (file.has("tdi")) {
      builder.tdi(
          TdiReport.of(
              list(file, "tdi").valueStream().map(ShapeFile::range).toArray(TdiRange[]::new)));
    }
    if (file.has("measurements")) {
      builder.measurements(
          DeviceMeasurements.of(
              list(file, "measurements")
                  .valueStream()
                  .map(ShapeFile::measurement)
                  .toArray(DeviceMeasurement[]::new)));
    }
    return builder.build();
  }

  private static Bar bar(JsonNode bar) {
    only(bar, "index", "size", "type", "prefetchable");
    Bar.Kind kind =
        switch (text(bar, "type")) {
          case "memory32" -> Bar.Kind.MEMORY_32;
          case "memory64" -> Bar.Kind.MEMORY_64;
          case "ports" -> Bar.Kind.PORTS;
          case String other ->
              throw new IllegalArgumentException(
                  "type is memory32, memory64 or ports, not " + other);
        };
    return new Bar(
        integer(bar, "index"), size(bar, "size"), kind, flag(bar, "prefetchable", false));
  }

  private static MsiX msiX(JsonNode msix) {
    only(msix, "vectors", "table", "pba");
    JsonNode table = required(msix, "table");
    JsonNode pba = required(msix, "pba");
    only(table, "bar", "offset");
    only(pba, "bar", "offset");
    return new MsiX(
        integer(msix, "vectors"),
        integer(table, "bar"),
        size(table, "offset"),
        integer(pba, "bar"),
        size(pba, "offset"));
  }

  private static Express express(JsonNode express) {
    only(express, "flr", "tee", "ide", "extended");
    return new Express(
        flag(express, "flr", false),
        flag(express, "tee", false),
        flag(express, "ide", false),
        list(express, "extended")
            .valueStream()
            .map(name -> extended(name.asString()))
            .collect(Collectors.toSet()));
  }

  private static ExtendedCapability extended(String name) {
    return Arrays.stream(ExtendedCapability.values())
        .filter(one -> one.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("there is no extended capability " + name));
  }

  private static TdiRange range(JsonNode range) {
    only(range, "bar", "page", "pages", "attributes");
    int attributes = 0;
    for (JsonNode attribute : list(range, "attributes")) {
      attributes |=
          switch (attribute.asString()) {
            case "msix-table" -> TdiRange.MSIX_TABLE;
            case "msix-pba" -> TdiRange.MSIX_PBA;
            case "non-tee" -> TdiRange.NON_TEE;
            case "updatable" -> TdiRange.UPDATABLE;
            case String other ->
                throw new IllegalArgumentException("there is no attribute " + other);
          };
    }
    return new TdiRange(
        integer(range, "bar"), size(range, "page"), integer(range, "pages"), attributes);
  }

  private static DeviceMeasurement measurement(JsonNode block) {
    only(block, "index", "of", "digest", "raw");
    int type =
        switch (text(block, "of")) {
          case "rom" -> DeviceMeasurement.ROM;
          case "firmware" -> DeviceMeasurement.FIRMWARE;
          case "hardware-configuration" -> DeviceMeasurement.HARDWARE_CONFIGURATION;
          case "firmware-configuration" -> DeviceMeasurement.FIRMWARE_CONFIGURATION;
          case "manifest" -> DeviceMeasurement.MANIFEST;
          case "device-mode" -> DeviceMeasurement.DEVICE_MODE;
          case "firmware-version" -> DeviceMeasurement.FIRMWARE_VERSION;
          case "firmware-security-version" -> DeviceMeasurement.FIRMWARE_SECURITY_VERSION;
          case String other ->
              throw new IllegalArgumentException("there is no measurement of " + other);
        };
    boolean isRaw = block.has("raw");
    if (isRaw == block.has("digest")) {
      throw new IllegalArgumentException("a measurement has either a 'digest' or 'raw' bytes");
    }
    return new DeviceMeasurement(
        integer(block, "index"),
        isRaw ? type | DeviceMeasurement.RAW : type,
        MemorySegment.ofArray(hex(block, isRaw ? "raw" : "digest")));
  }

  // -- values

  private static void only(JsonNode object, String... keys) {
    if (!object.isObject()) {
      throw new IllegalArgumentException("keys and values are expected where " + object + " is");
    }
    Set<String> known = Set.of(keys);
    for (String key : object.propertyNames()) {
      if (!known.contains(key)) {
        throw new IllegalArgumentException(
            "there is no '%s' here, only %s".formatted(key, String.join(", ", keys)));
      }
    }
  }

  private static JsonNode required(JsonNode object, String key) {
    return object
        .optional(key)
        .orElseThrow(() -> new IllegalArgumentException("'%s' is missing".formatted(key)));
  }

  private static JsonNode list(JsonNode object, String key) {
    JsonNode list = object.path(key);
    if (!list.isArray() && !list.isMissingNode()) {
      throw new IllegalArgumentException("'%s' is a list".formatted(key));
    }
    return list;
  }

  private static String text(JsonNode object, String key) {
    JsonNode value = required(object, key);
    if (!value.isValueNode()) {
      throw new IllegalArgumentException("'%s' is a single value".formatted(key));
    }
    return value.asString();
  }

  /** Digits must be in quotes, because YAML takes some of them for a number. */
  private static byte[] hex(JsonNode object, String key) {
    JsonNode value = required(object, key);
    try {
      if (value.isString()) {
        return HexFormat.of().parseHex(value.asString());
      }
    } catch (IllegalArgumentException _) {
      // Continue as if it were not text.
    }
    throw new IllegalArgumentException(
        "'%s' is pairs of hexadecimal digits in quotes, not %s".formatted(key, value));
  }

  private static boolean flag(JsonNode object, String key, boolean usual) {
    if (!object.has(key)) {
      return usual;
    }
    return switch (text(object, key)) {
      case "true" -> true;
      case "false" -> false;
      case String other ->
          throw new IllegalArgumentException("'%s' is true or false, not %s".formatted(key, other));
    };
  }

  private static int integer(JsonNode object, String key) {
    return Math.clamp(size(object, key), Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  /** A number, perhaps with a unit. */
  private static long size(JsonNode object, String key) {
    String text = text(object, key);
    try {
      return ByteSize.parse(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "'%s' is a number, perhaps with K, M, G or T behind it, not %s".formatted(key, text), e);
    }
  }
}
