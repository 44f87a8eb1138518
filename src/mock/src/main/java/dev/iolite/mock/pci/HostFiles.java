package dev.iolite.mock.pci;

import dev.iolite.mock.core.MiscDevice;
import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.Tree;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/**
 * What procfs and sysfs show about the rest of the machine: processor, limits, mounts, interfaces.
 */
public final class HostFiles {
  private static final String DEVICES =
      """
      Character devices:
       10 misc
      248 vfio-dev
      249 vfio
      251 nvme

      Block devices:
      259 blkext\
      """;

  private static final String LIMITS =
      """
      Limit                     Soft Limit           Hard Limit           Units
      Max open files            1048576              1048576              files
      Max locked memory         unlimited            unlimited            bytes\
      """;

  private static final String STATUS =
      """
      Name:\tjava
      Uid:\t0\t0\t0\t0
      Gid:\t0\t0\t0\t0
      CapEff:\t000001ffffffffff\
      """;

  private static final String MOUNTS =
      """
      2 1 0:3 / / rw - rootfs rootfs rw
      21 2 0:19 / /proc rw,relatime - proc proc rw
      22 2 0:20 / /sys rw,relatime - sysfs sysfs rw
      23 2 0:9 / /dev rw,relatime - devtmpfs dev rw\
      """;

  private HostFiles() {}

  /** Adds them to the tree. */
  public static void addTo(Tree tree, PciBus bus, HostFacts facts) {
    tree.add("/proc/cpuinfo", Nodes.text(facts.processorText()));
    tree.add("/proc/devices", Nodes.text(DEVICES));
    tree.add("/proc/iomem", Nodes.text(() -> memory(bus)));
    tree.add("/proc/misc", Nodes.text(() -> MiscDevice.list(tree)));
    tree.add("/proc/swaps", Nodes.text("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority"));
    tree.add("/proc/sys/kernel/osrelease", Nodes.text(facts.release()));
    String process = "/proc/" + ProcessHandle.current().pid();
    tree.add(process + "/mountinfo", Nodes.text(MOUNTS));
    tree.add(process + "/limits", Nodes.text(LIMITS));
    tree.add(process + "/status", Nodes.text(STATUS));
    tree.add("/sys/class/tsm", Nodes.directory(Map.of()));
    tree.add("/sys/class/net", Nodes.directory(Map.of("lo", loLink())));
    tree.add(
        "/sys/devices/virtual/net/lo", Nodes.directory(Map.of("operstate", Nodes.text("unknown"))));
    facts
        .hugePages()
        .forEach((size, count) ->
            tree.add("/sys/kernel/mm/hugepages/" + size + "/nr_hugepages", Nodes.text(count)));
    if (!facts.transparentHugePages().isEmpty()) {
      tree.add(
          "/sys/kernel/mm/transparent_hugepage/enabled", Nodes.text(facts.transparentHugePages()));
    }
  }

  /** The BARs, and within them the parts that the host holds (kernel/resource.c:r_show). */
  private static String memory(PciBus bus) {
    StringJoiner lines = new StringJoiner("\n");
    for (PciDev device : bus.devices()) {
      for (int bar = 0; bar < PciDev.ROM; bar++) {
        IoResource resource = device.resource(bar);
        if (resource.isMemory()) {
          String range =
              "%08x-%08x : ".formatted(resource.start(), resource.start() + resource.bytes() - 1);
          lines.add(range + device);
          Optional.ofNullable(device.holders().get(bar))
              .ifPresent(holder -> lines.add("  " + range + holder));
        }
      }
    }
    return lines.toString();
  }

  private static Node loLink() {
    return Nodes.link("../../devices/virtual/net/lo");
  }
}
