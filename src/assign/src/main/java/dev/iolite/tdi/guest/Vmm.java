package dev.iolite.tdi.guest;

import dev.iolite.tdi.Event;
import dev.iolite.tdi.State;
import dev.iolite.tdi.bars.MmioMaps;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.profile.TdiBinding;
import dev.iolite.tdi.profile.UapiProfile;
import java.util.Optional;

/** What serves a guest's requests: the assignment, as far as it concerns its guest. */
public interface Vmm {
  /** Where the assignment stands. */
  State state();

  /** Has an event happen. */
  void fire(Event event);

  /** The device, which is assigned. */
  AssignedInterface device();

  /** The interface that the kernel has for TDIs; empty if the device is not assigned any more. */
  Optional<UapiProfile> usedProfile();

  /** What is mapped of the BARs. */
  Optional<MmioMaps> maps();

  /** The binding of the interface, if it is bound. */
  Optional<TdiBinding> binding();

  /** The interface's report, where the kernel lets a VMM read it. */
  Optional<byte[]> report();
}
