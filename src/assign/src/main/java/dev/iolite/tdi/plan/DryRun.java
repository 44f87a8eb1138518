package dev.iolite.tdi.plan;

import dev.iolite.kernel.StructText;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_ioas_map_file;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.tsmintelrfc2025.TsmIntelRfc2025;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_buf;
import dev.iolite.uapi.vfio.vfio_region_dma_range;
import dev.iolite.vfio.ByteRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;

/**
 * Shows the ioctls that would carry out a plan, with the bytes of their arguments, without making
 * them.
 */
public final class DryRun {
  /** What a value that is not known yet is in the bytes. */
  private static final int UNKNOWN = -1;

  private final Abilities abilities;
  private final Arena arena = Arena.ofAuto();

  private DryRun(Abilities abilities) {
    this.abilities = abilities;
  }

  /**
   * The ioctls of a plan in order: the dma-bufs, the memory slots, the maps.
   *
   * @param plan the plan
   * @param abilities what it was made for
   */
  public static List<PlannedIoctl> of(SlotPlan plan, Abilities abilities) {
    DryRun run = new DryRun(abilities);
    List<PlannedIoctl> ioctls = new ArrayList<>();
    for (int i = 0; i < plan.dmaBufs().size(); i++) {
      ioctls.add(run.dmaBuf(plan.dmaBufs().get(i), i));
    }
    for (int i = 0; i < plan.slots().size(); i++) {
      PlannedSlot slot = plan.slots().get(i);
      ioctls.add(slot.dmaBuf().isEmpty() ? run.slotByAddress(slot, i) : run.slot(slot, i));
    }
    plan.maps().forEach(map -> ioctls.add(run.map(map)));
    return List.copyOf(ioctls);
  }

  /** Whether dma-bufs have a kind, as in the flow of 2025. */
  private boolean dmaBufsHaveKinds() {
    return abilities.sharedSlots() == SharedSlots.BY_DMABUF
        || abilities.privateMmio() == PrivateMmio.SLOTS_OF_ONE_DMABUF;
  }

  private PlannedIoctl dmaBuf(PlannedDmaBuf dmaBuf, int index) {
    List<ByteRange> ranges = dmaBuf.ranges();
    MemoryLayout array = MemoryLayout.sequenceLayout(ranges.size(), vfio_region_dma_range.layout());
    long headBytes = vfio_device_feature.sizeof() + vfio_device_feature_dma_buf.sizeof();
    MemorySegment feature = arena.allocate(headBytes + array.byteSize(), Long.BYTES);
    vfio_device_feature.argsz(feature, Math.toIntExact(feature.byteSize()));
    vfio_device_feature.flags(
        feature, Vfio.VFIO_DEVICE_FEATURE_GET() | Vfio.VFIO_DEVICE_FEATURE_DMA_BUF());
    MemorySegment ask = feature.asSlice(vfio_device_feature.sizeof());
    vfio_device_feature_dma_buf.region_index(ask, dmaBuf.bar());
    vfio_device_feature_dma_buf.open_flags(ask, Libc.O_RDWR() | Libc.O_CLOEXEC());
    vfio_device_feature_dma_buf.flags(ask, dmaBufsHaveKinds() ? flag(dmaBuf.kind()) : 0);
    vfio_device_feature_dma_buf.nr_ranges(ask, ranges.size());
    MemorySegment parts = feature.asSlice(headBytes);
    for (int i = 0; i < ranges.size(); i++) {
      MemorySegment part = vfio_region_dma_range.asSlice(parts, i);
      vfio_region_dma_range.offset(part, ranges.get(i).offset());
      vfio_region_dma_range.length(part, ranges.get(i).bytes());
    }
    return new PlannedIoctl(
        VfioIoctls.VFIO_DEVICE_FEATURE,
        "<device>",
        "%s %s, dma_ranges=%s"
            .formatted(
                StructText.of(vfio_device_feature.layout(), feature),
                StructText.of(vfio_device_feature_dma_buf.layout(), ask),
                StructText.of(array, parts)),
        feature,
        Optional.of(dmaBufName(index)));
  }

  private static int flag(Kind kind) {
    return kind == Kind.SHARED
        ? TsmSeed2025.VFIO_DMA_BUF_SHARED()
        : TsmSeed2025.VFIO_DMA_BUF_PRIVATE();
  }

  private static String dmaBufName(int index) {
    return "<dma-buf %d>".formatted(index);
  }

  /** A slot over a dma-buf. */
  private PlannedIoctl slot(PlannedSlot slot, int index) {
    MemorySegment region = kvm_userspace_memory_region2.allocate(arena);
    kvm_userspace_memory_region2.slot(region, UNKNOWN);
    kvm_userspace_memory_region2.flags(region, flags(slot.kind()));
    kvm_userspace_memory_region2.guest_phys_addr(region, slot.gpa());
    kvm_userspace_memory_region2.memory_size(region, slot.bytes());
    kvm_userspace_memory_region2.guest_memfd_offset(region, slot.dmaBufOffset());
    kvm_userspace_memory_region2.guest_memfd(region, UNKNOWN);
    return planned(
        KvmIoctls.KVM_SET_USER_MEMORY_REGION2,
        "<vm>",
        region,
        Map.of("slot", slotName(index), "guest_memfd", dmaBufName(slot.dmaBuf().orElseThrow())));
  }

  private int flags(Kind kind) {
    if (kind == Kind.PRIVATE && abilities.privateMmio() == PrivateMmio.SLOT_OF_WHOLE_DMABUF) {
      return (int) TsmIntelRfc2025.KVM_MEM_VFIO_DMABUF();
    }
    long privateOnly = kind == Kind.PRIVATE ? TsmSeed2025.KVM_MEM_PRIVATE_ONLY() : 0;
    return (int) (TsmSeed2025.KVM_MEM_DMABUF() | privateOnly);
  }

  /** A slot over the BAR as this process has it mapped. */
  private PlannedIoctl slotByAddress(PlannedSlot slot, int index) {
    MemorySegment region = kvm_userspace_memory_region.allocate(arena);
    kvm_userspace_memory_region.slot(region, UNKNOWN);
    kvm_userspace_memory_region.guest_phys_addr(region, slot.gpa());
    kvm_userspace_memory_region.memory_size(region, slot.bytes());
    kvm_userspace_memory_region.userspace_addr(region, UNKNOWN);
    return planned(
        KvmIoctls.KVM_SET_USER_MEMORY_REGION,
        "<vm>",
        region,
        Map.of(
            "slot",
            slotName(index),
            "userspace_addr",
            "<mapping of BAR %d>+0x%x".formatted(slot.bar(), slot.barOffset())));
  }

  private static String slotName(int index) {
    return "<slot %d>".formatted(index);
  }

  private PlannedIoctl map(PlannedMap map) {
    MemorySegment file = iommu_ioas_map_file.allocate(arena);
    iommu_ioas_map_file.size(file, (int) iommu_ioas_map_file.sizeof());
    iommu_ioas_map_file.flags(
        file,
        Iommufd.IOMMU_IOAS_MAP_FIXED_IOVA()
            | Iommufd.IOMMU_IOAS_MAP_READABLE()
            | Iommufd.IOMMU_IOAS_MAP_WRITEABLE());
    iommu_ioas_map_file.ioas_id(file, UNKNOWN);
    iommu_ioas_map_file.fd(file, UNKNOWN);
    iommu_ioas_map_file.start(file, map.start());
    iommu_ioas_map_file.length(file, map.bytes());
    iommu_ioas_map_file.iova(file, map.iova());
    return planned(
        IommufdIoctls.IOMMU_IOAS_MAP_FILE,
        "<iommufd>",
        file,
        Map.of("ioas_id", "<ioas>", "fd", dmaBufName(map.dmaBuf())));
  }

  private static PlannedIoctl planned(
      Ioctl command, String on, MemorySegment struct, Map<String, String> names) {
    String text = StructText.of(command.argument().orElseThrow(), struct);
    for (Map.Entry<String, String> name : names.entrySet()) {
      text =
          text.replaceFirst(
              "\\b%s=%d\\b".formatted(name.getKey(), UNKNOWN),
              Matcher.quoteReplacement(name.getKey() + "=" + name.getValue()));
    }
    return new PlannedIoctl(command, on, text, struct, Optional.empty());
  }
}
