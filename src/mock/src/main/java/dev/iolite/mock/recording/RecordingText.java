package dev.iolite.mock.recording;

import dev.iolite.mock.core.IommuUnit;
import dev.iolite.mock.core.ReservedRegion;
import dev.iolite.mock.pci.IoResource;
import dev.iolite.mock.pci.Placement;
import dev.iolite.mock.pci.VfioSeen;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Recordings as the text of a file that {@link RecordingFile} reads. */
public final class RecordingText {
  private static final String INDENT = "  ";

  private final StringBuilder text = new StringBuilder();

  private RecordingText() {}

  /** The text of a recording. */
  public static String of(Recording recording) {
    RecordingText writer = new RecordingText();
    writer.write(recording);
    return writer.text.toString();
  }

  private void write(Recording recording) {
    line(0, "recording: " + RecordingFile.VERSION);
    line(0, "host:");
    line(1, "kernel: " + quoted(recording.facts().release()));
    line(1, "platform: " + recording.platform());
    line(1, "profile: " + recording.profile());
    line(1, "processors: " + recording.facts().processors());
    line(1, "processor:");
    recording
        .facts()
        .processor()
        .forEach((name, value) -> line(2, quoted(name) + ": " + quoted(value)));
    line(1, "physical-address-bits: " + recording.physicalAddressBits());
    line(1, "huge-pages: " + texts(recording.facts().hugePages()));
    if (!recording.facts().transparentHugePages().isEmpty()) {
      line(1, "transparent-huge-pages: " + quoted(recording.facts().transparentHugePages()));
    }
    recording
        .capabilities()
        .ifPresent(values -> {
          line(0, "kvm:");
          line(1, "capabilities:");
          values.forEach(
              (name, value) -> line(2, quoted(name) + ": " + Integer.toUnsignedString(value)));
        });
    recording.tsms().ifPresent(names -> line(0, "tsms: " + list(names)));
    line(0, recording.iommus().isEmpty() ? "iommus: []" : "iommus:");
    recording.iommus().forEach(unit -> line(1, "- " + iommu(unit)));
    line(0, recording.groups().isEmpty() ? "groups: []" : "groups:");
    recording.groups().forEach(this::group);
    line(0, recording.functions().isEmpty() ? "functions: []" : "functions:");
    recording.functions().forEach(this::function);
  }

  private static String iommu(IommuUnit unit) {
    return "{name: %s, kind: %s, features: %s, more-features: %s}"
        .formatted(
            quoted(unit.name()),
            RecordingNode.word(unit.kind()),
            hex(unit.features()),
            hex(unit.moreFeatures()));
  }

  private void group(Recording.Group group) {
    line(1, "- id: " + group.id());
    line(2, "type: " + quoted(group.type()));
    line(2, group.reserved().isEmpty() ? "reserved: []" : "reserved:");
    for (ReservedRegion region : group.reserved()) {
      line(
          3,
          "- {first: %s, last: %s, kind: %s}"
              .formatted(hex(region.first()), hex(region.last()), region.kind().word()));
    }
  }

  private void function(RecordedFunction function) {
    RecordedFunction.Ids ids = function.ids();
    Placement placement = function.placement();
    line(1, "- address: " + quoted(function.address().toString()));
    line(2, "vendor: " + hex(ids.vendor(), 4));
    line(2, "device: " + hex(ids.device(), 4));
    line(2, "subsystem-vendor: " + hex(ids.subsystemVendor(), 4));
    line(2, "subsystem-device: " + hex(ids.subsystemDevice(), 4));
    line(2, "class: " + hex(ids.classCode(), 6));
    line(2, "revision: " + hex(ids.revision(), 2));
    placement.driver().ifPresent(name -> line(2, "driver: " + quoted(name)));
    placement.driverOverride().ifPresent(name -> line(2, "driver-override: " + quoted(name)));
    placement.iommu().ifPresent(name -> line(2, "iommu: " + quoted(name)));
    placement.group().ifPresent(id -> line(2, "group: " + id));
    line(2, "irq: " + Integer.toUnsignedString(placement.irq()));
    line(2, "reset-methods: " + list(placement.resetMethods()));
    if (!placement.attributes().isEmpty()) {
      line(2, "attributes: " + texts(placement.attributes()));
    }
    function
        .physicalFunction()
        .ifPresent(address -> line(2, "physical-function: " + quoted(address.toString())));
    function
        .sriov()
        .ifPresent(can ->
            line(
                2,
                "sriov: {total: %d, offset: %d, stride: %d}"
                    .formatted(can.total(), can.offset(), can.stride())));
    if (function.tsm()) {
      line(2, "tsm: true");
    }
    placement.vfio().ifPresent(this::vfio);
    resources(placement.resources());
    line(2, "config-bytes: " + function.config().size());
    line(2, "config: |");
    ConfigText.of(function.config()).lines().forEach(each -> line(3, each));
  }

  private void vfio(VfioSeen seen) {
    line(2, "vfio:");
    line(3, seen.regions().isEmpty() ? "regions: []" : "regions:");
    for (VfioSeen.Region region : seen.regions()) {
      line(
          4,
          "- {index: %d, bytes: %s, flags: %s}"
              .formatted(region.index(), hex(region.bytes()), hex(region.flags())));
    }
    line(3, seen.irqs().isEmpty() ? "irqs: []" : "irqs:");
    for (VfioSeen.Irq irq : seen.irqs()) {
      line(
          4,
          "- {index: %d, count: %d, flags: %s}"
              .formatted(irq.index(), irq.count(), hex(irq.flags())));
    }
  }

  private void resources(Map<Integer, IoResource> resources) {
    line(2, resources.isEmpty() ? "resources: []" : "resources:");
    new TreeMap<>(resources)
        .forEach((index, resource) ->
            line(
                3,
                "- {index: %d, start: %s, end: %s, flags: %s}"
                    .formatted(
                        index,
                        hex(resource.start()),
                        hex(resource.start() + resource.bytes() - 1),
                        hex(resource.flags()))));
  }

  private void line(int depth, String content) {
    text.append(INDENT.repeat(depth)).append(content).append('\n');
  }

  private static String list(List<String> words) {
    return words.stream().map(RecordingText::quoted).collect(Collectors.joining(", ", "[", "]"));
  }

  private static String texts(Map<String, String> texts) {
    List<String> members = new ArrayList<>();
    new TreeMap<>(texts).forEach((name, each) -> members.add(quoted(name) + ": " + quoted(each)));
    return "{" + String.join(", ", members) + "}";
  }

  private static String hex(long value) {
    return "\"0x%x\"".formatted(value);
  }

  private static String hex(long value, int digits) {
    return "\"0x%s\"".formatted(("%0" + digits + "x").formatted(value));
  }

  /** A text in double quotes, as JSON and YAML have it. */
  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    text.codePoints()
        .forEach(point -> {
          if (point == '"' || point == '\\') {
            quoted.append('\\').appendCodePoint(point);
          } else if (point < ' ' || point == 0x7f || point > 0x7f) {
            escape(quoted, point);
          } else {
            quoted.appendCodePoint(point);
          }
        });
    return quoted.append('"').toString();
  }

  private static void escape(StringBuilder quoted, int point) {
    for (char unit : Character.toChars(point)) {
      quoted.append("\\u%04x".formatted((int) unit));
    }
  }
}
