package dev.iolite.tdi.host;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.Viommu;
import dev.iolite.kernel.Advice;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.KernelLog;
import dev.iolite.kernel.PageTableId;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.kvm.VfioKvmDevice;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciDevice;
import dev.iolite.steps.HostSteps;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.TdiStep;
import dev.iolite.tdi.journal.Journal;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.profile.ProfileProbe;
import dev.iolite.tdi.profile.TdiTarget;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ConfigRegion;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/** Makes host and guest ready for a device, step by step. */
public final class Preparation {
  private Preparation() {}

  /** Makes them ready, step by step; closing the steps undoes that. */
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
      obstacles.addAll(TsmConnection.connect(steps, pci, journal));
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
        binds
            ? ViommuChoice.make(steps, profile, iommufd, vfio, ioas, obstacles)
            : Optional.empty();
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
            viommu.map(v -> new TdiTarget(iommufd, v, vfio, options.virtualBdf(), openLog(steps))),
            obstacles);
    switchOn(steps, made);
    return made;
  }

  private static KernelLog openLog(Steps steps) {
    KernelLog log = KernelLog.fromNow(steps.kernel());
    steps.onClose(log::close);
    return log;
  }

  /**
   * Gives the device to vfio-pci.
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
                  AssignedInterface.requireReleased(pci);
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

  /**
   * Checks that KVM can protect the guest. Without this check, the first slot or attribute would
   * fail with an EINVAL that does not say why.
   */
  private static void requireProtection(UapiProfile profile, VmType type, PciDevice pci) {
    if (type == VmType.DEFAULT) {
      throw new PreconditionException(
          "assign " + pci + " to a VM of type " + type,
          "this kernel binds interfaces (UAPI profile "
              + profile.name()
              + "), and the guest of such a VM has nothing private",
          new Advice(
              "no type was chosen",
              "choose a type that protects its guest, of those that KVM offers",
              Remedy.PROTECT_GUEST));
    }
  }

  private static UapiProfile profile(
      AssignmentOptions options, VmType type, Iommufd iommufd, BoundVfioDevice vfio) {
    Profile name;
    if (options.profile().isPresent()) {
      name = options.profile().get();
      ProfileProbe.require(name, iommufd, vfio);
    } else {
      name = ProfileProbe.probe(iommufd, vfio).profile();
    }
    return UapiProfile.of(name, type == VmType.SNP ? Arch.SEV : Arch.TDX);
  }

  /**
   * Makes the guest's requests leave it. If KVM cannot do that, the requests are made on the
   * guest's behalf.
   */
  private static void letRequestsLeave(Steps steps, UapiProfile profile, Vm vm) {
    long calls = profile.hypercallExits();
    if (calls != 0) {
      steps.step(
          TdiStep.LET_REQUESTS_LEAVE,
          () -> vm.exitOnHypercalls(calls),
          does -> does ? "they do" : "this KVM does not let them");
    }
  }

  private static void attach(Steps steps, BoundVfioDevice vfio, PageTableId table) {
    steps.open(
        TdiStep.ATTACH,
        () -> vfio.attach(table),
        attachment -> "through " + attachment.pageTable(),
        "detached");
  }

  /** Switches the device on: memory decode first, for dma-bufs; bus mastering last. */
  private static void switchOn(Steps steps, AssignedInterface made) {
    steps.step(
        TdiStep.SWITCH_ON,
        () -> {
          ConfigRegion config = made.vfio().config();
          int command = config.command();
          steps.undo(TdiStep.SWITCH_ON, "as before", () -> made.setCommand(command));
          config.setMemoryDecode(true);
          config.setBusMaster(true);
          return "PCI_COMMAND 0x%x, was 0x%x".formatted(config.command(), command);
        },
        Function.identity());
  }
}
