package dev.iolite.tdi.requests;

import dev.iolite.tdi.Event;
import dev.iolite.tdi.State;
import dev.iolite.tdi.bars.MmioMaps;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.profile.TdiBinding;
import dev.iolite.tdi.profile.UapiProfile;
import java.util.Optional;

/** The part of an assignment that serves the guest's requests. */
public interface Vmm {
  /** The state of the assignment. */
  State state();

  /** Fires an event. */
  void fire(Event event);

  /** The device, which is assigned. */
  AssignedInterface device();

  /** The interface that the kernel has for TDIs; empty if the device is no longer assigned. */
  Optional<UapiProfile> usedProfile();

  /** The parts of the BARs that are mapped. */
  Optional<MmioMaps> maps();

  /** The binding of the interface, if it is bound. */
  Optional<TdiBinding> binding();

  /** The interface's report, if the kernel lets a VMM read it. */
  Optional<byte[]> report();
}
