package dev.iolite.mock.recording;

import dev.iolite.mock.Platform;
import dev.iolite.mock.core.IommuUnit;
import dev.iolite.mock.core.ReservedRegion;
import dev.iolite.mock.pci.Bdf;
import dev.iolite.mock.pci.HostFacts;
import dev.iolite.mock.pci.IoResource;
import dev.iolite.mock.pci.PciDev;
import dev.iolite.mock.pci.Placement;
import dev.iolite.mock.pci.VfioSeen;
import dev.iolite.pci.PciRegs;
import dev.iolite.tsm.Profile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/**
 * Reads recordings of machines, which are YAML files; {@link RecordingText} writes them. What is
 * not understood is refused, with its line and column.
 */
public final class RecordingFile {
  /** The version of the format that is written, and the newest that is read. */
  static final int VERSION = 1;

  /** The reader of YAML takes no more. */
  private static final int MOST_BYTES = 3 << 20;

  private static final int RESOURCES = 17;
  private static final int SIXTEEN_BITS = 0xffff;
  private static final int MOST_ADDRESS_BITS = 52;
  private static final int LEAST_ADDRESS_BITS = 32;
  private static final int MOST_PROCESSORS = 1 << 16;

  private final Set<String> iommus = new HashSet<>();
  private final Set<Integer> groups = new HashSet<>();
  private final RecordedShape shapes = new RecordedShape();

  private RecordingFile() {}

  /**
   * Reads a file.
   *
   * @throws IOException if it can't be read
   * @throws MalformedRecordingException if it can't be understood, or describes something that no
   *     machine can be; the message has the line and the column
   */
  public static Recording read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw new MalformedRecordingException("it has more than %d bytes".formatted(MOST_BYTES));
      }
      return parse(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (MalformedRecordingException e) {
      throw new MalformedRecordingException(file + ", " + e.getMessage());
    } catch (CharacterCodingException _) {
      throw new MalformedRecordingException(file + " is no text in UTF-8");
    }
  }

  /**
   * Does what {@link #read} does, for a text.
   *
   * @throws MalformedRecordingException if it can't be understood, or describes something that no
   *     machine can be; the message has the line and the column
   */
  public static Recording parse(String text) {
    return new RecordingFile().recording(RecordingNode.parse(text));
  }

  private Recording recording(RecordingNode file) {
    RecordingNode version = file.required("recording");
    int number = version.integer(Integer.MAX_VALUE);
    if (number != VERSION) {
      throw version.fault(
          "this recording has version %d, and only version %d is known here"
              .formatted(number, VERSION));
    }
    file.only("recording", "host", "kvm", "tsms", "iommus", "groups", "functions");
    RecordingNode host = file.required("host");
    host.only(
        "kernel",
        "platform",
        "profile",
        "processors",
        "processor",
        "physical-address-bits",
        "huge-pages",
        "transparent-huge-pages");
    List<IommuUnit> units = file.list("iommus").stream().map(this::iommu).toList();
    List<Recording.Group> all = file.list("groups").stream().map(this::group).toList();
    return new Recording(
        host.required("platform").oneOf(Platform.class, Platform::toString),
        host.required("profile").oneOf(Profile.class, Profile::toString),
        facts(host),
        addressBits(host.required("physical-address-bits")),
        units,
        all,
        functions(file),
        file.optional("tsms").map(node -> node.list().stream().map(RecordingNode::text).toList()),
        file.optional("kvm").map(RecordingFile::capabilities));
  }

  private static HostFacts facts(RecordingNode host) {
    Map<String, String> processor = new LinkedHashMap<>();
    host.required("processor").all().forEach((name, value) -> processor.put(name, value.text()));
    Map<String, String> hugePages = new TreeMap<>();
    host.optional("huge-pages")
        .ifPresent(node ->
            node.all().forEach((size, count) -> hugePages.put(name(count, size), count.text())));
    return new HostFacts(
        host.required("kernel").text(),
        host.required("processors").integer(MOST_PROCESSORS),
        processor,
        hugePages,
        host.optional("transparent-huge-pages").map(RecordingNode::text).orElse(""));
  }

  private static int addressBits(RecordingNode node) {
    int bits = node.integer(MOST_ADDRESS_BITS);
    if (bits < LEAST_ADDRESS_BITS) {
      throw node.fault(
          "physical addresses have %d to %d bits".formatted(LEAST_ADDRESS_BITS, MOST_ADDRESS_BITS));
    }
    return bits;
  }

  /** A name that becomes one of a file. */
  private static String name(RecordingNode at, String name) {
    if (name.isEmpty() || name.startsWith(".") || name.indexOf('/') >= 0) {
      throw at.fault("'%s' is no name of a file".formatted(name));
    }
    return name;
  }

  private static String name(RecordingNode node) {
    return name(node, node.text());
  }

  private static Map<String, Integer> capabilities(RecordingNode kvm) {
    kvm.only("capabilities");
    Map<String, Integer> values = new LinkedHashMap<>();
    kvm.required("capabilities")
        .all()
        .forEach((name, value) -> values.put(name, (int) value.bits64()));
    return values;
  }

  private IommuUnit iommu(RecordingNode node) {
    node.only("name", "kind", "features", "more-features");
    String name = name(node.required("name"));
    if (!iommus.add(name)) {
      throw node.fault("there are two IOMMUs '%s'".formatted(name));
    }
    return new IommuUnit(
        name,
        node.required("kind").oneOf(IommuUnit.Kind.class, RecordingNode::word),
        node.required("features").bits64(),
        node.required("more-features").bits64());
  }

  private Recording.Group group(RecordingNode node) {
    node.only("id", "type", "reserved");
    int id = node.required("id").integer(Integer.MAX_VALUE);
    if (!groups.add(id)) {
      throw node.fault("there are two IOMMU groups %d".formatted(id));
    }
    return new Recording.Group(
        id,
        node.required("type").text(),
        node.list("reserved").stream().map(RecordingFile::region).toList());
  }

  private static ReservedRegion region(RecordingNode node) {
    node.only("first", "last", "kind");
    long first = node.required("first").bits64();
    long last = node.required("last").bits64();
    if (Long.compareUnsigned(last, first) < 0) {
      throw node.fault("a reserved region ends before it begins");
    }
    return new ReservedRegion(
        first,
        last,
        node.required("kind").oneOf(ReservedRegion.Kind.class, ReservedRegion.Kind::word));
  }

  private List<RecordedFunction> functions(RecordingNode file) {
    Map<Bdf, RecordedFunction> all = new TreeMap<>();
    for (RecordingNode node : file.required("functions").list()) {
      RecordedFunction function = function(node);
      if (all.put(function.address(), function) != null) {
        throw node.fault("there are two functions at " + function.address());
      }
      node.checked(_ -> shapes.model(function));
    }
    return List.copyOf(all.values());
  }

  private RecordedFunction function(RecordingNode node) {
    node.only(
        "address",
        "vendor",
        "device",
        "subsystem-vendor",
        "subsystem-device",
        "class",
        "revision",
        "driver",
        "driver-override",
        "iommu",
        "group",
        "irq",
        "reset-methods",
        "attributes",
        "physical-function",
        "sriov",
        "tsm",
        "vfio",
        "resources",
        "config-bytes",
        "config");
    RecordingNode size = node.required("config-bytes");
    int bytes = size.integer(PciRegs.EXTENDED_BYTES);
    return new RecordedFunction(
        address(node.required("address")),
        new RecordedFunction.Ids(
            node.required("vendor").integer(SIXTEEN_BITS),
            node.required("device").integer(SIXTEEN_BITS),
            node.required("subsystem-vendor").integer(SIXTEEN_BITS),
            node.required("subsystem-device").integer(SIXTEEN_BITS),
            node.required("class").integer(0xff_ffff),
            node.required("revision").integer(0xff)),
        placement(node),
        node.required("config").checked(config -> ConfigText.parse(config.text(), bytes)),
        node.optional("physical-function").map(RecordingFile::address),
        node.optional("sriov").map(RecordingFile::sriov),
        node.optional("tsm").map(RecordingFile::flag).orElse(false));
  }

  private static boolean flag(RecordingNode node) {
    return switch (node.text()) {
      case "true" -> true;
      case "false" -> false;
      case String other -> throw node.fault("true or false is expected here, not " + other);
    };
  }

  private static Bdf address(RecordingNode node) {
    return node.checked(text -> Bdf.parse(text.text()));
  }

  private static RecordedFunction.Sriov sriov(RecordingNode node) {
    node.only("total", "offset", "stride");
    return new RecordedFunction.Sriov(
        node.required("total").integer(SIXTEEN_BITS),
        node.required("offset").integer(SIXTEEN_BITS),
        node.required("stride").integer(SIXTEEN_BITS));
  }

  private Placement placement(RecordingNode node) {
    Map<String, String> attributes = new TreeMap<>();
    node.optional("attributes")
        .ifPresent(all ->
            all.all().forEach((name, text) -> attributes.put(name(text, name), text.text())));
    Map<Integer, IoResource> resources = new TreeMap<>();
    for (RecordingNode each : node.list("resources")) {
      each.only("index", "start", "end", "flags");
      int index = each.required("index").integer(RESOURCES - 1);
      if (resources.put(index, resource(index, each)) != null) {
        throw each.fault("there are two resources %d".formatted(index));
      }
    }
    return new Placement(
        resources,
        (int) node.required("irq").bits64(),
        node.optional("driver").map(RecordingFile::name),
        node.optional("driver-override").map(RecordingFile::name),
        node.optional("iommu").map(this::known),
        node.optional("group")
            .map(this::knownGroup)
            .map(OptionalInt::of)
            .orElse(OptionalInt.empty()),
        node.list("reset-methods").stream().map(RecordingNode::text).toList(),
        node.optional("vfio").map(RecordingFile::vfio),
        attributes);
  }

  private static VfioSeen vfio(RecordingNode node) {
    node.only("regions", "irqs");
    List<VfioSeen.Region> regions = new ArrayList<>();
    for (RecordingNode each : node.required("regions").list()) {
      each.only("index", "bytes", "flags");
      regions.add(
          new VfioSeen.Region(
              each.required("index").integer(SIXTEEN_BITS),
              each.required("bytes").bits64(),
              each.required("flags").integer(Integer.MAX_VALUE)));
    }
    List<VfioSeen.Irq> irqs = new ArrayList<>();
    for (RecordingNode each : node.required("irqs").list()) {
      each.only("index", "count", "flags");
      irqs.add(
          new VfioSeen.Irq(
              each.required("index").integer(SIXTEEN_BITS),
              each.required("count").integer(Integer.MAX_VALUE),
              each.required("flags").integer(Integer.MAX_VALUE)));
    }
    return new VfioSeen(regions, irqs);
  }

  private String known(RecordingNode iommu) {
    if (!iommus.contains(iommu.text())) {
      throw iommu.fault("there is no IOMMU '%s' in this recording".formatted(iommu.text()));
    }
    return iommu.text();
  }

  private Integer knownGroup(RecordingNode node) {
    int id = node.integer(Integer.MAX_VALUE);
    if (!groups.contains(id)) {
      throw node.fault("there is no IOMMU group %d in this recording".formatted(id));
    }
    return id;
  }

  private static IoResource resource(int index, RecordingNode node) {
    long start = node.required("start").bits64();
    long end = node.required("end").bits64();
    IoResource resource = new IoResource(start, end - start + 1, node.required("flags").bits64());
    if (index < PciDev.ROM) {
      node.checked(_ -> RecordedShape.bar(index, resource));
    }
    return resource;
  }
}
