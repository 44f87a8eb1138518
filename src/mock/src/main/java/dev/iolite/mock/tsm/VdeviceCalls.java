package dev.iolite.mock.tsm;

import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.GuestDeviceCalls;
import dev.iolite.mock.core.IommuDevice;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Consumer;

/**
 * Calls that name a vDEVICE. Destroying the vDEVICE unbinds it.
 *
 * @param made what making a vDEVICE does
 * @param viommus which devices have vIOMMUs of which types, besides those of their IOMMU
 */
record VdeviceCalls(
    AssignedTdis tdis,
    List<Command> commands,
    Consumer<GuestDevice> made,
    BiPredicate<IommuDevice, Integer> viommus)
    implements GuestDeviceCalls {
  /** Returns the calls of a proposal in which neither a new vDEVICE nor a vIOMMU is special. */
  static VdeviceCalls of(AssignedTdis tdis, List<Command> commands) {
    return new VdeviceCalls(tdis, commands, _ -> {}, (_, _) -> false);
  }

  @Override
  public boolean hasViommu(IommuDevice device, int type) {
    return viommus.test(device, type);
  }

  @Override
  public void added(GuestDevice device) {
    made.accept(device);
  }

  @Override
  public void removed(GuestDevice device) {
    tdis.unbind(device);
  }
}
