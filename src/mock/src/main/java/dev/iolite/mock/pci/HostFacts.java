package dev.iolite.mock.pci;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a host says about its kernel, its processors and its memory.
 *
 * @param release the kernel's version, as in {@code /proc/sys/kernel/osrelease}
 * @param processors how many processors it has
 * @param processor what {@code /proc/cpuinfo} says of each, in the order of the lines; without the
 *     one that has its number
 * @param hugePages how many huge pages are reserved, by their directory in {@code
 *     /sys/kernel/mm/hugepages}
 * @param transparentHugePages what {@code /sys/kernel/mm/transparent_hugepage/enabled} says; empty
 *     if the kernel has none
 */
public record HostFacts(
    String release,
    int processors,
    Map<String, String> processor,
    Map<String, String> hugePages,
    String transparentHugePages) {
  private static final int TAB = 8;

  /** Copies the maps. */
  public HostFacts {
    processor = Collections.unmodifiableMap(new LinkedHashMap<>(processor));
    hugePages = Map.copyOf(hugePages);
  }

  /** The lab's machine, with one processor. */
  public static HostFacts lab() {
    return new HostFacts(
        "7.3.4", 1, processorOfLab(), Map.of("hugepages-2048kB", "0"), "always [madvise] never");
  }

  private static Map<String, String> processorOfLab() {
    Map<String, String> lines = new LinkedHashMap<>();
    lines.put("vendor_id", "AuthenticAMD");
    lines.put("cpu family", "23");
    lines.put("model", "1");
    lines.put("model name", "AMD EPYC Processor");
    lines.put(
        "flags",
        "fpu tsc msr pae cx8 apic sep cmov mmx fxsr sse sse2 syscall nx lm hypervisor svm");
    lines.put("address sizes", "40 bits physical, 48 bits virtual");
    return lines;
  }

  /** {@code /proc/cpuinfo} (arch/x86/kernel/cpu/proc.c:show_cpuinfo). */
  String processorText() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < processors; i++) {
      text.append("processor\t: ").append(i).append('\n');
      processor.forEach((name, value) ->
          text.append(name)
              .append(name.length() < TAB ? "\t\t: " : "\t: ")
              .append(value)
              .append('\n'));
      text.append('\n');
    }
    return text.toString().stripTrailing();
  }
}
