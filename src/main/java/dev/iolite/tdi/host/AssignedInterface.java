package dev.iolite.tdi.host;

import dev.iolite.iommufd.Hwpt;
import dev.iolite.iommufd.HwptFlag;
import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.Viommu;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.PageTableId;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.Capability;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.VfioKvmDevice;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import dev.iolite.pci.TsmState;
import dev.iolite.steps.HostSteps;
import dev.iolite.steps.ScenarioException;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.Shortcomings;
import dev.iolite.tdi.TdiStep;
import dev.iolite.tdi.journal.Journal;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.profile.Arch;
import dev.iolite.tdi.profile.ProfileName;
import dev.iolite.tdi.profile.ProfileProbe;
import dev.iolite.tdi.profile.TdiTarget;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ConfigRegion;
import dev.iolite.vfio.Region;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * What an assignment holds as long as the device is the guest's, whether its interface is bound or
 * not: the driver, the VM with its memory, the device, its IOAS and vIOMMU.
 *
 * <p>KVM is told of the device before the bind to iommufd, because the bind looks up the device's
 * VM once. The TSM is connected before, since one of the proposals binds with the vDEVICE.
 */
public final class AssignedInterface {
  private static final int COMMAND = 4;

  private final PciDevice pci;
  private final GuestMachine guest;
  private final BoundVfioDevice vfio;
  private final Iommufd iommufd;
  private final Ioas ioas;
  private final GuestRam ram;
  private final UapiProfile profile;
  private final BarPlaces places;
  private final DeviceReach reach;
  private final Optional<TdiTarget> target;
  private final List<String> obstacles;

  private AssignedInterface(
      PciDevice pci,
      GuestMachine guest,
      BoundVfioDevice vfio,
      Iommufd iommufd,
      Ioas ioas,
      GuestRam ram,
      UapiProfile profile,
      BarPlaces places,
      DeviceReach reach,
      Optional<TdiTarget> target,
      List<String> obstacles) {
    this.pci = pci;
    this.guest = guest;
    this.vfio = vfio;
    this.iommufd = iommufd;
    this.ioas = ioas;
    this.ram = ram;
    this.profile = profile;
    this.places = places;
    this.reach = reach;
    this.target = target;
    this.obstacles = obstacles;
  }

  /** Makes it, step by step; closing the steps takes it back. */
  public static AssignedInterface make(
      Steps steps, AssignmentOptions options, Journal journal, Ledger ledger) {
    PciDevice pci =
        steps.step(
            TdiStep.FIND_DEVICE,
            () -> new Pci(steps.kernel()).device(options.address()),
            found -> "%04x:%04x".formatted(found.vendor(), found.device()));
    AtomicBoolean ours = new AtomicBoolean();
    giveToVfio(steps, pci, journal, ours);
    GuestMachine guest = GuestMachine.make(steps, options);
    VfioKvmDevice vfioKvm =
        steps.step(TdiStep.MAKE_KVM_DEVICE, guest.vm()::createVfioDevice, VfioKvmDevice::toString);
    Iommufd iommufd = HostSteps.openIommufd(steps);
    BoundVfioDevice vfio = HostSteps.bind(steps, pci, vfioKvm, iommufd, options.vfToken());
    ours.set(true);
    UapiProfile profile = chooseProfile(steps, options, guest.vm(), iommufd, vfio);
    List<String> obstacles = new ArrayList<>();
    if (profile.bindsTdis()) {
      letRequestsLeave(steps, profile, guest.vm());
      obstacles.addAll(connect(steps, pci, journal));
      if (obstacles.isEmpty()) {
        requireProtection(profile, guest.vm().type(), pci);
      }
    }
    Ioas ioas =
        steps.open(
            TdiStep.MAKE_IOAS,
            iommufd::allocIoas,
            i -> i.id().toString(),
            "nothing referred to it");
    boolean binds = profile.bindsTdis() && obstacles.isEmpty();
    Optional<Viommu> viommu =
        binds ? makeViommu(steps, profile, iommufd, vfio, ioas, obstacles) : Optional.empty();
    attach(steps, vfio, viommu.<PageTableId>map(Viommu::pageTable).orElse(ioas.id()));
    BarPlaces places =
        steps.step(TdiStep.PLACE_BARS, () -> BarPlaces.choose(vfio), BarPlaces::toString);
    DeviceReach reach =
        steps.step(
            TdiStep.FIND_REACH,
            () -> DeviceReach.of(vfio.config().region()),
            DeviceReach::toString);
    GuestRam ram = new GuestRam(guest.vm(), ioas, guest.memory(), ledger);
    guest.giveRam(steps, ram, ledger);
    guest.finish(steps);
    AssignedInterface made =
        new AssignedInterface(
            pci,
            guest,
            vfio,
            iommufd,
            ioas,
            ram,
            profile,
            places,
            reach,
            viommu.map(v -> new TdiTarget(iommufd, v, vfio, options.virtualBdf())),
            List.copyOf(obstacles));
    made.switchOn(steps);
    return made;
  }

  /**
   * Gives it to vfio-pci.
   *
   * @param ours whether it is bound to our iommufd, so that no other process can have it bound
   */
  private static void giveToVfio(Steps steps, PciDevice pci, Journal journal, AtomicBoolean ours) {
    String before =
        steps.step(
            TdiStep.LOOK_FOR_DRIVER, () -> pci.driver().orElse("no driver"), Function.identity());
    CloseStack driver = new CloseStack();
    steps.step(
        TdiStep.GIVE_TO_VFIO,
        "was with " + before,
        () -> {
          pci.requireAssignable();
          Map<String, String> was = new LinkedHashMap<>();
          pci.driver().ifPresent(d -> was.put("driver", d));
          pci.driverOverride().ifPresent(o -> was.put("override", o));
          journal.driver(was);
          steps.undo(
              TdiStep.GIVE_TO_VFIO,
              "with " + before + " again",
              () -> {
                if (ours.get()) {
                  requireReleased(pci);
                }
                driver.close();
              });
          driver.push(DriverBinding.bind(pci, "vfio-pci"));
        });
  }

  private static UapiProfile chooseProfile(
      Steps steps, AssignmentOptions options, Vm vm, Iommufd iommufd, BoundVfioDevice vfio) {
    return steps.step(
        TdiStep.FIND_PROFILE,
        () -> {
          UapiProfile chosen = profile(options, vm.type(), iommufd, vfio);
          steps.know(chosen.ioctls());
          return chosen;
        },
        chosen -> "UAPI profile " + chosen.name());
  }

  /** Without this the first slot or attribute fails, with an EINVAL that does not say why. */
  private static void requireProtection(UapiProfile profile, VmType type, PciDevice pci) {
    if (type == VmType.DEFAULT) {
      throw new PreconditionException(
          "assign " + pci + " to a VM of type " + type,
          "this kernel binds interfaces (UAPI profile "
              + profile.name()
              + "), and the guest of such a VM has nothing private",
          "no type was chosen",
          "--vm tdx, --vm snp or --vm sw-protected, whichever iolite kvm info shows");
    }
  }

  private static UapiProfile profile(
      AssignmentOptions options, VmType type, Iommufd iommufd, BoundVfioDevice vfio) {
    ProfileName name;
    if (options.profile().isPresent()) {
      name = options.profile().get();
      ProfileProbe.require(name, iommufd, vfio);
    } else {
      name = ProfileProbe.probe(iommufd, vfio).profile();
    }
    return UapiProfile.of(name, type == VmType.SNP ? Arch.SEV : Arch.TDX);
  }

  /** A guest whose KVM can't do that has its requests made for it. */
  private static void letRequestsLeave(Steps steps, UapiProfile profile, Vm vm) {
    long calls = profile.hypercallExits();
    if (calls != 0) {
      steps.step(
          TdiStep.LET_REQUESTS_LEAVE,
          () -> vm.exitOnHypercalls(calls),
          does -> does ? "they do" : "this KVM does not let them");
    }
  }

  /**
   * Connects a TSM.
   *
   * @return what keeps every TSM from the device; nothing if one is connected
   */
  private static List<String> connect(Steps steps, PciDevice pci, Journal journal) {
    Tsm tsms = new Tsm(steps.kernel());
    Optional<String> connected =
        steps.step(
            TdiStep.LOOK_FOR_CONNECTION,
            () -> pci.tsm().flatMap(TsmState::connect),
            found -> found.orElse("none is"));
    if (connected.isPresent()) {
      return List.of();
    }
    List<String> missing = new ArrayList<>();
    String tsm =
        steps.step(
            TdiStep.FIND_TSM,
            () -> {
              missing.addAll(Shortcomings.ofTsm(tsms, pci));
              return missing.isEmpty() ? tsms.only() : "none that can be connected";
            },
            Function.identity());
    if (!missing.isEmpty()) {
      return missing;
    }
    steps.step(
        TdiStep.CONNECT_TSM,
        "by " + tsm,
        () -> {
          journal.connecting(tsm);
          steps.undo(
              TdiStep.CONNECT_TSM,
              "from " + tsm,
              () -> {
                // Somebody else may have done so; it may also never have been connected.
                if (pci.tsm().flatMap(TsmState::connect).equals(Optional.of(tsm))) {
                  tsms.disconnect(pci, tsm);
                }
              });
          tsms.connect(pci, tsm);
        });
    return List.of();
  }

  /**
   * Makes a vIOMMU, with a page table for it. Where the IOMMU has no nest parents, one of the TSM's
   * is made of any page table; others can't be made then.
   *
   * @param obstacles is told what the IOMMU lacks for it
   * @return empty if it lacks something
   */
  private static Optional<Viommu> makeViommu(
      Steps steps,
      UapiProfile profile,
      Iommufd iommufd,
      BoundVfioDevice vfio,
      Ioas ioas,
      List<String> obstacles) {
    AtomicBoolean isNestParent = new AtomicBoolean(true);
    Hwpt table =
        steps.open(
            TdiStep.MAKE_HWPT,
            () ->
                iommufd
                    .allocHwpt(vfio.deviceId(), ioas, Set.of(HwptFlag.NEST_PARENT))
                    .or(() -> {
                      isNestParent.set(false);
                      return iommufd.allocHwpt(vfio.deviceId(), ioas, Set.of());
                    })
                    .orElseThrow(
                        () -> new IllegalStateException("a page table without properties")),
            made ->
                made.id()
                    + (isNestParent.get() ? "" : ", no nest parent: the IOMMU's driver has none"),
            "destroyed");
    if (!isNestParent.get() && profile.needsNestParent()) {
      obstacles.add(without(vfio, "nested page tables"));
      return Optional.empty();
    }
    CloseStack opened = new CloseStack();
    Optional<Viommu> viommu =
        steps.step(
            TdiStep.MAKE_VIOMMU,
            () -> {
              Optional<Viommu> made =
                  iommufd.allocViommu(vfio.deviceId(), table, profile.viommuType());
              made.ifPresent(opened::push);
              String undone = made.isPresent() ? "destroyed" : "there was none";
              steps.undo(TdiStep.MAKE_VIOMMU, undone, opened::close);
              return made;
            },
            made ->
                made.map(v -> v.id() + " of type " + v.type())
                    .orElse("there are none of type " + profile.viommuType()));
    if (viommu.isEmpty()) {
      obstacles.add(without(vfio, "vIOMMUs of type " + profile.viommuType()));
    }
    return viommu;
  }

  private static void attach(Steps steps, BoundVfioDevice vfio, PageTableId table) {
    steps.open(
        TdiStep.ATTACH,
        () -> vfio.attach(table),
        attachment -> "through " + attachment.pageTable(),
        "detached");
  }

  private static String without(BoundVfioDevice vfio, String what) {
    return "The driver of the IOMMU in front of %s has no %s, and a TDI is bound through a vDEVICE of one."
        .formatted(vfio.name(), what);
  }

  /** Memory decode first, for dma-bufs; bus mastering last. */
  private void switchOn(Steps steps) {
    steps.step(
        TdiStep.SWITCH_ON,
        () -> {
          ConfigRegion config = vfio.config();
          int command = config.command();
          steps.undo(TdiStep.SWITCH_ON, "as before", () -> setCommand(command));
          config.setMemoryDecode(true);
          config.setBusMaster(true);
          return "PCI_COMMAND 0x%x, was 0x%x".formatted(config.command(), command);
        },
        Function.identity());
  }

  public void setCommand(int command) {
    vfio.config().region().write16(COMMAND, (short) command);
  }

  public int readConfig(int offset, int bytes) {
    Region config = vfio.config().region();
    return switch (bytes) {
      case 1 -> Byte.toUnsignedInt(config.read8(offset));
      case 2 -> Short.toUnsignedInt(config.read16(offset));
      case 4 -> config.read32(offset);
      default -> throw new IllegalArgumentException("a config access of " + bytes + " bytes");
    };
  }

  void writeConfig(int offset, int bytes, int value) {
    Region config = vfio.config().region();
    switch (bytes) {
      case 1 -> config.write8(offset, (byte) value);
      case 2 -> config.write16(offset, (short) value);
      case 4 -> config.write32(offset, value);
      default -> throw new IllegalArgumentException("a config access of " + bytes + " bytes");
    }
  }

  private static void requireReleased(PciDevice pci) {
    pci.tsm()
        .flatMap(TsmState::bound)
        .ifPresent(tsm -> {
          throw new PreconditionException(
              "release " + pci,
              "its interface is still bound by " + tsm,
              "the kernel could not unbind it",
              "dmesg has the TSM's reason; iolite tdi recover " + pci);
        });
  }

  /** Asks the kernel. */
  public void requireReleased() {
    requireReleased(pci);
  }

  /** Asks the kernel whether the interface is bound; false too if it can't say. */
  public boolean isBoundInKernel() {
    return pci.tsm().flatMap(TsmState::bound).isPresent();
  }

  /**
   * Looks for mappings of the BARs in this process, by which the host would reach what becomes
   * private. Not every proposal's kernel looks.
   *
   * @throws ScenarioException if there is one
   */
  public void requireUnmapped() {
    String cdev = pci.requireVfioCdev();
    new SysFs(vfio.fd().kernel())
        .read("/proc/self/maps")
        .lines()
        .filter(mapping -> mapping.endsWith(cdev))
        .findFirst()
        .ifPresent(mapping -> {
          throw new ScenarioException(
              "this process has %s still mapped: %s".formatted(pci, mapping));
        });
  }

  /**
   * Looks whether the device can be locked and its BARs be given to the guest then: VFIO revokes
   * the dma-bufs of a device that does not answer. Bus mastering may be off; a guest switches it on
   * when its driver starts.
   *
   * @throws PreconditionException if it can't
   */
  public void requireLockable() {
    if (reach.isAsleep()) {
      throw new PreconditionException(
          "lock " + pci,
          "the kernel may suspend the device",
          "it was put to sleep and not woken",
          "wake it first");
    }
    if (!reach.answers()) {
      throw new PreconditionException(
          "lock " + pci,
          "it does not answer at its BARs: memory decode is off, or it sleeps",
          "the guest has switched it off, or has not yet switched it on after a reset",
          "the guest sets bit 1 of PCI_COMMAND, then binds");
    }
  }

  /** How many slots the VM has left for MMIO. */
  public int slotsLeft() {
    return Math.max(0, guest.vm().check(Capability.NR_MEMSLOTS) - GuestMachine.RAM_SLOTS);
  }

  /** Whether the interface can be bound here. */
  public boolean binds() {
    return target.isPresent();
  }

  /** What keeps the interface from being bound, though the kernel has the calls for it. */
  public List<String> obstacles() {
    return obstacles;
  }

  public TdiTarget target() {
    return target.orElseThrow();
  }

  public PciDevice pci() {
    return pci;
  }

  public Vm vm() {
    return guest.vm();
  }

  public Vcpu vcpu() {
    return guest.vcpu();
  }

  public BoundVfioDevice vfio() {
    return vfio;
  }

  public Iommufd iommufd() {
    return iommufd;
  }

  public Ioas ioas() {
    return ioas;
  }

  public GuestRam ram() {
    return ram;
  }

  public UapiProfile profile() {
    return profile;
  }

  public BarPlaces places() {
    return places;
  }

  public DeviceReach reach() {
    return reach;
  }
}
