package dev.iolite.tdi;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.Tsm;
import dev.iolite.tdi.host.TsmConnection;
import dev.iolite.tdi.profile.ProfileProbe;
import java.util.Set;

/** Chooses the type of VM for an assignment if the user has not. */
public final class SuitableVm {
  private SuitableVm() {}

  /**
   * Asks the host; changes nothing. The choice is {@link VmType#SW_PROTECTED} if interfaces can be
   * bound and KVM has that type but no confidential one, as on a machine without a TEE whose TSM is
   * software. If KVM has a confidential type, the choice is left to the user.
   *
   * @return {@link VmType#SW_PROTECTED} or {@link VmType#DEFAULT}; the latter also if the host
   *     cannot be asked; the assignment then reports that better
   */
  public static VmType of(Kernel kernel, PciAddress address) {
    try (Iommufd iommufd = Iommufd.open(kernel);
        Kvm kvm = Kvm.open(kernel)) {
      Set<VmType> types = kvm.vmTypes();
      boolean isOnlyChoice =
          types.contains(VmType.SW_PROTECTED)
              && !types.contains(VmType.TDX)
              && !types.contains(VmType.SNP);
      return isOnlyChoice
              && ProfileProbe.probe(iommufd).isPresent()
              && TsmConnection.missing(new Tsm(kernel), new Pci(kernel).device(address)).isEmpty()
          ? VmType.SW_PROTECTED
          : VmType.DEFAULT;
    } catch (KernelException e) {
      return VmType.DEFAULT;
    }
  }
}
