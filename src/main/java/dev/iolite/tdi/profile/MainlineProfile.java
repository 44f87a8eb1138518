package dev.iolite.tdi.profile;

import dev.iolite.tdi.plan.Abilities;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.uapi.catalog.Ioctl;
import java.util.List;
import java.util.Set;

/** Linux 7.3: the shared half only. */
final class MainlineProfile extends AbstractProfile {
  MainlineProfile(Arch arch) {
    super(ProfileName.MAINLINE_7_3, arch, Set.of());
  }

  @Override
  public Abilities abilities(int slots) {
    return new Abilities(SharedSlots.BY_ADDRESS, PrivateMmio.NOT_AT_ALL, false, slots);
  }

  @Override
  public TdiBinding bind(TdiTarget target) {
    throw unsupported(TsmOperation.BIND);
  }

  @Override
  public List<Ioctl> ioctls() {
    return List.of();
  }
}
