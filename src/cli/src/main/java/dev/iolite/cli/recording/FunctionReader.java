package dev.iolite.cli.recording;

import dev.iolite.doctor.DeviceInspection;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.core.IommuUnit;
import dev.iolite.mock.device.ConfigImage;
import dev.iolite.mock.pci.Bdf;
import dev.iolite.mock.pci.IoResource;
import dev.iolite.mock.pci.Placement;
import dev.iolite.mock.pci.VfioSeen;
import dev.iolite.mock.recording.RecordedFunction;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.PciRegs;
import dev.iolite.vfio.VfioInfo;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Reads a PCI function as far as a recording has it. */
final class FunctionReader {
  private static final String VFIO = "vfio-pci";

  /** If somebody uses it, if this user may not, and if it demands a VF token. */
  private static final Set<Errno> NOT_OPENED =
      EnumSet.of(Errno.EBUSY, Errno.EINVAL, Errno.EACCES, Errno.EPERM, Errno.ENOENT);

  private static final int CAP_VPD = 0x03;
  private static final int ECAP_SERIAL = 0x03;
  private static final int SERIAL_BYTES = 8;

  /** Of the Vital Product Data, the address and the data that were read last. */
  private static final int VPD_AT = 2;

  private static final int VPD_BYTES = 6;

  /** Files that say more about a function; none of them has an id of a single device. */
  private static final List<String> ATTRIBUTES =
      List.of(
          "ari_enabled",
          "boot_vga",
          "consistent_dma_mask_bits",
          "current_link_speed",
          "current_link_width",
          "dma_mask_bits",
          "local_cpulist",
          "local_cpus",
          "max_link_speed",
          "max_link_width",
          "msi_bus",
          "numa_node");

  private final Kernel kernel;
  private final SysFs files;
  private final List<IommuUnit> iommus;
  private final boolean keepsIds;
  private final Consumer<String> notes;

  FunctionReader(Kernel kernel, List<IommuUnit> iommus, boolean keepsIds, Consumer<String> notes) {
    this.kernel = kernel;
    this.notes = notes;
    files = new SysFs(kernel);
    this.iommus = iommus;
    this.keepsIds = keepsIds;
  }

  RecordedFunction read(PciDevice device) {
    return new RecordedFunction(
        Bdf.parse(device.address().toString()),
        new RecordedFunction.Ids(
            device.vendor(),
            device.device(),
            device.subsystemVendor(),
            device.subsystemDevice(),
            device.classCode(),
            number(device, "revision")),
        placement(device),
        config(device),
        device.physicalFunction().map(PciAddress::toString).map(Bdf::parse),
        files
            .readIfPresent(device.path() + "/sriov_totalvfs")
            .map(total ->
                new RecordedFunction.Sriov(
                    Integer.parseInt(total),
                    number(device, "sriov_offset"),
                    number(device, "sriov_stride"))),
        device.tsm().isPresent());
  }

  private int number(PciDevice device, String attribute) {
    return (int) (long) Long.decode(files.read(device.path() + "/" + attribute));
  }

  private Placement placement(PciDevice device) {
    Map<String, String> attributes = new TreeMap<>();
    for (String name : ATTRIBUTES) {
      files.readIfPresent(device.path() + "/" + name).ifPresent(text -> attributes.put(name, text));
    }
    Optional<String> iommu =
        files
            .linkName(device.path() + "/iommu")
            .filter(name -> iommus.stream().anyMatch(unit -> unit.name().equals(name)));
    boolean isTranslated = device.hasIommu();
    return new Placement(
        resources(device),
        number(device, "irq"),
        device.driver(),
        device.driverOverride(),
        iommu.filter(_ -> isTranslated),
        device
            .iommuGroup()
            .filter(_ -> isTranslated)
            .map(group -> OptionalInt.of(group.id()))
            .orElse(OptionalInt.empty()),
        device.resetMethods(),
        vfio(device),
        attributes);
  }

  /** To ask VFIO is to open the function, so one that a host driver has or needs is left alone. */
  private Optional<VfioSeen> vfio(PciDevice device) {
    if (!device.driver().equals(Optional.of(VFIO))) {
      return Optional.empty();
    }
    try (DeviceInspection inspection =
        new DeviceInspection(kernel, device.address(), Optional.empty())) {
      VfioInfo info = inspection.vfio();
      return Optional.of(
          new VfioSeen(
              info.regions().stream()
                  .filter(region -> region.bytes() > 0)
                  .map(
                      region -> new VfioSeen.Region(region.index(), region.bytes(), region.flags()))
                  .toList(),
              info.irqs().stream()
                  .filter(irq -> irq.count() > 0)
                  .map(irq -> new VfioSeen.Irq(irq.index(), irq.count(), irq.flags()))
                  .toList()));
    } catch (KernelException e) {
      if (!NOT_OPENED.contains(e.errno())) {
        throw e;
      }
      leftOut(
          device,
          "somebody uses it, this user may not, or it demands a VF token (%s)"
              .formatted(e.errno()));
    } catch (PreconditionException e) {
      leftOut(device, e.observed());
    }
    return Optional.empty();
  }

  private void leftOut(PciDevice device, String reason) {
    notes.accept(device.address() + ": VFIO's regions and interrupts are left out: " + reason);
  }

  private Map<Integer, IoResource> resources(PciDevice device) {
    Map<Integer, IoResource> resources = new TreeMap<>();
    int index = 0;
    for (String line : files.read(device.path() + "/resource").lines().toList()) {
      String[] words = line.split(" ", -1);
      long start = hex(words[0]);
      long end = hex(words[1]);
      long flags = hex(words[2]);
      if (flags != 0) {
        resources.put(index, new IoResource(start, end - start + 1, flags));
      }
      index++;
    }
    return resources;
  }

  private static long hex(String number) {
    return HexFormat.fromHexDigitsToLong(number, 2, number.length());
  }

  private ConfigImage config(PciDevice device) {
    byte[] bytes = files.readBytes(device.path() + "/config");
    if (bytes.length < PciRegs.CONVENTIONAL_BYTES) {
      throw new PreconditionException(
          "record " + device,
          "only %d bytes of its configuration space can be read".formatted(bytes.length),
          "this process is not root's, or has no CAP_SYS_ADMIN",
          "run it as root, with CAP_SYS_ADMIN");
    }
    ConfigImage image = awake(bytes);
    return keepsIds ? image : withoutIds(image);
  }

  /** In D0: whether it sleeps depends on the moment, as the kernel suspends what nobody uses. */
  private static ConfigImage awake(byte[] bytes) {
    byte[] inD0 = bytes.clone();
    new ConfigImage(bytes)
        .capability(PciRegs.CAP_PM)
        .ifPresent(pm -> inD0[pm + PciRegs.PM_CTRL] &= ~PciRegs.PM_CTRL_STATE);
    return new ConfigImage(inD0);
  }

  /** The serial number, which network devices make from their MAC address. */
  private static ConfigImage withoutIds(ConfigImage image) {
    ConfigImage blanked = image;
    OptionalInt serial = image.extended(ECAP_SERIAL);
    if (serial.isPresent()) {
      blanked = blanked.blanked(serial.getAsInt() + 4, SERIAL_BYTES);
    }
    OptionalInt vpd = image.capability(CAP_VPD);
    if (vpd.isPresent()) {
      blanked = blanked.blanked(vpd.getAsInt() + VPD_AT, VPD_BYTES);
    }
    return blanked;
  }
}
