package dev.iolite.steps;

import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.TsmState;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What this process holds of devices and guests, and which driver and TSM a device has, for a
 * comparison of before and after. A memory mapping holds a device just as a descriptor does.
 *
 * <p>Descriptors that the Java runtime opens for its own use do not count. For selectors, and for
 * virtual threads that wait for a socket, it opens eventpolls, and eventfds to wake them. Nothing
 * in this library uses eventpolls, so all of them are the runtime's, and so is everything that they
 * watch.
 *
 * @param descriptors its descriptors of these kinds, and what each refers to
 * @param mappings its mappings of such files
 * @param driver the device's driver; empty if it has none
 * @param driverOverride the only driver that may bind it, if one was set
 * @param tsm the TSM that is connected to it; empty if there is none
 */
public record Holdings(
    List<String> descriptors,
    List<String> mappings,
    Optional<String> driver,
    Optional<String> driverOverride,
    Optional<String> tsm) {
  private static final Pattern OURS =
      Pattern.compile("iommu|vfio\\d+|kvm|anon_inode:.*|dmabuf:.*|memfd:.*");

  private static final String EVENT_POLL = "anon_inode:[eventpoll]";

  /** What an eventpoll watches, as its fdinfo says (fs/eventpoll.c:ep_show_fdinfo). */
  private static final Pattern WATCHED = Pattern.compile("^tfd: *(\\d+) ", Pattern.MULTILINE);

  /** How the line of a mapping ends whose file has no path. */
  private static final String NO_PATH = " anon_inode:";

  /** What is held now. */
  public static Holdings of(Kernel kernel, PciAddress address) {
    SysFs files = new SysFs(kernel);
    PciDevice device = new Pci(kernel).device(address);
    List<String> mappings =
        files
            .read("/proc/self/maps")
            .lines()
            .map(Holdings::lastName)
            .filter(OURS.asMatchPredicate())
            .sorted()
            .toList();
    return new Holdings(
        descriptors(files),
        mappings,
        device.driver(),
        device.driverOverride(),
        device.tsm().flatMap(TsmState::connect));
  }

  private static List<String> descriptors(SysFs files) {
    Map<String, String> open = new TreeMap<>();
    Set<String> watched = new HashSet<>();
    for (String number : files.list("/proc/self/fd")) {
      String name = files.linkName("/proc/self/fd/" + number).orElse("");
      if (name.equals(EVENT_POLL)) {
        watched.addAll(watchedBy(files, number));
      } else if (OURS.matcher(name).matches()) {
        open.put(number, name);
      }
    }
    open.keySet().removeAll(watched);
    return open.values().stream().sorted().toList();
  }

  /** What an eventpoll watches; nothing if it has been closed meanwhile. */
  private static List<String> watchedBy(SysFs files, String eventPoll) {
    String info = files.readIfPresent("/proc/self/fdinfo/" + eventPoll).orElse("");
    return WATCHED.matcher(info).results().map(found -> found.group(1)).toList();
  }

  /**
   * The last name in a mapping's line. It is found without a pattern, which would search each line
   * anew from each character.
   */
  private static String lastName(String mapping) {
    return mapping.substring(Math.max(mapping.lastIndexOf('/'), mapping.lastIndexOf(NO_PATH)) + 1);
  }

  /**
   * Checks that everything is as it was.
   *
   * @throws ScenarioException if it is not
   */
  public void requireSame(Holdings before) {
    if (!equals(before)) {
      throw new ScenarioException("what is held is now %s, and was %s".formatted(this, before));
    }
  }
}
