package dev.iolite.tdi.profile;

import dev.iolite.tsm.Arch;
import dev.iolite.uapi.catalog.TsmV6Ioctls;
import java.util.List;

/**
 * The iommufd calls with an operation and an architecture in each request, at numbers that are free
 * in 7.3. There is no call to read the report: its authors intend evidence to be read through
 * netlink.
 */
final class V6Profile {
  private V6Profile() {}

  static List<Ability> abilities(TsmCaller caller, Arch arch) {
    TsmOp op = new TsmOp(caller, TsmV6Ioctls.IOMMU_VDEVICE_TSM_OP);
    ArchRequest request = new ArchRequest(caller, TsmV6Ioctls.IOMMU_VDEVICE_TSM_REQ, arch);
    return arch == Arch.SEV ? List.of(op, new SevRequests(request), request) : List.of(op, request);
  }
}
