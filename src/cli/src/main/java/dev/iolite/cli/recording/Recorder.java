package dev.iolite.cli.recording;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.Capability;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.Platform;
import dev.iolite.mock.core.IommuUnit;
import dev.iolite.mock.core.ReservedRegion;
import dev.iolite.mock.recording.RecordedFunction;
import dev.iolite.mock.recording.Recording;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.tdi.profile.ProfileProbe;
import dev.iolite.tsm.Profile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Records a machine. Everything is read from sysfs and procfs, and asked of {@code /dev/kvm} and
 * {@code /dev/iommu}, and nothing is changed. Only a function that vfio-pci has and nobody uses is
 * opened for a moment, which resets it, as VFIO does whenever it is opened or closed.
 */
public final class Recorder {
  private static final String IOMMUS = "/sys/class/iommu";
  private static final String GROUPS = "/sys/kernel/iommu_groups/";
  private static final int HEXADECIMAL = 16;

  private final Kernel kernel;
  private final SysFs files;
  private final boolean keepsIds;
  private final Consumer<String> notes;

  /**
   * Prepares a recording.
   *
   * @param keepsIds whether serial numbers stay in it
   * @param notes what could not be recorded, and why
   */
  public Recorder(Kernel kernel, boolean keepsIds, Consumer<String> notes) {
    this.kernel = kernel;
    this.files = new SysFs(kernel);
    this.keepsIds = keepsIds;
    this.notes = notes;
  }

  /**
   * Records the machine.
   *
   * @param wanted the functions to record, with those that they depend on; all if it is empty
   * @throws KernelException what the kernel said when sysfs was read
   * @throws dev.iolite.kernel.PreconditionException if a function is not there, or this user may
   *     not read its configuration space
   */
  public Recording record(List<PciAddress> wanted) {
    List<IommuUnit> iommus = iommus();
    Pci pci = new Pci(kernel);
    Set<PciAddress> needed = Needed.of(pci, files, wanted);
    FunctionReader reader = new FunctionReader(kernel, iommus, keepsIds, notes);
    List<RecordedFunction> functions =
        pci
            .each(device ->
                Optional.of(device).filter(one -> needed.contains(one.address())).map(reader::read))
            .stream()
            .flatMap(Optional::stream)
            .toList();
    Map<String, Integer> capabilities = capabilities();
    return new Recording(
        platform(capabilities),
        profile(),
        HostReader.facts(files),
        HostReader.physicalAddressBits(files),
        iommus,
        groups(functions),
        functions,
        files.listIfPresent("/sys/class/tsm"),
        capabilities.isEmpty() ? Optional.empty() : Optional.of(capabilities));
  }

  /** The IOMMUs whose registers the kernel shows. */
  private List<IommuUnit> iommus() {
    List<IommuUnit> units = new ArrayList<>();
    for (String name : files.listIfPresent(IOMMUS).orElse(List.of())) {
      String directory = IOMMUS + "/" + name;
      files
          .readIfPresent(directory + "/intel-iommu/cap")
          .ifPresent(cap ->
              units.add(
                  new IommuUnit(
                      name,
                      IommuUnit.Kind.INTEL_VTD,
                      hex(cap),
                      hex(files.read(directory + "/intel-iommu/ecap")))));
      files
          .readIfPresent(directory + "/amd-iommu/features")
          .map(features -> features.split(":", -1))
          .ifPresent(features ->
              units.add(
                  new IommuUnit(
                      name,
                      IommuUnit.Kind.AMD_VI,
                      hex(features[0]),
                      features.length > 1 ? hex(features[1]) : 0)));
    }
    return units;
  }

  private static long hex(String digits) {
    return Long.parseUnsignedLong(digits, HEXADECIMAL);
  }

  private List<Recording.Group> groups(List<RecordedFunction> functions) {
    return functions.stream()
        .flatMapToInt(function -> function.placement().group().stream())
        .distinct()
        .sorted()
        .mapToObj(id ->
            new Recording.Group(
                id,
                files.read(GROUPS + id + "/type"),
                files
                    .read(GROUPS + id + "/reserved_regions")
                    .lines()
                    .map(Recorder::region)
                    .toList()))
        .toList();
  }

  /** A line such as {@code 0x00000000fee00000 0x00000000feefffff msi}. */
  private static ReservedRegion region(String line) {
    String[] words = line.split(" ", -1);
    return new ReservedRegion(
        hex(words[0].substring(2)),
        hex(words[1].substring(2)),
        Arrays.stream(ReservedRegion.Kind.values())
            .filter(kind -> kind.word().equals(words[2]))
            .findFirst()
            .orElse(ReservedRegion.Kind.RESERVED));
  }

  /** What KVM has, by name; empty if there is no KVM, or this user may not use it. */
  private Map<String, Integer> capabilities() {
    Map<String, Integer> values = new LinkedHashMap<>();
    try (Kvm kvm = Kvm.open(kernel)) {
      for (Capability capability : Capability.all()) {
        int value = kvm.check(capability);
        if (value != 0) {
          values.put(capability.name(), value);
        }
      }
    } catch (KernelException e) {
      if (e.errno() != Errno.ENOENT && e.errno() != Errno.EACCES && e.errno() != Errno.ENODEV) {
        throw e;
      }
    }
    return values;
  }

  private static Platform platform(Map<String, Integer> capabilities) {
    int types = capabilities.getOrDefault(Capability.VM_TYPES.name(), 0);
    if ((types & 1 << VmType.TDX.number()) != 0) {
      return Platform.TDX;
    }
    return (types & 1 << VmType.SNP.number()) != 0 ? Platform.SEV : Platform.PLAIN;
  }

  /** Opening the node would load a module that is not loaded; then there is no proposal, either. */
  private Profile profile() {
    boolean isLoaded =
        files.read("/proc/misc").lines().anyMatch(line -> line.strip().endsWith(" iommu"));
    if (!isLoaded) {
      return Profile.MAINLINE_7_3;
    }
    try (Iommufd iommufd = Iommufd.open(kernel)) {
      return ProfileProbe.probe(iommufd).orElse(Profile.MAINLINE_7_3);
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.EACCES) {
        return Profile.MAINLINE_7_3;
      }
      throw e;
    }
  }
}
