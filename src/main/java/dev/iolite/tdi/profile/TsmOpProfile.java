package dev.iolite.tdi.profile;

import dev.iolite.iommufd.Vdevice;
import dev.iolite.kernel.Fd;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import java.util.Set;

/**
 * A proposal that binds and unbinds a vDEVICE by IOMMU_VDEVICE_TSM_OP, with a number of its own.
 */
abstract class TsmOpProfile extends AbstractProfile {
  private final TsmOpCall op;

  TsmOpProfile(Profile name, Arch arch, int opNumber, Set<TsmOperation> operations) {
    super(name, arch, operations);
    op = new TsmOpCall(caller(), opNumber);
  }

  final TsmOpCall op() {
    return op;
  }

  /** What a bound vDEVICE can do; it unbinds by {@link TsmOpCall#unbind}. */
  abstract TdiBinding binding(Fd iommufd, Vdevice vdevice);

  @Override
  public final TdiBinding bind(TdiTarget target) {
    Fd iommufd = target.iommufd().fd();
    return bind(
        target,
        vdevice -> {
          op.bind(iommufd, vdevice.id());
          return binding(iommufd, vdevice);
        });
  }
}
