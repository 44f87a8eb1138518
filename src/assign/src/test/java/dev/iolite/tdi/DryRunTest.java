package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Page;
import dev.iolite.mock.Platform;
import dev.iolite.steps.Step;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.plan.SlotPlan;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.trace.TracedCall;
import dev.iolite.trace.TracingKernel;
import dev.iolite.trace.TracingKernel.Scope;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import dev.iolite.vfio.ByteRange;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The calls of the flow's example: a BAR of 8 KiB private, 4 KiB shared, the rest private. */
class DryRunTest {
  private static final Set<TdiStep> MAKES_MAPS =
      Set.of(TdiStep.OPEN_DMA_BUF, TdiStep.MAP_FOR_DMA, TdiStep.MARK_PRIVATE, TdiStep.ADD_SLOTS);

  private static final MmioLayout EXAMPLE =
      MmioLayout.ofPrivate(
          List.of(new BarSize(0, 64 << 10)),
          Map.of(0, List.of(new ByteRange(0, 8 << 10), new ByteRange(0x3000, 52 << 10))),
          Page.BYTES);

  private static List<PlannedCall> run(Profile profile) {
    UapiProfile uapi = UapiProfile.of(profile, Arch.TDX);
    Map<Integer, Long> addresses = Map.of(0, 0x10_0000_0000L);
    return DryRun.of(SlotPlan.of(EXAMPLE, addresses, uapi.abilities(10)), EXAMPLE, addresses, uapi);
  }

  private static String hex(PlannedCall call) {
    return HexFormat.of().formatHex(call.bytes().toArray(ValueLayout.JAVA_BYTE));
  }

  @Test
  void theFlowOf2025AsItsFieldsShow() {
    assertThat(run(Profile.SEED_2025))
        .map(PlannedCall::toString)
        .containsExactly(
            "VFIO_DEVICE_FEATURE <device> {argsz=0x28, flags=0x1000b} {region_index=0,"
                + " open_flags=0x80002, flags=1, nr_ranges=1}, dma_ranges=[{offset=0x2000,"
                + " length=0x1000}] = <dma-buf 0>",
            "VFIO_DEVICE_FEATURE <device> {argsz=0x38, flags=0x1000b} {region_index=0,"
                + " open_flags=0x80002, flags=2, nr_ranges=2}, dma_ranges=[{offset=0,"
                + " length=0x2000}, {offset=0x3000, length=0xd000}] = <dma-buf 1>",
            "IOMMU_IOAS_MAP_FILE <iommufd> {size=0x28, flags=7, ioas_id=<ioas>, fd=<dma-buf 0>,"
                + " start=0, length=0x1000, iova=0x1000002000}",
            "KVM_SET_USER_MEMORY_REGION2 <vm> {slot=0, flags=8,"
                + " guest_phys_addr=0x1000002000, memory_size=0x1000, userspace_addr=0,"
                + " guest_memfd_offset=0, guest_memfd=<dma-buf 0>, pad1=0, pad2=[0, 0, 0, 0, 0, 0,"
                + " 0, 0, ...]}",
            "KVM_SET_MEMORY_ATTRIBUTES <vm> {address=0x1000000000, size=0x2000, attributes=8,"
                + " flags=0}",
            "KVM_SET_MEMORY_ATTRIBUTES <vm> {address=0x1000003000, size=0xd000, attributes=8,"
                + " flags=0}",
            "KVM_SET_USER_MEMORY_REGION2 <vm> {slot=1, flags=0x18,"
                + " guest_phys_addr=0x1000000000, memory_size=0x2000, userspace_addr=0,"
                + " guest_memfd_offset=0, guest_memfd=<dma-buf 1>, pad1=0, pad2=[0, 0, 0, 0, 0, 0,"
                + " 0, 0, ...]}",
            "KVM_SET_USER_MEMORY_REGION2 <vm> {slot=2, flags=0x18,"
                + " guest_phys_addr=0x1000003000, memory_size=0xd000, userspace_addr=0,"
                + " guest_memfd_offset=0x2000, guest_memfd=<dma-buf 1>, pad1=0, pad2=[0, 0, 0, 0,"
                + " 0, 0, 0, 0, ...]}");
  }

  @Test
  void theFlowOf2025AsItsBytesAre() {
    List<PlannedCall> calls = run(Profile.SEED_2025);
    assertThat(hex(calls.get(1)))
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
    assertThat(hex(calls.get(7)))
        .isEqualTo(
            "02000000"
                + "18000000" // slot, flags
                + "0030000010000000"
                + "00d0000000000000" // address, size
                + "0000000000000000"
                + "0020000000000000" // of this process, in the dma-buf
                + "ffffffff"
                + "00".repeat(116)); // dma-buf
    assertThat(hex(calls.get(2)))
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
    List<PlannedCall> calls = run(Profile.MAINLINE_7_3);
    assertThat(calls)
        .map(call -> call.name())
        .containsExactly(
            "VFIO_DEVICE_FEATURE",
            "IOMMU_IOAS_MAP_FILE",
            "VFIO_DEVICE_GET_REGION_INFO",
            "mmap",
            "KVM_SET_USER_MEMORY_REGION",
            "KVM_SET_MEMORY_ATTRIBUTES",
            "KVM_SET_MEMORY_ATTRIBUTES");
    assertThat(calls.get(0).argument()).contains("open_flags=0x80002, flags=0,");
    assertThat(calls.get(3).toString())
        .isEqualTo(
            "mmap <device> address=0, bytes=0x1000, prot=3, flags=1, offset=0x2000 ="
                + " <mapping 0>");
    assertThat(calls.get(4).argument())
        .isEqualTo(
            "{slot=0, flags=0, guest_phys_addr=0x1000002000, memory_size=0x1000,"
                + " userspace_addr=<mapping 0>}");
    assertThat(hex(calls.get(4)))
        .isEqualTo(
            "00000000" + "00000000" + "0020000010000000" + "0010000000000000" + "ff".repeat(8));
  }

  @Test
  void aSlotOfAWholeDmaBufHasTheFlagOfThatProposal() {
    List<PlannedCall> calls = run(Profile.INTEL_RFC_2025);
    assertThat(calls)
        .map(PlannedCall::name)
        .filteredOn("KVM_SET_USER_MEMORY_REGION2"::equals)
        .hasSize(2);
    assertThat(calls.get(9).argument()).contains("flags=8,", "guest_memfd=<dma-buf 1>");
    assertThat(calls.get(0).argument()).contains("open_flags=0x80002, flags=0,");
  }

  /** Descriptors, ids and addresses; slots of MMIO come after those of RAM. */
  private static String comparable(String name, String argument) {
    return name
        + argument
            .replaceAll("\\b(slot|fd|guest_memfd|ioas_id|userspace_addr)=(?!0,|-1)[^,}]+", "$1=*")
            .replaceAll("\\bslot=0", "slot=*");
  }

  /** What the dma-bufs have, and what else a region has to say of itself. */
  private static boolean isAboutTheDevice(TracedCall call) {
    return call.name().equals("VFIO_DMA_BUF_GET_RUNS")
        || (call.name().equals("VFIO_DEVICE_GET_REGION_INFO")
            && !call.argument().startsWith("{argsz=0x20,"));
  }

  @ParameterizedTest
  @EnumSource(names = "MAINLINE_7_3", mode = EnumSource.Mode.EXCLUDE)
  void itsCallsAreThoseOfAnAssignment(Profile profile) {
    try (Life life = new Life(Platform.TDX, profile)) {
      List<TracedCall> traced = new CopyOnWriteArrayList<>();
      Kernel kernel =
          new TracingKernel(life.kernel, Scope.WITHOUT_LOOKING_AROUND, life::ioctls, traced::add);
      AtomicInteger planned = new AtomicInteger();
      AtomicInteger done = new AtomicInteger();
      AssignmentOptions options = life.options(kernel);
      AssignmentListener listener =
          new AssignmentListener() {
            @Override
            public void step(Step step) {
              if (step.kind().kind() == TdiStep.PLAN) {
                planned.set(traced.size());
              }
              if (MAKES_MAPS.contains(step.kind().kind())) {
                done.set(traced.size());
              }
            }
          };
      try (TdiAssignment assignment = new TdiAssignment(options.withListener(listener))) {
        assignment.assign();
        assignment.bind();
        List<TracedCall> real =
            traced.subList(planned.get(), done.get()).stream()
                .filter(call -> !isAboutTheDevice(call))
                .toList();
        List<PlannedCall> dry =
            DryRun.of(
                assignment.plan().orElseThrow(),
                assignment.layout().orElseThrow(),
                assignment.barAddresses(),
                UapiProfile.of(profile, Arch.TDX));
        assertThat(dry).isNotEmpty();
        assertThat(dry)
            .map(call -> comparable(call.name(), call.argument()))
            .containsExactlyElementsOf(
                real.stream().map(call -> comparable(call.name(), call.argument())).toList());
      }
    }
  }
}
