package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Commands on sysfs as it may be: each ends with a right answer or with a message, and those that
 * only read write nothing.
 */
class RandomSysfsTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Path FILE = file();
  private static final String ABSENT = "0000:fe:1f.7";

  private static final List<String> INFO =
      List.of(
          "pci list",
          "pci list -o json",
          "pci show BDF",
          "pci show BDF -o json",
          "tsm list",
          "tsm list -o json",
          "doctor",
          "doctor -o json",
          "doctor -o prometheus --run-dir DIR",
          "doctor -o nfd",
          "kvm info",
          "vfio info BDF",
          "iommu info BDF",
          "tdi states",
          "tdi states -o json",
          "tdi report FILE",
          "tdi report FILE --platform tdx -o json",
          "tdi plan --report FILE",
          "tdi plan --layout FILE -o json",
          "tdi evidence FILE",
          "tdi evidence FILE -o json",
          "tdi show BDF --run-dir DIR",
          "tdi bind BDF --run-dir DIR",
          "tdi unbind BDF --run-dir DIR",
          "tdi show --run-dir DIR");

  private static final List<String> CHANGING =
      List.of("pci bind BDF", "pci unbind BDF", "passthrough", "passthrough BDF");

  private static Cli run(RandomSysfs kernel, String command, String address) {
    String filled =
        command
            .replace("BDF", address)
            .replace("FILE", FILE.toString())
            .replace("DIR", FILE.resolveSibling("run").toString());
    Cli cli = Cli.runOn(kernel, filled.split(" ", -1));
    String said = command + " " + address + ": " + cli.code() + "\n" + cli.out() + cli.err();
    assertThat(cli.code())
        .as(said)
        .isIn(ExitCode.OK, ExitCode.CHECK_FAILED, ExitCode.KERNEL, ExitCode.PRECONDITION);
    assertThat(cli.out() + cli.err())
        .as(said)
        .doesNotContain("Exception")
        .doesNotContain("\tat ")
        .doesNotContain("internal error");
    if (cli.code() == ExitCode.KERNEL) {
      assertThat(cli.err()).as(said).containsPattern("^iolite: \\w+ on .*: E[A-Z]+");
    } else if (cli.code() == ExitCode.PRECONDITION) {
      assertThat(cli.err()).as(said).containsPattern("^iolite: .*\\. Next: \\S");
    }
    assertThat(kernel.openFiles()).as(said).isZero();
    return cli;
  }

  @Property(tries = 120)
  void everyInfoCommandEndsWellAndWritesNothing(@ForAll long seed) throws IOException {
    Random random = new Random(seed);
    for (int i = 0; i < 3; i++) {
      Files.write(FILE, bytes(random));
      RandomSysfs kernel = new RandomSysfs(seed);
      run(kernel, INFO.get(random.nextInt(INFO.size())), one(random, kernel));
      assertThat(kernel.written()).allMatch(path -> !path.startsWith("/sys/"));
    }
  }

  @Property(tries = 40)
  void everyOtherCommandEndsWell(@ForAll long seed) {
    Random random = new Random(seed);
    RandomSysfs kernel = new RandomSysfs(seed);
    run(kernel, CHANGING.get(random.nextInt(CHANGING.size())), one(random, kernel));
    // The first write is refused, so that there is at most that of driver_override, and its undo.
    assertThat(kernel.written()).hasSizeLessThanOrEqualTo(3);
  }

  @Property(tries = 100)
  void whatIsShownIsWhatIsThere(@ForAll long seed) {
    RandomSysfs kernel = new RandomSysfs(seed);
    if (!kernel.staysAsItIs()) {
      return;
    }
    for (String address : kernel.addresses()) {
      Cli cli = run(kernel, "pci show BDF -o json", address);
      if (cli.code() == ExitCode.OK) {
        JsonNode shown = JSON.readTree(cli.out());
        assertThat(shown.get("address").asString()).isEqualTo(address);
        configIsRight(shown, kernel.content(address, "config").orElseThrow());
        resourcesAreRight(shown, text(kernel, address, "resource").orElseThrow());
        assertThat(shown.get("vendor").asInt())
            .isEqualTo(Integer.decode(text(kernel, address, "vendor").orElseThrow()));
      }
    }
  }

  private static void configIsRight(JsonNode shown, byte[] config) {
    boolean ones = Arrays.equals(Arrays.copyOf(config, 64), filled());
    assertThat(shown.get("answers").asBoolean()).isEqualTo(!ones);
    int type = config[0x0e] & 0x7f;
    assertThat(shown.get("headerType").asInt()).isEqualTo(type);
    short status = ByteBuffer.wrap(config).order(ByteOrder.LITTLE_ENDIAN).getShort(6);
    boolean cut = config.length == 64 || (config.length == 128 && type == 2);
    assertThat(shown.get("capabilitiesHidden").asBoolean())
        .isEqualTo(!ones && cut && (status & 0x10) != 0);
    if (cut || ones) {
      assertThat(shown.get("capabilities")).isEmpty();
    }
  }

  private static byte[] filled() {
    byte[] ones = new byte[64];
    Arrays.fill(ones, (byte) -1);
    return ones;
  }

  private static void resourcesAreRight(JsonNode shown, String text) {
    List<String> lines =
        text.lines().limit(7).filter(line -> !line.matches("(0x0+ ?){3}")).toList();
    assertThat(shown.get("resources")).hasSize(lines.size());
    for (int i = 0; i < lines.size(); i++) {
      JsonNode resource = shown.get("resources").get(i);
      String start = lines.get(i).substring(2, 18).replaceFirst("^0+(?=.)", "");
      assertThat(resource.get("start").asString()).isEqualTo("0x" + start);
      assertThat(resource.get("assigned").asBoolean())
          .isEqualTo(!lines.get(i).endsWith("2014220c"));
    }
  }

  private static Optional<String> text(RandomSysfs kernel, String address, String attribute) {
    return kernel
        .content(address, attribute)
        .map(bytes -> new String(bytes, StandardCharsets.UTF_8).strip());
  }

  /** Any bytes, or the beginning of a report or of a message, or a layout that is none. */
  private static byte[] bytes(Random random) {
    byte[] bytes = new byte[random.nextInt(200)];
    random.nextBytes(bytes);
    byte[] start =
        switch (random.nextInt(4)) {
          case 0 -> new byte[] {2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
          case 1 -> new byte[] {(byte) (0x10 + random.nextInt(6)), 0x60, 0, 0, 1, 8, 0, 0, 1, 1};
          case 2 -> "bars: [{bar: 0, size: 64K, private: [".getBytes(StandardCharsets.UTF_8);
          default -> new byte[0];
        };
    System.arraycopy(start, 0, bytes, 0, Math.min(start.length, bytes.length));
    return bytes;
  }

  private static Path file() {
    try {
      Path directory = Files.createTempDirectory("iolite");
      directory.toFile().deleteOnExit();
      Path file = Files.createTempFile(directory, "input", ".bin");
      file.toFile().deleteOnExit();
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String one(Random random, RandomSysfs kernel) {
    return kernel.addresses().isEmpty()
        ? ABSENT
        : kernel.addresses().get(random.nextInt(kernel.addresses().size()));
  }
}
