package dev.iolite.tdi.profile;

import static dev.iolite.tdi.profile.TsmOperation.BIND;
import static dev.iolite.tdi.profile.TsmOperation.SET_STATE;
import static dev.iolite.tdi.profile.TsmOperation.UNBIND;
import static dev.iolite.tdi.profile.TsmOperation.VALIDATE_MMIO;

import dev.iolite.iommufd.Vdevice;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.Ioctl;
import dev.iolite.tdi.plan.Abilities;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.uapi.tsmv6.TsmV6;
import java.util.List;

/**
 * The iommufd calls with an operation and an architecture in each request, with numbers that are
 * free in 7.3. There is no call to read the report: its authors intend evidence to travel over
 * netlink.
 */
final class V6Profile extends TsmOpProfile {
  private final ArchRequest request;

  V6Profile(Arch arch) {
    super(
        ProfileName.V6,
        arch,
        TsmV6.IOMMU_VDEVICE_TSM_OP(),
        withDma(arch, BIND, UNBIND, SET_STATE, VALIDATE_MMIO));
    request = new ArchRequest(caller(), TsmV6.IOMMU_VDEVICE_TSM_REQ(), arch);
  }

  @Override
  public Abilities abilities(int slots) {
    return new Abilities(SharedSlots.BY_ADDRESS, PrivateMmio.BY_TSM, false, slots);
  }

  @Override
  TdiBinding binding(Fd iommufd, Vdevice vdevice) {
    return new Binding(iommufd, vdevice);
  }

  @Override
  public List<Ioctl> ioctls() {
    return List.of(op().command(), request.command());
  }

  private final class Binding extends ArchBinding {
    Binding(Fd iommufd, Vdevice vdevice) {
      super(V6Profile.this, request, iommufd, vdevice);
    }

    @Override
    void unbind() {
      op().unbind(iommufd(), vdevice().id());
    }
  }
}
