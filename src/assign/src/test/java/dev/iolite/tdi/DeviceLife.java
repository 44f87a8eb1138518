package dev.iolite.tdi;

import dev.iolite.kernel.Kernel;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.Step;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.catalog.Ioctls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Assignments of a device on some kernel, and what they report. */
abstract class DeviceLife implements AutoCloseable {
  static final int RUN = 2;

  final PciAddress address;
  final List<Step> steps = new ArrayList<>();
  final List<State> states = new ArrayList<>();
  final List<Stage> stages = new ArrayList<>();
  final List<String> remarks = new ArrayList<>();

  /** What was thrown while the guest ran, which no step reports. */
  Optional<RuntimeException> guestFailure = Optional.empty();

  /** Asked at each change of state, before the assignment goes on. */
  Consumer<State> onState = _ -> {};

  DeviceLife(PciAddress address) {
    this.address = address;
  }

  /** The kernel that has the device. */
  abstract Kernel kernel();

  abstract VmType vmType();

  abstract Profile profile();

  /** The guest of an assignment. */
  abstract GuestAgent guest(TdiAssignment assignment);

  /**
   * Checks with the kernel that the interface is not bound and nothing of the device is in use,
   * whoever would hold it.
   *
   * @param where for the message
   */
  abstract void requireFree(String where);

  /** What this process has open and mapped, and whose the device is. */
  Holdings holdings() {
    return Holdings.of(kernel(), address);
  }

  /** Those of the headers and those of the profile. */
  Ioctls ioctls() {
    Arch arch = vmType() == VmType.SNP ? Arch.SEV : Arch.TDX;
    return Ioctls.ofHeaders().with(UapiProfile.of(profile(), arch).ioctls());
  }

  AssignmentOptions options(Kernel on) {
    return new AssignmentOptions(on, address)
        .withVmType(vmType())
        .withProfile(profile())
        .withListener(
            new AssignmentListener() {
              @Override
              public void step(Step step) {
                steps.add(step);
              }

              @Override
              public void state(State state) {
                states.add(state);
                onState.accept(state);
              }

              @Override
              public void stage(Stage stage) {
                stages.add(stage);
              }

              @Override
              public void remark(String text) {
                remarks.add(text);
              }
            });
  }

  TdiAssignment assignment() {
    return new TdiAssignment(options(kernel()));
  }

  /** All of it, as a VMM does it whose guest asks for the bind. */
  void live(TdiAssignment assignment) {
    try (assignment) {
      GuestAgent guest = guest(assignment);
      assignment.assign();
      long bar = assignment.barAddresses().values().stream().findFirst().orElse(0L);
      read(guest, bar, Kind.SHARED);
      assignment.bind();
      if (assignment
          .usedProfile()
          .orElseThrow()
          .operations()
          .contains(TsmOperation.READ_MEASUREMENTS)) {
        assignment.measurements(new byte[Measurements.NONCE_BYTES]);
      }
      assignment.start();
      read(guest, bar, Kind.PRIVATE);
      assignment.unbind();
    }
  }

  private void read(GuestAgent guest, long gpa, Kind kind) {
    try {
      guest.read(gpa, Integer.BYTES, kind);
    } catch (RuntimeException e) {
      guestFailure = Optional.of(e);
      throw e;
    }
  }

  @Override
  public abstract void close();
}
