package dev.iolite.tdi;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.steps.StepLog;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.bars.MmioMaps;
import dev.iolite.tdi.bars.MmioTarget;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.plan.SlotPlan;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.trace.RecordingKernel;
import dev.iolite.trace.TracedCall;
import dev.iolite.trace.TracingKernel;
import dev.iolite.trace.TracingKernel.Scope;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_region_info;
import dev.iolite.vfio.VfioDevice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.regex.Pattern;

/**
 * Shows the calls that carry out a plan, without making them: the code of an assignment runs on a
 * {@link RecordingKernel}. Its memory slots are numbered from 0; in an assignment, those of the
 * guest's RAM come first.
 */
public final class DryRun {
  private static final Pattern NUMBER = Pattern.compile("\\b(?:0x[0-9a-f]+|[0-9]+)\\b");

  /** So odd and so large that no address or length can be the same. */
  private static final int IOAS_ID = (1 << 30) - 1;

  /** x86 and Arm have no physical addresses longer than this. */
  private static final long ADDRESS_END = 1L << 52;

  /** include/linux/vfio_pci_core.h:VFIO_PCI_OFFSET_SHIFT. */
  private static final int REGION_SHIFT = 40;

  private final MmioLayout layout;
  private final RecordingKernel kernel;

  /** The made-up values, and what they are called. */
  private final Map<Long, String> names = new HashMap<>();

  private final List<PlannedCall> calls = new ArrayList<>();
  private int dmaBufs;
  private int mappings;

  private DryRun(MmioLayout layout, Ioctls ioctls) {
    this.layout = layout;
    Map<Ioctl, ToIntFunction<MemorySegment>> answers =
        Map.of(
            KvmIoctls.KVM_GET_API_VERSION,
            _ -> dev.iolite.uapi.kvm.Kvm.KVM_API_VERSION(),
            IommufdIoctls.IOMMU_IOAS_ALLOC,
            DryRun::ioas,
            VfioIoctls.VFIO_DEVICE_GET_REGION_INFO,
            this::region);
    kernel = new RecordingKernel(ioctls, answers);
  }

  /**
   * The calls of a plan in order: those for the dma-bufs, the IOAS maps, the memory slots of the
   * shared parts, then those of the private ones. An assignment under seed-2025 also asks the
   * kernel what the private dma-bufs contain; only a kernel can answer that, so it is left out.
   *
   * @param plan the plan
   * @param layout the layout that it was made for
   * @param addresses where each BAR is in the guest
   * @param profile the calls of the kernel
   * @throws PreconditionException if a BAR is at an address that no guest can have
   */
  public static List<PlannedCall> of(
      SlotPlan plan, MmioLayout layout, Map<Integer, Long> addresses, UapiProfile profile) {
    Ioctls ioctls = Ioctls.ofHeaders().with(profile.ioctls());
    DryRun run = new DryRun(layout, ioctls);
    run.carryOut(plan, run.mappable(addresses), profile, ioctls);
    return List.copyOf(run.calls);
  }

  /** The addresses without BARs that are smaller than a page, as in an assignment. */
  private Map<Integer, Long> mappable(Map<Integer, Long> addresses) {
    Map<Integer, Long> found = new HashMap<>();
    for (BarLayout bar : layout.bars()) {
      Long gpa = addresses.get(bar.bar());
      if (gpa != null && bar.bytes() >= Page.BYTES) {
        requireReachable(bar, gpa);
        found.put(bar.bar(), gpa);
      }
    }
    return found;
  }

  private static void requireReachable(BarLayout bar, long gpa) {
    if (gpa < 0 || gpa > ADDRESS_END - bar.bytes()) {
      throw new PreconditionException(
          "run the plan of BAR %d at guest-physical address 0x%x".formatted(bar.bar(), gpa),
          "it would end beyond 0x%x".formatted(ADDRESS_END),
          "a guest-physical address has at most 52 bits",
          "give the BAR a lower address");
    }
  }

  private void carryOut(
      SlotPlan plan, Map<Integer, Long> addresses, UapiProfile profile, Ioctls ioctls) {
    TracingKernel traced = new TracingKernel(kernel, Scope.ALL, () -> ioctls, this::add);
    Iommufd iommufd = Iommufd.open(traced);
    Ioas ioas = iommufd.allocIoas();
    Vm vm = Kvm.open(traced).createVm(VmType.DEFAULT);
    var device = VfioDevice.open(traced, "/dev/vfio/devices/vfio0", "the device").bind(iommufd);
    names.put((long) iommufd.fd().number(), "<iommufd>");
    names.put((long) IOAS_ID, "<ioas>");
    names.put((long) vm.fd().number(), "<vm>");
    names.put((long) device.fd().number(), "<device>");
    calls.clear();
    StepLog log = StepLog.brief(device.name(), traced, _ -> {}, () -> false);
    MmioMaps maps =
        new MmioMaps(
            new MmioTarget(device, vm, iommufd, ioas, profile),
            layout,
            addresses,
            plan,
            new Ledger(),
            new Steps(log));
    maps.openDmaBufs();
    maps.mapShared();
    maps.mapPrivate();
  }

  private static int ioas(MemorySegment alloc) {
    iommu_ioas_alloc.out_ioas_id(alloc, IOAS_ID);
    return 0;
  }

  /** A BAR that can be mapped as a whole. */
  private int region(MemorySegment info) {
    int bar = vfio_region_info.index(info);
    vfio_region_info.flags(
        info,
        Vfio.VFIO_REGION_INFO_FLAG_READ()
            | Vfio.VFIO_REGION_INFO_FLAG_WRITE()
            | Vfio.VFIO_REGION_INFO_FLAG_MMAP());
    vfio_region_info.size(info, layout.bar(bar).map(BarLayout::bytes).orElse(0L));
    vfio_region_info.offset(info, (long) bar << REGION_SHIFT);
    return 0;
  }

  private void add(TracedCall call) {
    Optional<RecordingKernel.Argument> argument = kernel.argument();
    Optional<String> makes = Optional.empty();
    if (call.call().equals("mmap")) {
      makes = Optional.of("<mapping %d>".formatted(mappings++));
    } else if (call.changed().startsWith(FdKind.DMA_BUF.toString())) {
      makes = Optional.of("<dma-buf %d>".formatted(dmaBufs++));
    }
    makes.ifPresent(name -> names.put(call.result(), name));
    String[] subject = call.subject().split(" ", -1);
    calls.add(
        new PlannedCall(
            call.name(),
            argument.map(RecordingKernel.Argument::command),
            named(subject[subject.length - 1]),
            named(call.argument()),
            argument.map(given -> masked(given.bytes())).orElse(MemorySegment.NULL),
            makes));
  }

  /** Replaces made-up values with their names. */
  private String named(String text) {
    return NUMBER
        .matcher(text)
        .replaceAll(number -> names.getOrDefault(value(number.group()), number.group()));
  }

  private static long value(String number) {
    return number.startsWith("0x")
        ? Long.parseUnsignedLong(number.substring(2), 16)
        : Long.parseUnsignedLong(number);
  }

  /** Replaces made-up values with ones. */
  private MemorySegment masked(MemorySegment struct) {
    MemorySegment bytes = MemorySegment.ofArray(struct.toArray(ValueLayout.JAVA_BYTE));
    for (long at = 0; at + Integer.BYTES <= bytes.byteSize(); at += Integer.BYTES) {
      if (names.containsKey((long) bytes.get(ValueLayout.JAVA_INT_UNALIGNED, at))) {
        bytes.asSlice(at, Integer.BYTES).fill((byte) -1);
      } else if (at + Long.BYTES <= bytes.byteSize()
          && names.containsKey(bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, at))) {
        bytes.asSlice(at, Long.BYTES).fill((byte) -1);
      }
    }
    return bytes;
  }
}
