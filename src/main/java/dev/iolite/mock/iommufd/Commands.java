package dev.iolite.mock.iommufd;

import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_destroy;
import dev.iolite.uapi.iommufd.iommu_fault_alloc;
import dev.iolite.uapi.iommufd.iommu_hw_info;
import dev.iolite.uapi.iommufd.iommu_hw_queue_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_get_dirty_bitmap;
import dev.iolite.uapi.iommufd.iommu_hwpt_invalidate;
import dev.iolite.uapi.iommufd.iommu_hwpt_set_dirty_tracking;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_allow_iovas;
import dev.iolite.uapi.iommufd.iommu_ioas_change_process;
import dev.iolite.uapi.iommufd.iommu_ioas_copy;
import dev.iolite.uapi.iommufd.iommu_ioas_iova_ranges;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.iommufd.iommu_ioas_map_file;
import dev.iolite.uapi.iommufd.iommu_ioas_noiommu_get_pa;
import dev.iolite.uapi.iommufd.iommu_ioas_unmap;
import dev.iolite.uapi.iommufd.iommu_option;
import dev.iolite.uapi.iommufd.iommu_vdevice_alloc;
import dev.iolite.uapi.iommufd.iommu_veventq_alloc;
import dev.iolite.uapi.iommufd.iommu_vfio_ioas;
import dev.iolite.uapi.iommufd.iommu_viommu_alloc;
import java.util.List;

/** The commands of {@code /dev/iommu} (main.c:iommufd_ioctl_ops). */
final class Commands {
  private Commands() {}

  /** All of them. */
  static List<Command> all() {
    return List.of(
        Command.of(Iommufd.IOMMU_DESTROY(), iommu_destroy.layout(), "id", ObjectCommands::destroy),
        Command.of(
            Iommufd.IOMMU_IOAS_ALLOC(),
            iommu_ioas_alloc.layout(),
            "out_ioas_id",
            IoasCommands::alloc),
        Command.of(
            Iommufd.IOMMU_IOAS_ALLOW_IOVAS(),
            iommu_ioas_allow_iovas.layout(),
            "allowed_iovas",
            IoasCommands::allowIovas),
        Command.of(
            Iommufd.IOMMU_IOAS_COPY(), iommu_ioas_copy.layout(), "src_iova", MapCommands::copy),
        Command.of(
            Iommufd.IOMMU_IOAS_IOVA_RANGES(),
            iommu_ioas_iova_ranges.layout(),
            "out_iova_alignment",
            IoasCommands::iovaRanges),
        Command.of(Iommufd.IOMMU_IOAS_MAP(), iommu_ioas_map.layout(), "iova", MapCommands::map),
        Command.of(
            Iommufd.IOMMU_IOAS_UNMAP(), iommu_ioas_unmap.layout(), "length", MapCommands::unmap),
        Command.of(Iommufd.IOMMU_OPTION(), iommu_option.layout(), "val64", OptionCommands::option),
        Command.of(
            Iommufd.IOMMU_VFIO_IOAS(),
            iommu_vfio_ioas.layout(),
            "__reserved",
            OptionCommands::vfioIoas),
        Command.of(
            Iommufd.IOMMU_HWPT_ALLOC(),
            iommu_hwpt_alloc.layout(),
            "__reserved",
            HwptCommands::alloc),
        Command.of(
            Iommufd.IOMMU_GET_HW_INFO(),
            iommu_hw_info.layout(),
            "__reserved",
            ObjectCommands::hwInfo),
        Command.of(
            Iommufd.IOMMU_HWPT_SET_DIRTY_TRACKING(),
            iommu_hwpt_set_dirty_tracking.layout(),
            "__reserved",
            DirtyCommands::setTracking),
        Command.of(
            Iommufd.IOMMU_HWPT_GET_DIRTY_BITMAP(),
            iommu_hwpt_get_dirty_bitmap.layout(),
            "data",
            DirtyCommands::getBitmap),
        Command.of(
            Iommufd.IOMMU_HWPT_INVALIDATE(),
            iommu_hwpt_invalidate.layout(),
            "__reserved",
            HwptCommands::invalidate),
        Command.of(
            Iommufd.IOMMU_FAULT_QUEUE_ALLOC(),
            iommu_fault_alloc.layout(),
            "out_fault_fd",
            QueueCommands::faultQueue),
        Command.of(
            Iommufd.IOMMU_IOAS_MAP_FILE(),
            iommu_ioas_map_file.layout(),
            "iova",
            MapCommands::mapFile),
        Command.of(
            Iommufd.IOMMU_VIOMMU_ALLOC(),
            iommu_viommu_alloc.layout(),
            "out_viommu_id",
            ViommuCommands::viommu),
        Command.of(
            Iommufd.IOMMU_VDEVICE_ALLOC(),
            iommu_vdevice_alloc.layout(),
            "virt_id",
            ViommuCommands::vdevice),
        Command.of(
            Iommufd.IOMMU_IOAS_CHANGE_PROCESS(),
            iommu_ioas_change_process.layout(),
            "__reserved",
            IoasCommands::changeProcess),
        Command.of(
            Iommufd.IOMMU_VEVENTQ_ALLOC(),
            iommu_veventq_alloc.layout(),
            "out_veventq_fd",
            QueueCommands::veventQueue),
        Command.of(
            Iommufd.IOMMU_HW_QUEUE_ALLOC(),
            iommu_hw_queue_alloc.layout(),
            "length",
            ViommuCommands::hwQueue),
        Command.of(
            Iommufd.IOMMU_IOAS_NOIOMMU_GET_PA(),
            iommu_ioas_noiommu_get_pa.layout(),
            "out_phys",
            IoasCommands::physicalAddress));
  }
}
