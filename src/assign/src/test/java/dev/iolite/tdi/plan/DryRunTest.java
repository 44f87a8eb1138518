package dev.iolite.tdi.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Page;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.vfio.ByteRange;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The ioctls of the flow's example: a BAR of 8 KiB private, 4 KiB shared, the rest private. */
class DryRunTest {
  private static final MmioLayout EXAMPLE =
      MmioLayout.ofPrivate(
          List.of(new BarSize(0, 64 << 10)),
          Map.of(0, List.of(new ByteRange(0, 8 << 10), new ByteRange(0x3000, 52 << 10))),
          Page.BYTES);

  private static List<PlannedIoctl> run(
      SharedSlots shared, PrivateMmio guarded, boolean mapsSeveralRanges) {
    Abilities abilities = new Abilities(shared, guarded, mapsSeveralRanges, 10);
    return DryRun.of(SlotPlan.of(EXAMPLE, Map.of(0, 0x10_0000_0000L), abilities), abilities);
  }

  private static String hex(PlannedIoctl ioctl) {
    return HexFormat.of().formatHex(ioctl.bytes().toArray(ValueLayout.JAVA_BYTE));
  }

  @Test
  void theFlowOf2025AsItsFieldsShow() {
    assertThat(run(SharedSlots.BY_DMABUF, PrivateMmio.SLOTS_OF_ONE_DMABUF, true))
        .map(PlannedIoctl::toString)
        .containsExactly(
            "VFIO_DEVICE_FEATURE <device> {argsz=0x28, flags=0x1000b} {region_index=0,"
                + " open_flags=0x80002, flags=1, nr_ranges=1}, dma_ranges=[{offset=0x2000,"
                + " length=0x1000}] = <dma-buf 0>",
            "VFIO_DEVICE_FEATURE <device> {argsz=0x38, flags=0x1000b} {region_index=0,"
                + " open_flags=0x80002, flags=2, nr_ranges=2}, dma_ranges=[{offset=0,"
                + " length=0x2000}, {offset=0x3000, length=0xd000}] = <dma-buf 1>",
            "KVM_SET_USER_MEMORY_REGION2 <vm> {slot=<slot 0>, flags=0x18,"
                + " guest_phys_addr=0x1000000000, memory_size=0x2000, userspace_addr=0,"
                + " guest_memfd_offset=0, guest_memfd=<dma-buf 1>, pad1=0, pad2=[0, 0, 0, 0, 0,"
                + " 0, 0, 0, ...]}",
            "KVM_SET_USER_MEMORY_REGION2 <vm> {slot=<slot 1>, flags=8,"
                + " guest_phys_addr=0x1000002000, memory_size=0x1000, userspace_addr=0,"
                + " guest_memfd_offset=0, guest_memfd=<dma-buf 0>, pad1=0, pad2=[0, 0, 0, 0, 0,"
                + " 0, 0, 0, ...]}",
            "KVM_SET_USER_MEMORY_REGION2 <vm> {slot=<slot 2>, flags=0x18,"
                + " guest_phys_addr=0x1000003000, memory_size=0xd000, userspace_addr=0,"
                + " guest_memfd_offset=0x2000, guest_memfd=<dma-buf 1>, pad1=0, pad2=[0, 0, 0, 0,"
                + " 0, 0, 0, 0, ...]}",
            "IOMMU_IOAS_MAP_FILE <iommufd> {size=0x28, flags=7, ioas_id=<ioas>, fd=<dma-buf 0>,"
                + " start=0, length=0x1000, iova=0x1000002000}");
  }

  @Test
  void theFlowOf2025AsItsBytesAre() {
    List<PlannedIoctl> ioctls = run(SharedSlots.BY_DMABUF, PrivateMmio.SLOTS_OF_ONE_DMABUF, true);
    assertThat(hex(ioctls.get(1)))
        .isEqualTo(
            "38000000"
                + "0b000100" // argsz, flags
                + "00000000"
                + "02000800"
                + "02000000"
                + "02000000" // BAR 0, O_RDWR, kind, ranges
                + "0000000000000000"
                + "0020000000000000"
                + "0030000000000000"
                + "00d0000000000000");
    assertThat(hex(ioctls.get(4)))
        .isEqualTo(
            "ffffffff"
                + "18000000" // slot, flags
                + "0030000010000000"
                + "00d0000000000000" // address, size
                + "0000000000000000"
                + "0020000000000000" // of this process, in the dma-buf
                + "ffffffff"
                + "00".repeat(116)); // dma-buf
    assertThat(hex(ioctls.get(5)))
        .isEqualTo(
            "28000000"
                + "07000000"
                + "ffffffff"
                + "ffffffff" // size, flags, IOAS, dma-buf
                + "0000000000000000"
                + "0010000000000000"
                + "0020000010000000");
  }

  @Test
  void mainlineMakesSlotsByAddressAndDmaBufsWithoutAKind() {
    List<PlannedIoctl> ioctls = run(SharedSlots.BY_ADDRESS, PrivateMmio.NOT_AT_ALL, false);
    assertThat(ioctls)
        .map(ioctl -> ioctl.command().name())
        .containsExactly(
            "VFIO_DEVICE_FEATURE", "KVM_SET_USER_MEMORY_REGION", "IOMMU_IOAS_MAP_FILE");
    assertThat(ioctls.get(0).argument()).contains("open_flags=0x80002, flags=0,");
    assertThat(ioctls.get(1).argument())
        .isEqualTo(
            "{slot=<slot 0>, flags=0, guest_phys_addr=0x1000002000, memory_size=0x1000,"
                + " userspace_addr=<mapping of BAR 0>+0x2000}");
    assertThat(hex(ioctls.get(1)))
        .isEqualTo(
            "ffffffff" + "00000000" + "0020000010000000" + "0010000000000000" + "ff".repeat(8));
  }

  @Test
  void aSlotOfAWholeDmaBufHasTheFlagOfThatProposal() {
    List<PlannedIoctl> ioctls =
        run(SharedSlots.BY_ADDRESS, PrivateMmio.SLOT_OF_WHOLE_DMABUF, false);
    assertThat(ioctls).hasSize(3 + 3 + 1);
    assertThat(ioctls.get(3).argument()).contains("flags=8,", "guest_memfd=<dma-buf 1>");
    assertThat(ioctls.get(0).argument()).contains("open_flags=0x80002, flags=0,");
  }
}
