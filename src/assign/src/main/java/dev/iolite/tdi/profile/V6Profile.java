package dev.iolite.tdi.profile;

import dev.iolite.tsm.Arch;
import dev.iolite.uapi.catalog.TsmV6Ioctls;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import java.util.List;

/**
 * The iommufd calls with an operation and an architecture in each request, at numbers that are free
 * in 7.3. There is no call to read the report: its authors intend evidence to be read through
 * netlink.
 *
 * <p>The vIOMMU on TDX and the exits of x86 guests are not part of the proposal. They are those of
 * the lab's kernel v6, which has them in common with seed-2025.
 */
final class V6Profile {
  private V6Profile() {}

  static List<Ability> abilities(TsmCaller caller, Arch arch) {
    TsmOp op = new TsmOp(caller, TsmV6Ioctls.IOMMU_VDEVICE_TSM_OP);
    ArchRequest request = new ArchRequest(caller, TsmV6Ioctls.IOMMU_VDEVICE_TSM_REQ, arch);
    Ability exits = new Ability.HypercallExits(1L << TsmSeed2025.KVM_HC_TSM());
    return switch (arch) {
      case CCA -> List.of(op, request);
      case SEV -> List.of(op, new SevRequests(request), request, exits);
      case TDX -> List.of(op, request, new Ability.TsmViommus(), exits);
    };
  }
}
