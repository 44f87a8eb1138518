package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.Platform;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.Express;
import dev.iolite.mock.device.TdiRange;
import dev.iolite.mock.device.TdiReport;
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.tdi.guest.GuestAnswer;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.ledger.LedgerRow;
import dev.iolite.tdi.plan.SlotPlan;
import dev.iolite.tsm.Profile;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The example of the thread: a BAR of 8 KiB private, 4 KiB shared, the rest private. */
class SeedExampleTest {
  private static final long K = 1024;
  private static final long BAR_BYTES = 64 * K;

  private static DeviceModel device() {
    return DeviceModel.memory(
        DeviceShape.builder(0x1234, 0x7d16)
            .classCode(0x12_0000)
            .bar(Bar.memory64(0, BAR_BYTES))
            .power(DeviceShape.Power.KEEPS_STATE)
            .express(new Express(true, true, true))
            .tdi(
                TdiReport.of(
                    new TdiRange(0, 0, 2, 0),
                    new TdiRange(0, 2, 1, TdiRange.NON_TEE),
                    new TdiRange(0, 3, 13, 0)))
            .build());
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void takesTwoDmaBufsAndThreeMemorySlots(Platform platform) {
    Life life = new Life(platform, Profile.SEED_2025, device());
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      long gpa = Life.bar(assignment, 0);
      assignment.bind();

      SlotPlan plan = assignment.plan().orElseThrow();
      assertThat(plan.dmaBufs()).hasSize(2);
      assertThat(plan.slots()).hasSize(3);
      assertThat(life.openDmaBufs()).as("open in the kernel's view").isEqualTo(2);
      List<LedgerRow> rows =
          assignment.ledger().rows().stream()
              .filter(row -> row.region().equals(Optional.of("BAR0")))
              .toList();
      assertThat(rows).extracting(LedgerRow::gpa).containsExactly(gpa, gpa + 8 * K, gpa + 12 * K);
      assertThat(rows).extracting(LedgerRow::bytes).containsExactly(8 * K, 4 * K, 52 * K);
      assertThat(rows).extracting(LedgerRow::slot).doesNotHaveDuplicates();
      assertThat(rows).extracting(LedgerRow::slot).doesNotContain(OptionalInt.empty());
      assertThat(rows.get(0).slotDmaBuf()).isEqualTo(rows.get(2).slotDmaBuf());
      assertThat(rows.get(1).slotDmaBuf()).isNotEqualTo(rows.get(0).slotDmaBuf());
      assertThat(rows).extracting(LedgerRow::isMapped).containsExactly(false, true, false);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void eachSlotLeadsToItsPlaceInTheBar(Platform platform) {
    Life life = new Life(platform, Profile.SEED_2025, device());
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      long gpa = Life.bar(assignment, 0);
      for (long at = 0; at < BAR_BYTES; at += 4 * K) {
        guest.write(gpa + at, Long.BYTES, 0x1000 + at, Kind.SHARED);
      }
      assignment.bind();
      assignment.start();
      for (long at = 0; at < BAR_BYTES; at += 4 * K) {
        Kind kind = at == 8 * K ? Kind.SHARED : Kind.PRIVATE;
        assertThat(guest.read(gpa + at, Long.BYTES, kind))
            .as("at 0x%x", at)
            .isEqualTo(new GuestAnswer.Reached(0x1000 + at));
        assertThat(life.deviceReads(gpa + at)).as("at 0x%x", at).isEqualTo(at == 8 * K);
      }
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void nothingIsConvertedInPlaceSinceEachDmaBufAndSlotIsNew(Platform platform) {
    Life life = new Life(platform, Profile.SEED_2025, device());
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      var first = assignment.maps().orElseThrow().dmaBufs();
      assignment.bind();
      var split = assignment.maps().orElseThrow().dmaBufs();
      assertThat(first).allMatch(file -> file.fd().isClosed()).doesNotContainAnyElementsOf(split);
      assignment.unbind();
      assertThat(split).allMatch(file -> file.fd().isClosed());
      assertThat(assignment.maps().orElseThrow().dmaBufs()).doesNotContainAnyElementsOf(split);
    }
    life.kernel.close();
  }
}
