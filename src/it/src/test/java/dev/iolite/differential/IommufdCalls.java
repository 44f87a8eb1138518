package dev.iolite.differential;

import static dev.iolite.differential.Machine.name;

import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.iommu_destroy;
import dev.iolite.uapi.iommufd.iommu_hw_info;
import dev.iolite.uapi.iommufd.iommu_hw_info_vtd;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_allow_iovas;
import dev.iolite.uapi.iommufd.iommu_ioas_change_process;
import dev.iolite.uapi.iommufd.iommu_ioas_copy;
import dev.iolite.uapi.iommufd.iommu_ioas_iova_ranges;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.iommufd.iommu_ioas_map_file;
import dev.iolite.uapi.iommufd.iommu_ioas_unmap;
import dev.iolite.uapi.iommufd.iommu_option;
import dev.iolite.uapi.iommufd.iommu_vfio_ioas;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The calls on an iommufd. */
final class IommufdCalls {
  /**
   * Enhanced Set Root Table Pointer Support, of the capability register. QEMU's IOMMU has it from
   * 11.1 on, whatever the machine's version, and no property takes it away. The kernel only passes
   * the register on, so this bit says nothing of it.
   */
  private static final long VTD_ESRTPS = 1L << 63;

  private final Machine machine;

  IommufdCalls(Machine machine) {
    this.machine = machine;
  }

  String answer(Op op) {
    return switch (op.kind()) {
      case IOAS -> ioas();
      case DESTROY -> destroy(machine.objects().get(op.arg(0)));
      case MAP -> map(op);
      case MAP_FILE -> mapFile(op);
      case COPY -> copy(op);
      case UNMAP -> unmapped(ioas(op, 0), op.arg(1), op.arg(2));
      case RANGES -> ranges(ioas(op, 0), (int) op.arg(1));
      case ALLOW -> allow(op);
      case OPTION -> option(op);
      case HWPT -> hwpt(op);
      case HW_INFO -> hwInfo(op);
      case VFIO_IOAS -> vfioIoas(op);
      case CHANGE_PROCESS -> changeProcess();
      default -> throw new IllegalArgumentException(op.toString());
    };
  }

  private int ioas(Op op, int arg) {
    return machine.ioases().get(op.arg(arg));
  }

  private String ioas() {
    MemorySegment alloc = machine.sized(iommu_ioas_alloc.layout());
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_IOAS_ALLOC, alloc);
    int id = iommu_ioas_alloc.out_ioas_id(alloc);
    if (result == 0) {
      machine.ioases().add(id);
      machine.objects().add(id);
    }
    return name(result) + " " + id;
  }

  private String destroy(int id) {
    MemorySegment destroy = machine.sized(iommu_destroy.layout());
    iommu_destroy.id(destroy, id);
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_DESTROY, destroy);
    if (result == 0) {
      machine.forget(id);
    }
    return name(result);
  }

  private String map(Op op) {
    MemorySegment map = machine.sized(iommu_ioas_map.layout());
    iommu_ioas_map.ioas_id(map, ioas(op, 0));
    iommu_ioas_map.flags(map, (int) op.arg(1));
    iommu_ioas_map.user_va(map, machine.address(op.arg(2)));
    iommu_ioas_map.length(map, op.arg(3));
    iommu_ioas_map.iova(map, op.arg(4));
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_IOAS_MAP, map);
    return name(result) + " " + iommu_ioas_map.iova(map);
  }

  private String mapFile(Op op) {
    MemorySegment map = machine.sized(iommu_ioas_map_file.layout());
    iommu_ioas_map_file.ioas_id(map, ioas(op, 0));
    iommu_ioas_map_file.flags(map, (int) op.arg(1));
    iommu_ioas_map_file.fd(map, file(op.arg(2)));
    iommu_ioas_map_file.start(map, op.arg(3));
    iommu_ioas_map_file.length(map, op.arg(4));
    iommu_ioas_map_file.iova(map, op.arg(5));
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_IOAS_MAP_FILE, map);
    return name(result) + " " + iommu_ioas_map_file.iova(map);
  }

  /** The memfd, or one of the dma-bufs. */
  private int file(long reference) {
    return reference == 0
        ? machine.memfd()
        : machine.bufs.get(reference < 0 ? reference : reference - 1);
  }

  private String copy(Op op) {
    MemorySegment copy = machine.sized(iommu_ioas_copy.layout());
    iommu_ioas_copy.dst_ioas_id(copy, ioas(op, 0));
    iommu_ioas_copy.flags(copy, (int) op.arg(1));
    iommu_ioas_copy.dst_iova(copy, op.arg(2));
    iommu_ioas_copy.src_ioas_id(copy, ioas(op, 3));
    iommu_ioas_copy.src_iova(copy, op.arg(4));
    iommu_ioas_copy.length(copy, op.arg(5));
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_IOAS_COPY, copy);
    return name(result) + " " + iommu_ioas_copy.dst_iova(copy);
  }

  String unmapped(int ioas, long iova, long length) {
    MemorySegment unmap = machine.sized(iommu_ioas_unmap.layout());
    iommu_ioas_unmap.ioas_id(unmap, ioas);
    iommu_ioas_unmap.iova(unmap, iova);
    iommu_ioas_unmap.length(unmap, length);
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_IOAS_UNMAP, unmap);
    return name(result) + " " + iommu_ioas_unmap.length(unmap);
  }

  private String ranges(int ioas, int room) {
    MemorySegment into = machine.zeros(16L * 8);
    MemorySegment ranges = machine.sized(iommu_ioas_iova_ranges.layout());
    iommu_ioas_iova_ranges.ioas_id(ranges, ioas);
    iommu_ioas_iova_ranges.num_iovas(ranges, room);
    iommu_ioas_iova_ranges.allowed_iovas(ranges, into.address());
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_IOAS_IOVA_RANGES, ranges);
    StringBuilder text = new StringBuilder(name(result));
    text.append(' ').append(iommu_ioas_iova_ranges.num_iovas(ranges));
    text.append(' ').append(iommu_ioas_iova_ranges.out_iova_alignment(ranges));
    for (int i = 0; i < 8; i++) {
      text.append(' ').append(Long.toHexString(into.getAtIndex(ValueLayout.JAVA_LONG, i)));
    }
    return text.toString();
  }

  private String allow(Op op) {
    MemorySegment allowed = machine.zeros(4 * 8);
    for (int i = 0; i < 4; i++) {
      allowed.setAtIndex(ValueLayout.JAVA_LONG, i, op.arg(1 + i));
    }
    MemorySegment allow = machine.sized(iommu_ioas_allow_iovas.layout());
    iommu_ioas_allow_iovas.ioas_id(allow, ioas(op, 0));
    iommu_ioas_allow_iovas.num_iovas(allow, op.arg(3) > op.arg(4) ? 1 : 2);
    iommu_ioas_allow_iovas.allowed_iovas(allow, allowed.address());
    return name(machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_IOAS_ALLOW_IOVAS, allow));
  }

  private String option(Op op) {
    MemorySegment option = machine.sized(iommu_option.layout());
    iommu_option.option_id(option, (int) op.arg(0));
    iommu_option.op(option, (short) op.arg(1));
    iommu_option.object_id(option, op.arg(0) == 0 ? 0 : ioas(op, 2));
    iommu_option.val64(option, op.arg(3));
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_OPTION, option);
    return name(result) + " " + iommu_option.val64(option);
  }

  private String hwpt(Op op) {
    MemorySegment alloc = machine.sized(iommu_hwpt_alloc.layout());
    iommu_hwpt_alloc.flags(alloc, (int) op.arg(0));
    iommu_hwpt_alloc.dev_id(alloc, machine.deviceIds().get(op.arg(1)));
    iommu_hwpt_alloc.pt_id(alloc, machine.objects().get(op.arg(2)));
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_HWPT_ALLOC, alloc);
    int id = iommu_hwpt_alloc.out_hwpt_id(alloc);
    if (result == 0) {
      machine.objects().add(id);
      machine.hwpts().add(id);
    }
    return name(result) + " " + id;
  }

  private String hwInfo(Op op) {
    MemorySegment data = machine.struct(iommu_hw_info_vtd.layout());
    MemorySegment info = machine.sized(iommu_hw_info.layout());
    iommu_hw_info.dev_id(info, machine.deviceIds().get(op.arg(0)));
    iommu_hw_info.data_len(info, (int) data.byteSize());
    iommu_hw_info.data_uptr(info, data.address());
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_GET_HW_INFO, info);
    return "%s %d %d %x %d %x %x %x"
        .formatted(
            name(result),
            iommu_hw_info.data_len(info),
            iommu_hw_info.out_data_type(info),
            iommu_hw_info.out_capabilities(info),
            iommu_hw_info.out_max_pasid_log2(info),
            iommu_hw_info_vtd.flags(data),
            iommu_hw_info_vtd.cap_reg(data) & ~VTD_ESRTPS,
            iommu_hw_info_vtd.ecap_reg(data));
  }

  private String vfioIoas(Op op) {
    MemorySegment ioas = machine.sized(iommu_vfio_ioas.layout());
    iommu_vfio_ioas.op(ioas, (short) op.arg(0));
    iommu_vfio_ioas.ioas_id(ioas, ioas(op, 1));
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_VFIO_IOAS, ioas);
    return name(result) + " " + iommu_vfio_ioas.ioas_id(ioas);
  }

  private String changeProcess() {
    MemorySegment change = machine.sized(iommu_ioas_change_process.layout());
    return name(machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_IOAS_CHANGE_PROCESS, change));
  }
}
