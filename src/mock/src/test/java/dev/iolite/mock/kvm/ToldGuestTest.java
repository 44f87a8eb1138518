package dev.iolite.mock.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.kvm.Kvm;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A guest that does what it is told. */
class ToldGuestTest {
  private static final String IDLE = "0 out 0x7d0 1";

  private final ToldGuest guest = new ToldGuest();
  private final RawKvm kvm =
      new RawKvm(MockKernel.builder().guests((_, _) -> Optional.of(guest.script())).build());
  private final int vcpu = kvm.createVcpu(kvm.createVm(Kvm.KVM_X86_DEFAULT_VM()), 0);
  private final MemorySegment run = kvm.run(vcpu);

  @Test
  void itDoesOneThingAfterTheOther() {
    assertThat(kvm.enter(vcpu, run)).isEqualTo(IDLE);
    guest.tell(new GuestStep.Out(0x10, 1, 5));
    guest.tell(new GuestStep.Out(0x11, 1, 6));
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 out 0x10 1");
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 out 0x11 1");
    assertThat(kvm.enter(vcpu, run)).isEqualTo(IDLE);
  }

  @Test
  void itNeverDoesWhatWasWithdrawn() {
    guest.tell(new GuestStep.Out(0x10, 1, 5));
    guest.tell(new GuestStep.Out(0x11, 1, 6));
    guest.forget();
    assertThat(kvm.enter(vcpu, run)).isEqualTo(IDLE);
    guest.tell(new GuestStep.Out(0x12, 1, 7));
    assertThat(kvm.enter(vcpu, run)).isEqualTo("0 out 0x12 1");
  }
}
