package dev.iolite.mock.pci;

import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.Edu;
import dev.iolite.mock.device.Ivshmem;
import dev.iolite.mock.device.Nvme;
import dev.iolite.mock.device.TdiRange;
import dev.iolite.mock.device.TdispEndpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What stands in the model's slots: functions, their host drivers, and which of them share an IOMMU
 * group. Changed until a kernel is made of it.
 */
public final class Machine {
  private static final int NOT_TRANSLATED = -1;
  private static final int VIRTIO = 0x1af4;
  private static final int RED_HAT = 0x1b36;
  private static final int INTEL = 0x8086;

  private final NavigableMap<Bdf, DeviceModel> functions = new TreeMap<>();
  private final Map<Bdf, String> drivers = new TreeMap<>();
  private final Map<Bdf, Integer> sets = new TreeMap<>();
  private int lastSet;

  /** A machine without devices. */
  public Machine() {}

  /**
   * The lab's machine: what {@code scripts/lab} boots, at the same addresses, but for one device,
   * in whose place there is one with TDISP.
   *
   * <ul>
   *   <li>00:02.0 edu; 00:03.0 nvme; each alone in its IOMMU group
   *   <li>00:04.0 a bridge, and behind it 01:01.0 edu and 01:02.0, which the host uses: one group
   *   <li>00:07.0 a TDISP endpoint, where the lab has an ivshmem, alone in its group
   * </ul>
   */
  public static Machine lab() {
    return lab(Edu.model(), nvme(), TdispEndpoint.model());
  }

  /**
   * The lab's machine under its kernel seed-2025, of which a TSM in software takes three devices
   * for what they are not: all of their BARs is TEE memory, but for MSI-X and page 2 of ivshmem's
   * BAR 2.
   */
  public static Machine seedLab() {
    return lab(
        Edu.model().takenForTee(),
        nvme().takenForTee(),
        Ivshmem.model().takenForTee(new TdiRange(Ivshmem.MEMORY_BAR, 2, 1, TdiRange.NON_TEE)));
  }

  private static DeviceModel nvme() {
    return Nvme.model("IOLITE-LAB-1");
  }

  private static Machine lab(DeviceModel second, DeviceModel third, DeviceModel seventh) {
    return new Machine()
        .function("0000:00:00.0", chip(INTEL, 0x29c0, 0x06_0000))
        .function("0000:00:02.0", second)
        .function("0000:00:03.0", third)
        .driver("0000:00:03.0", "nvme")
        .function("0000:00:04.0", bridge(1))
        .function("0000:00:05.0", virtio(0x1003, 0x07_8000))
        .driver("0000:00:05.0", "virtio-pci")
        .function("0000:00:06.0", virtio(0x1009, 0x00_0200))
        .driver("0000:00:06.0", "virtio-pci")
        .function("0000:00:07.0", seventh)
        .function("0000:00:1f.0", chip(INTEL, 0x2918, 0x06_0100))
        .function("0000:01:01.0", Edu.model())
        .function("0000:01:02.0", virtio(0x1005, 0x00_ff00))
        .driver("0000:01:02.0", "virtio-pci")
        .group("0000:00:04.0", "0000:01:01.0", "0000:01:02.0");
  }

  private static DeviceModel chip(int vendor, int device, int classCode) {
    return DeviceModel.memory(
        DeviceShape.builder(vendor, device).classCode(classCode).withoutInterruptPin().build());
  }

  private static DeviceModel virtio(int device, int classCode) {
    return DeviceModel.memory(
        DeviceShape.builder(VIRTIO, device)
            .subsystem(VIRTIO, device - 0x1000)
            .classCode(classCode)
            .bar(Bar.ports(0, 64))
            .bar(Bar.prefetchable64(4, 16 << 10))
            .build());
  }

  private static DeviceModel bridge(int secondaryBus) {
    return DeviceModel.memory(
        DeviceShape.builder(RED_HAT, 0x0001)
            .classCode(0x06_0400)
            .bar(Bar.memory64(0, 256))
            .bridgeTo(secondaryBus)
            .build());
  }

  /**
   * Plugs a function in, alone in its IOMMU group and without a driver.
   *
   * @param address where, such as {@code 0000:00:02.0}; a function of a bus other than 0 needs the
   *     bridge to it
   * @throws IllegalArgumentException if that is no address, or taken
   */
  public Machine function(String address, DeviceModel model) {
    Bdf bdf = Bdf.parse(address);
    if (functions.putIfAbsent(bdf, model) != null) {
      throw new IllegalArgumentException("there is a function at " + bdf + " already");
    }
    return this;
  }

  /** Lets a driver of the host have the function from the start. */
  public Machine driver(String address, String name) {
    drivers.put(present(address), name);
    return this;
  }

  /** Puts functions into one IOMMU group. */
  public Machine group(String... addresses) {
    lastSet++;
    for (String address : addresses) {
      sets.put(present(address), lastSet);
    }
    return this;
  }

  /** Puts a function where no IOMMU translates for it. */
  public Machine withoutIommu(String address) {
    sets.put(present(address), NOT_TRANSLATED);
    return this;
  }

  private Bdf present(String address) {
    Bdf bdf = Bdf.parse(address);
    if (!functions.containsKey(bdf)) {
      throw new IllegalArgumentException("there is no function at " + bdf);
    }
    return bdf;
  }

  NavigableMap<Bdf, DeviceModel> functions() {
    return functions;
  }

  /** The host drivers, each with the ids of the devices that it has. */
  List<HostDriver> hostDrivers() {
    SortedMap<String, List<Integer>> ids = new TreeMap<>();
    functions.forEach((address, model) -> {
      String driver = drivers.get(address);
      if (driver != null) {
        DeviceShape shape = model.shape();
        ids.computeIfAbsent(driver, _ -> new ArrayList<>())
            .add((shape.vendor() << 16) | shape.device());
      }
    });
    List<HostDriver> made = new ArrayList<>();
    ids.forEach((name, its) -> made.add(new HostDriver(name, its)));
    return made;
  }

  /** The set of functions that share a group with this one; empty: it is alone. */
  Optional<Integer> set(Bdf address) {
    return Optional.ofNullable(sets.get(address));
  }

  boolean isTranslated(Bdf address) {
    return !set(address).equals(Optional.of(NOT_TRANSLATED));
  }
}
