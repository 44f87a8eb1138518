package dev.iolite.tdi.host;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Advice;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.Capability;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.PciRegs;
import dev.iolite.pci.TsmState;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.profile.TdiTarget;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.vfio.BoundVfioDevice;
import java.util.List;
import java.util.Optional;

/**
 * Everything that an assignment holds while the guest has the device, whether or not its interface
 * is bound: the driver, the VM with its memory, the device, its IOAS and vIOMMU.
 *
 * <p>KVM learns of the device before the bind to iommufd, because the bind looks up the device's VM
 * only once. The TSM is connected first, since one of the proposals binds when the vDEVICE is made.
 *
 * @param guest the VM with its memory
 * @param places where the guest has the BARs
 * @param reach whether the device answers at its BARs
 * @param target what its interface is bound through; empty if it cannot be bound here
 * @param obstacles what keeps the interface from being bound, though the kernel has the calls for
 *     it: a sentence for each thing
 */
public record AssignedInterface(
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
  /** Copies the list. */
  public AssignedInterface {
    obstacles = List.copyOf(obstacles);
  }

  public void setCommand(int command) {
    vfio.config().region().write16(PciRegs.COMMAND, (short) command);
  }

  public int readConfig(int offset, int bytes) {
    return (int) vfio.config().region().read(offset, bytes);
  }

  void writeConfig(int offset, int bytes, int value) {
    vfio.config().region().write(offset, bytes, value);
  }

  static void requireReleased(PciDevice pci) {
    pci.tsm()
        .flatMap(TsmState::bound)
        .ifPresent(tsm -> {
          throw new PreconditionException(
              "release " + pci,
              "its interface is still bound by " + tsm,
              new Advice(
                  "the kernel could not unbind it",
                  "dmesg has the TSM's reason",
                  Remedy.RECOVER_BOUND,
                  List.of(pci.address().toString())));
        });
  }

  /** Makes sure that the kernel says that the interface is released. */
  public void requireReleased() {
    requireReleased(pci);
  }

  /** Asks the kernel whether the interface is bound; also false if the kernel cannot say. */
  public boolean isBoundInKernel() {
    return pci.tsm().flatMap(TsmState::bound).isPresent();
  }

  /**
   * Looks for mappings of the BARs in this process, through which the host would reach what becomes
   * private. Not every proposal's kernel checks that.
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
   * Checks that the interface can be bound and the device locked, and that its BARs can then be
   * given to the guest: VFIO revokes the dma-bufs of a device that does not answer. Bus mastering
   * may be off; a guest switches it on when its driver starts.
   *
   * @throws PreconditionException if not
   */
  public void requireLockable() {
    if (!binds()) {
      String missing = String.join(" ", obstacles);
      throw new PreconditionException(
          "bind " + pci.address(),
          "the kernel has calls for it (UAPI profile %s), but: %s"
              .formatted(profile.name(), missing.substring(0, missing.length() - 1)),
          new Advice(
              "the platform, or its firmware, has nothing for confidential devices, or not for this"
                  + " one",
              "dmesg has the driver's reason",
              Remedy.CHECK_HOST));
    }
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

  /**
   * Checks that the kernel can bind an interface at all.
   *
   * @throws PreconditionException if it cannot
   */
  public void requireCalls() {
    if (!profile.bindsTdis()) {
      throw new PreconditionException(
          "bind " + pci.address(),
          "the kernel has no call for it (UAPI profile " + profile.name() + ")",
          new Advice(
              "no released kernel can bind a TDI yet",
              "a kernel with one of the proposals, or a model of it",
              Remedy.USE_MODEL));
    }
  }

  /** Where a byte of a BAR is on the host's bus. */
  public long physical(int bar, long offset) {
    return pci.resources().stream()
            .filter(resource -> resource.index() == bar)
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("there is no BAR " + bar))
            .start()
        + offset;
  }

  /** The number of slots that the VM has left for MMIO. */
  public int slotsLeft() {
    return Math.max(0, guest.vm().check(Capability.NR_MEMSLOTS) - GuestMachine.RAM_SLOTS);
  }

  /** Whether the interface can be bound here. */
  public boolean binds() {
    return target.isPresent();
  }

  public Vm vm() {
    return guest.vm();
  }

  public Vcpu vcpu() {
    return guest.vcpu();
  }
}
