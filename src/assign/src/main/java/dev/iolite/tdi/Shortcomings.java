package dev.iolite.tdi;

import dev.iolite.kernel.Kernel;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import dev.iolite.tdi.host.TsmConnection;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tdi.profile.UapiProfile;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What a host lacks for the private half of an assignment. */
public final class Shortcomings {
  private Shortcomings() {}

  /**
   * Asks the host; changes nothing.
   *
   * @param profile the calls that its kernel has
   * @param type the type of the guest's VM; one that software protects is sufficient
   * @return a sentence for each shortcoming
   * @throws dev.iolite.kernel.KernelException what the kernel said about sysfs or KVM
   */
  public static List<String> of(
      Kernel kernel, PciAddress address, UapiProfile profile, VmType type) {
    List<String> missing = new ArrayList<>();
    PciDevice device = new Pci(kernel).device(address);
    try (Kvm kvm = Kvm.open(kernel)) {
      Set<VmType> types = kvm.vmTypes();
      if (type != VmType.SW_PROTECTED
          && !types.contains(VmType.TDX)
          && !types.contains(VmType.SNP)) {
        missing.add("KVM can make no confidential VM: it offers " + types + ", not TDX or SNP.");
      }
    }
    missing.addAll(TsmConnection.missing(new Tsm(kernel), device));
    Set<TsmOperation> has = profile.operations();
    if (!has.contains(TsmOperation.BIND)) {
      missing.add("The kernel has no call that binds a TDI (step 3).");
    }
    if (!has.contains(TsmOperation.READ_REPORT) && !has.contains(TsmOperation.LIST_RUNS)) {
      missing.add("Nothing tells a VMM which bytes of a BAR are private (step 4).");
    }
    if (!has.contains(TsmOperation.READ_MEASUREMENTS)) {
      missing.add("Nothing lets a VMM read the device's measurements for its guest.");
    }
    if (!has.contains(TsmOperation.EXPORT_PRIVATE)) {
      missing.add("VFIO makes no private dma-buf (step 4).");
    }
    if (!has.contains(TsmOperation.PRIVATE_SLOT)) {
      missing.add(
          has.contains(TsmOperation.VALIDATE_MMIO)
              ? "KVM has no slot for private MMIO (step 6): the TSM maps what the guest validates."
              : "KVM has no slot for private MMIO (step 6).");
    }
    return missing;
  }
}
