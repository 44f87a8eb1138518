package dev.iolite.tdi;

import dev.iolite.kernel.Ioctls;
import dev.iolite.kernel.Kernel;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.Profile;
import dev.iolite.mock.kvm.ToldGuest;
import dev.iolite.pci.PciAddress;
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.steps.Step;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.profile.Arch;
import dev.iolite.tdi.profile.ProfileName;
import dev.iolite.tdi.profile.UapiProfile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A model of a confidential host with a TDISP endpoint, and assignments of it. */
final class Life {
  static final PciAddress ENDPOINT = PciAddress.parse("0000:00:07.0");
  static final long VIRTUAL_BDF = 0x10;
  static final int RUN = 2;

  final ToldGuest told = new ToldGuest();
  final MockKernel kernel;
  final List<Step> steps = new ArrayList<>();
  final List<State> states = new ArrayList<>();
  final List<Stage> stages = new ArrayList<>();
  final List<String> remarks = new ArrayList<>();

  Life(Platform platform, Profile profile) {
    kernel =
        MockKernel.builder()
            .platform(platform)
            .profile(profile)
            .guests((_, _) -> Optional.of(told.script()))
            .build();
  }

  VmType vmType() {
    return switch (kernel.platform()) {
      case PLAIN -> VmType.DEFAULT;
      case TDX -> VmType.TDX;
      case SEV -> VmType.SNP;
    };
  }

  private ProfileName profile() {
    return ProfileName.of(kernel.profile().toString()).orElseThrow();
  }

  /** Those of the headers and those of the profile. */
  Ioctls ioctls() {
    Arch arch = kernel.platform() == Platform.SEV ? Arch.SEV : Arch.TDX;
    return Ioctls.ofHeaders().with(UapiProfile.of(profile(), arch).ioctls());
  }

  AssignmentOptions options(Kernel on) {
    return new AssignmentOptions(on, ENDPOINT)
        .withVmType(vmType())
        .withVirtualBdf(VIRTUAL_BDF)
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
    return new TdiAssignment(options(kernel));
  }

  MockGuest guest(TdiAssignment assignment) {
    return new MockGuest(told, assignment, VIRTUAL_BDF);
  }

  /** All of it, as a VMM does it whose guest asks for the bind. */
  void live(TdiAssignment assignment) {
    try (assignment) {
      MockGuest guest = guest(assignment);
      assignment.assign();
      long bar = assignment.barAddresses().getOrDefault(0, 0L);
      guest.read(bar, Long.BYTES, Kind.SHARED);
      assignment.bind();
      assignment.start();
      guest.read(bar, Long.BYTES, Kind.PRIVATE);
      assignment.unbind();
    }
  }
}
