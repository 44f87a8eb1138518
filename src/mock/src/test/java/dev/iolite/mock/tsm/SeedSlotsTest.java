package dev.iolite.mock.tsm;

import static dev.iolite.mock.tsm.AssignedEndpoint.no;
import static dev.iolite.mock.tsm.AssignedEndpoint.ok;
import static dev.iolite.mock.tsm.SeedCalls.PRIVATE;
import static dev.iolite.mock.tsm.SeedCalls.SHARED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.kvm.GuestScript;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Memory slots over dma-bufs, and what a trust domain reaches by them. */
class SeedSlotsTest {
  private static final long DMABUF = TsmSeed2025.KVM_MEM_DMABUF();
  private static final long PRIVATE_ONLY = TsmSeed2025.KVM_MEM_PRIVATE_ONLY();
  private static final long GPA = 0x1_0000_0000L;
  private static final long DOORBELLS = 0x2_0000_0000L;
  private static final int PORT = 0x80;

  private final List<Long> seen = new ArrayList<>();

  private static AssignedEndpoint bound(GuestScript script) {
    AssignedEndpoint made =
        AssignedEndpoint.on(Platform.TDX, Profile.SEED_2025, (_, _) -> Optional.of(script));
    assertThat(SeedCalls.bind(made)).isZero();
    return made;
  }

  private static AssignedEndpoint bound() {
    return bound(GuestScript.builder().build());
  }

  @Test
  void theFlagsAndTheBoundsAreChecked() {
    try (AssignedEndpoint at = bound()) {
      int hidden = ok(at.export(0, PRIVATE, 0, 0x10000));
      long flags = DMABUF | PRIVATE_ONLY;
      assertThat(at.slot(1, PRIVATE_ONLY, GPA, 0x1000, hidden, 0)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, flags | Kvm.KVM_MEM_GUEST_MEMFD(), GPA, 0x1000, hidden, 0))
          .isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, flags | Kvm.KVM_MEM_LOG_DIRTY_PAGES(), GPA, 0x1000, hidden, 0))
          .isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, flags | Kvm.KVM_MEM_READONLY(), GPA, 0x1000, hidden, 0))
          .isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, flags, GPA, 0x1000, hidden, 0x800)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, flags, GPA, 0x1000, hidden, 0xf000)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, flags, GPA, 0x10000, hidden, 0)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, flags, GPA, 0x1000, 999, 0)).isEqualTo(no(Errno.EBADF));
      assertThat(at.slot(1, flags, GPA, 0x1000, at.device, 0)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, flags, GPA, 0x1000, hidden, 0xe000)).isZero();
      assertThat(at.slot(2, flags, GPA, 0x1000, hidden, 0)).isEqualTo(no(Errno.EEXIST));
      assertThat(at.slot(1, flags, GPA, 0x1000, hidden, 0)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, 0, GPA, 0x1000, hidden, 0)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, 0, GPA, 0, hidden, 0)).isZero();
    }
  }

  @Test
  void theKindsOfTheSlotAndTheDmaBufMustBeTheSame() {
    try (AssignedEndpoint at = bound()) {
      int hidden = ok(at.export(0, PRIVATE, 0, 0x1000));
      int shared = ok(at.export(0, SHARED, 0x2000, 0x1000));
      assertThat(at.slot(1, DMABUF, GPA, 0x1000, hidden, 0)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, DMABUF | PRIVATE_ONLY, GPA, 0x1000, shared, 0))
          .isEqualTo(no(Errno.EINVAL));
      assertThat(at.slot(1, DMABUF, GPA, 0x1000, shared, 0)).isZero();
    }
  }

  @Test
  void aPlainDmaBufIsInNoSlot() {
    try (AssignedEndpoint at = AssignedEndpoint.on(Platform.TDX, Profile.SEED_2025)) {
      int plain = ok(at.export(0, 0, 0, 0x1000));
      assertThat(at.slot(1, DMABUF, GPA, 0x1000, plain, 0)).isEqualTo(no(Errno.EINVAL));
    }
  }

  @Test
  void theSlotKeepsTheDmaBufAndSoTheNextLockBusy() {
    try (AssignedEndpoint at = AssignedEndpoint.on(Platform.TDX, Profile.SEED_2025)) {
      int shared = ok(at.export(0, SHARED, 0, 0x1000));
      assertThat(at.slot(1, DMABUF, GPA, 0x1000, shared, 0)).isZero();
      assertThat(at.kernel.close(shared)).isZero();
      assertThat(SeedCalls.bind(at)).isEqualTo(no(Errno.EBUSY));
      assertThat(at.slot(1, 0, GPA, 0, -1, 0)).isZero();
      assertThat(SeedCalls.bind(at)).isZero();
    }
  }

  @Test
  void aPrivateAccessReachesTheDeviceOnlyWhileTheInterfaceRuns() {
    GuestScript script =
        GuestScript.builder()
            .readPrivate(GPA, 8, seen::add)
            .out(PORT, 1, 0)
            .writePrivate(GPA + 8, 8, 5)
            .readPrivate(GPA + 8, 8, seen::add)
            .readPrivate(GPA, 8, seen::add)
            .out(PORT, 1, 0)
            .readPrivate(GPA, 8, seen::add)
            .build();
    try (AssignedEndpoint at = bound(script)) {
      int hidden = ok(at.export(0, PRIVATE, 0, 0x10000));
      assertThat(at.slot(1, DMABUF | PRIVATE_ONLY, GPA, 0xf000, hidden, 0)).isZero();
      assertThat(at.makePrivate(GPA, 0xf000)).isZero();
      int vcpu = at.startDomain();
      assertThat(at.enter(vcpu)).isZero();
      assertThat(kvm_run.exit_reason(at.run)).isEqualTo(Kvm.KVM_EXIT_IO());
      assertThat(seen).containsExactly(-1L);

      assertThat(SeedCalls.run(at)).isZero();
      assertThat(at.enter(vcpu)).isZero();
      assertThat(seen).containsExactly(-1L, 5L, TdispEndpoint.IDENTIFICATION);

      assertThat(SeedCalls.unbind(at)).isZero();
      assertThat(at.enter(vcpu)).isEqualTo(no(Errno.EIO));
      assertThat(kvm_run.exit_reason(at.run)).isEqualTo(Kvm.KVM_EXIT_MEMORY_FAULT());
      assertThat(seen).hasSize(3);
    }
  }

  @Test
  void accessesOfTheOtherKindAreMemoryFaults() {
    GuestScript script =
        GuestScript.builder().writeShared(DOORBELLS, 4, 0).readShared(GPA, 8, seen::add).build();
    try (AssignedEndpoint at = bound(script)) {
      int hidden = ok(at.export(0, PRIVATE, 0, 0x10000));
      int shared = ok(at.export(0, SHARED, 0, 0x10000));
      assertThat(at.slot(1, DMABUF | PRIVATE_ONLY, GPA, 0xf000, hidden, 0)).isZero();
      assertThat(at.slot(2, DMABUF, DOORBELLS, 0x1000, shared, 0)).isZero();
      assertThat(SeedCalls.run(at)).isZero();
      int vcpu = at.startDomain();
      assertThat(at.enter(vcpu)).isEqualTo(no(Errno.EFAULT));
      assertThat(kvm_run.exit_reason(at.run)).isEqualTo(Kvm.KVM_EXIT_MEMORY_FAULT());
      assertThat(seen).isEmpty();
    }
  }

  @Test
  void aPrivateAccessToASharedSlotIsAMemoryFault() {
    GuestScript script = GuestScript.builder().readPrivate(DOORBELLS, 4, seen::add).build();
    try (AssignedEndpoint at = bound(script)) {
      int shared = ok(at.export(0, SHARED, 0, 0x10000));
      assertThat(at.slot(2, DMABUF, DOORBELLS, 0x1000, shared, 0)).isZero();
      int vcpu = at.startDomain();
      assertThat(at.enter(vcpu)).isEqualTo(no(Errno.EFAULT));
      assertThat(seen).isEmpty();
    }
  }

  @Test
  void theEndOfAVmLetsTheDmaBufsOfItsSlotsGo() {
    try (AssignedEndpoint at = AssignedEndpoint.on(Platform.TDX, Profile.SEED_2025)) {
      int other = at.newVm();
      int shared = ok(at.export(0, SHARED, 0, 0x1000));
      assertThat(at.slotOf(other, 1, DMABUF, GPA, 0x1000, shared, 0)).isZero();
      assertThat(at.kernel.close(shared)).isZero();
      assertThat(SeedCalls.bind(at)).isEqualTo(no(Errno.EBUSY));
      assertThat(at.kernel.close(other)).isZero();
      assertThat(SeedCalls.bind(at)).isZero();
    }
  }
}
