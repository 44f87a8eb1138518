package dev.iolite.tdi.host;

import dev.iolite.iommufd.Hwpt;
import dev.iolite.iommufd.HwptFlag;
import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.Viommu;
import dev.iolite.kernel.CloseStack;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.TdiStep;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.vfio.BoundVfioDevice;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/** The vIOMMU that an interface is bound through. */
final class ViommuChoice {
  private ViommuChoice() {}

  /**
   * Makes a vIOMMU, with a page table for it. If the IOMMU does not support nest parents, a vIOMMU
   * of the TSM's type is made from any page table; one of another type cannot be made.
   *
   * @param obstacles receives what the IOMMU lacks for it
   * @return empty if it lacks something
   */
  static Optional<Viommu> make(
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

  private static String without(BoundVfioDevice vfio, String what) {
    return "The driver of the IOMMU in front of %s has no %s, and a TDI is bound through a vDEVICE of one."
        .formatted(vfio.name(), what);
  }
}
