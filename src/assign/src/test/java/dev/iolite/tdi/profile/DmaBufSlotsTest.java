package dev.iolite.tdi.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.iommufd.IovaAccess;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kvm.Exit;
import dev.iolite.mock.Platform;
import dev.iolite.mock.VfioUser;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.kvm.GuestScript;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Dma-bufs of a kind, and memory slots over them. */
class DmaBufSlotsTest {
  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final long GPA = 0x1_0000_0000L;
  private static final List<ByteRange> BAR0 = List.of(new ByteRange(0, 0x1_0000));
  private static final long IOVA = 0x10_0000;
  private static final long EDU_BUFFER = 0x4_0000;

  private final List<Long> seen = new ArrayList<>();

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void theSeedsTwoDmaBufsAndThreeSlots(Platform platform) {
    GuestScript script =
        GuestScript.builder()
            .readPrivate(GPA, 8, seen::add)
            .readShared(GPA + 0x2000, 4, seen::add)
            .readPrivate(GPA + 0x3000, 8, seen::add)
            .out(0x80, 1, 0)
            .build();
    try (AssignedTdi at = AssignedTdi.on(platform, Profile.SEED_2025, script);
        TdiBinding binding = at.bindAndLock();
        DmaBuf hidden = at.profile.exportDmaBuf(at.device, 0, BAR0, Kind.PRIVATE);
        DmaBuf shared = at.profile.exportDmaBuf(at.device, 0, BAR0, Kind.SHARED)) {
      assertThat(at.profile.runs(hidden))
          .contains(List.of(new DmaBufRun(0, 0, 0x2000), new DmaBufRun(0x3000, 0x2000, 0xd000)));
      assertThat(at.profile.runs(shared)).contains(List.of(new DmaBufRun(0x2000, 0, 0x1000)));
      var vm = at.launch.vm();
      at.profile.addPrivateSlot(vm, GPA, 0x2000, hidden, 0);
      at.profile.addSharedSlot(vm, GPA + 0x2000, 0x1000, shared, 0);
      at.profile.addPrivateSlot(vm, GPA + 0x3000, 0xd000, hidden, 0x2000);
      assertThatThrownBy(() -> at.profile.addPrivateSlot(vm, GPA + 0x10_0000, 0x1000, shared, 0))
          .as("KVM asks the dma-buf for its kind")
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
      vm.setPrivate(GPA, 0x2000, true);
      vm.setPrivate(GPA + 0x3000, 0xd000, true);
      at.run(binding);
      at.launch.finish();
      assertThat(at.launch.vcpu().run(DEADLINE)).isInstanceOf(Exit.IoOut.class);
      assertThat(seen).containsExactly(TdispEndpoint.IDENTIFICATION, 0L, 0L);
    }
  }

  @Test
  void manyRunsTakeASecondQuestion() {
    List<ByteRange> ranges =
        IntStream.range(0, 100).mapToObj(i -> new ByteRange(0x2000L * i, 0x1000)).toList();
    try (AssignedTdi at = AssignedTdi.on(Platform.TDX, Profile.SEED_2025);
        DmaBuf dmaBuf = at.profile.exportDmaBuf(at.device, 2, ranges, Kind.SHARED)) {
      List<DmaBufRun> runs = at.profile.runs(dmaBuf).orElseThrow();
      assertThat(runs).hasSize(100).endsWith(new DmaBufRun(0x2000 * 99, 0x1000 * 99, 0x1000));
    }
  }

  @Test
  void intelsSlotsAreOfWholeDmaBufs() {
    GuestScript script =
        GuestScript.builder().readPrivate(GPA, 8, seen::add).out(0x80, 1, 0).build();
    try (AssignedTdi at = AssignedTdi.on(Platform.TDX, Profile.INTEL_RFC_2025, script);
        TdiBinding binding = at.bindAndLock();
        DmaBuf hidden =
            at.profile.exportDmaBuf(
                at.device, 0, List.of(new ByteRange(0, 0x2000)), Kind.PRIVATE)) {
      var vm = at.launch.vm();
      assertThatThrownBy(() -> at.profile.addPrivateSlot(vm, GPA, 0x1000, hidden, 0))
          .hasMessageContaining("EINVAL");
      at.profile.addPrivateSlot(vm, GPA, 0x2000, hidden, 0);
      vm.setPrivate(GPA, 0x2000, true);
      at.run(binding);
      at.launch.finish();
      assertThat(at.launch.vcpu().run(DEADLINE)).isInstanceOf(Exit.IoOut.class);
      assertThat(seen).containsExactly(TdispEndpoint.IDENTIFICATION);
    }
  }

  @Test
  void aRevokedSlotIsAnErrorOfTheRunAndANewSlotHeals() {
    GuestScript script =
        GuestScript.builder().readPrivate(GPA, 8, seen::add).out(0x80, 1, 0).build();
    try (AssignedTdi at = AssignedTdi.on(Platform.TDX, Profile.SEED_2025, script)) {
      var vm = at.launch.vm();
      vm.setPrivate(GPA, 0x2000, true);
      at.launch.finish();
      try (TdiBinding binding = at.bindAndLock();
          DmaBuf hidden = at.profile.exportDmaBuf(at.device, 0, BAR0, Kind.PRIVATE);
          var slot = at.profile.addPrivateSlot(vm, GPA, 0x2000, hidden, 0)) {
        at.launch.vcpu().preFault(GPA, 0x2000);
        binding.setState(TdiState.CONFIG_UNLOCKED);
        assertThat(slot.exists()).isTrue();
        assertThatThrownBy(() -> at.launch.vcpu().run(DEADLINE))
            .hasMessageContaining("KVM_RUN")
            .hasMessageContaining("EIO")
            .hasMessageContaining("make the slots of revoked dma-bufs anew");
      }
      try (TdiBinding binding = at.bindAndLock();
          DmaBuf hidden = at.profile.exportDmaBuf(at.device, 0, BAR0, Kind.PRIVATE);
          var slot = at.profile.addPrivateSlot(vm, GPA, 0x2000, hidden, 0)) {
        at.run(binding);
        assertThat(at.launch.vcpu().run(DEADLINE)).isInstanceOf(Exit.IoOut.class);
        assertThat(slot.exists()).isTrue();
      }
      assertThat(seen).containsExactly(TdispEndpoint.IDENTIFICATION);
    }
  }

  /** Another device writes across the border of two pages. */
  @Test
  void aSharedDmaBufIsMappedForDma() {
    List<ByteRange> pages = List.of(new ByteRange(0x1000, 0x2000));
    try (AssignedTdi at = AssignedTdi.on(Platform.TDX, Profile.SEED_2025);
        DmaBuf shared = at.profile.exportDmaBuf(at.device, 2, pages, Kind.SHARED);
        VfioUser edu = new VfioUser(at.model, "0000:00:02.0");
        var mapping = edu.ioas().mapFile(IOVA, shared.fd(), 0, 0x2000, IovaAccess.READ_WRITE)) {
      assertThat(mapping.bytes()).isEqualTo(0x2000);
      MemorySegment source = edu.memory(0, 0x1000);
      for (int i = 0; i < 0x800; i += Long.BYTES) {
        source.set(ValueLayout.JAVA_LONG, i, 0x1000 + i);
      }
      copy(edu.device(), 0, EDU_BUFFER, 1);
      copy(edu.device(), EDU_BUFFER, IOVA + 0xc00, 3);
      Region target = at.device.region(PciRegion.BAR2);
      assertThat(target.read64(0x1bf8)).isZero();
      assertThat(target.read64(0x1c00)).isEqualTo(0x1000);
      assertThat(target.read64(0x1ff8)).isEqualTo(0x13f8);
      assertThat(target.read64(0x2000)).isEqualTo(0x1400);
      assertThat(target.read64(0x23f8)).isEqualTo(0x17f8);
      assertThat(target.read64(0x3400)).isZero();
    }
  }

  /** Half of the device's buffer by DMA; command 1 fills it, 3 writes it to memory. */
  private static void copy(BoundVfioDevice edu, long source, long destination, long command) {
    Region registers = edu.region(PciRegion.BAR0);
    registers.write64(0x80, source);
    registers.write64(0x88, destination);
    registers.write64(0x90, 0x800);
    registers.write64(0x98, command);
    assertThat(registers.read64(0x98) & 1).as("done").isZero();
  }

  @Test
  void aPlainOneOfSeveralRangesIsStillRefused() {
    List<ByteRange> fragments =
        List.of(new ByteRange(0x1000, 0x1000), new ByteRange(0x3000, 0x1000));
    try (AssignedTdi at = AssignedTdi.on(Platform.TDX, Profile.V6);
        DmaBuf plain = at.profile.exportDmaBuf(at.device, 2, fragments, Kind.SHARED)) {
      assertThatThrownBy(() -> at.ioas.mapFile(IOVA, plain.fd(), 0, 0x2000, IovaAccess.READ_WRITE))
          .hasMessageContaining("EOPNOTSUPP");
    }
  }
}
