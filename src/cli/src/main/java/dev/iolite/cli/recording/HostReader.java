package dev.iolite.cli.recording;

import dev.iolite.kernel.SysFs;
import dev.iolite.mock.pci.HostFacts;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what a host says about its kernel, its processors and its memory. */
final class HostReader {
  private static final String HUGE_PAGES = "/sys/kernel/mm/hugepages";

  /** What is the same for all processors, and for all machines of a kind. */
  private static final Set<String> KEPT =
      Set.of(
          "vendor_id", "cpu family", "model", "model name", "stepping", "flags", "address sizes");

  private static final Pattern ADDRESS_BITS =
      Pattern.compile("(?m)^address sizes\\s*: (\\d+) bits physical");
  private static final int USUAL_ADDRESS_BITS = 46;

  private HostReader() {}

  static HostFacts facts(SysFs files) {
    List<String> processors = files.read("/proc/cpuinfo").lines().toList();
    Map<String, String> hugePages = new TreeMap<>();
    for (String size : files.listIfPresent(HUGE_PAGES).orElse(List.of())) {
      hugePages.put(size, files.read(HUGE_PAGES + "/" + size + "/nr_hugepages"));
    }
    return new HostFacts(
        files.read("/proc/sys/kernel/osrelease"),
        (int) processors.stream().filter(line -> name(line).equals("processor")).count(),
        processor(processors),
        hugePages,
        files.readIfPresent("/sys/kernel/mm/transparent_hugepage/enabled").orElse(""));
  }

  /** What is said about the first one. */
  private static Map<String, String> processor(List<String> lines) {
    Map<String, String> kept = new LinkedHashMap<>();
    lines.stream()
        .takeWhile(line -> !line.isBlank())
        .filter(line -> KEPT.contains(name(line)))
        .forEach(line -> kept.put(name(line), line.substring(line.indexOf(':') + 1).strip()));
    return kept;
  }

  private static String name(String line) {
    return line.substring(0, Math.max(0, line.indexOf(':'))).strip();
  }

  static int physicalAddressBits(SysFs files) {
    Matcher bits = ADDRESS_BITS.matcher(files.read("/proc/cpuinfo"));
    return bits.find() ? Integer.parseInt(bits.group(1)) : USUAL_ADDRESS_BITS;
  }
}
