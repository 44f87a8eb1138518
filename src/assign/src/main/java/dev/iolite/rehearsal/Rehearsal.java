package dev.iolite.rehearsal;

import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.kvm.ToldGuest;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tdi.guest.RealModeAgent;
import dev.iolite.tdi.guest.SwProtectedAgent;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.kvm.Kvm;
import java.util.Optional;

/** A model of a host whose confidential guests follow instructions. */
public final class Rehearsal implements AutoCloseable {
  private final ToldGuest guest = new ToldGuest();
  private final MockKernel kernel;

  private Rehearsal(MockKernel.Builder host) {
    kernel =
        host.guests((vm, _) ->
                vm.type() == Kvm.KVM_X86_TDX_VM() || vm.type() == Kvm.KVM_X86_SNP_VM()
                    ? Optional.of(guest.script())
                    : Optional.empty())
            .build();
  }

  /** A host of a platform with a profile for binding TDIs. */
  public static Rehearsal of(Platform platform, Profile profile) {
    return of(MockKernel.builder().platform(platform).profile(profile));
  }

  /** A host that is described, except for its guests. */
  public static Rehearsal of(MockKernel.Builder host) {
    return new Rehearsal(host);
  }

  /** The kernel. */
  public MockKernel kernel() {
    return kernel;
  }

  /**
   * The type of VM that the platform protects; on a platform that protects none, the type that
   * software protects, if the profile supports it.
   */
  public VmType vmType() {
    return switch (kernel.platform()) {
      case PLAIN -> kernel.hasSoftwareTsm() ? VmType.SW_PROTECTED : VmType.DEFAULT;
      case TDX -> VmType.TDX;
      case SEV -> VmType.SNP;
    };
  }

  /** The guest of an assignment on this kernel, in a VM of {@link #vmType}. */
  public GuestAgent guest(TdiAssignment assignment) {
    return switch (vmType()) {
      case DEFAULT -> new RealModeAgent(assignment);
      case SW_PROTECTED -> new SwProtectedAgent(assignment);
      default -> new MockGuest(guest, assignment, assignment.virtualBdf());
    };
  }

  /** The process exits: what it left open is closed. */
  @Override
  public void close() {
    kernel.close();
  }
}
