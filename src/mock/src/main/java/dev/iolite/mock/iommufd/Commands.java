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
import java.util.Optional;

/** The commands of {@code /dev/iommu} (main.c:iommufd_ioctl_ops). */
final class Commands {
  private Commands() {}

  /**
   * The command with a number; empty: there is none. What it needs is loaded when it is asked for,
   * as the classes of all structs take the JVM long.
   */
  static Optional<Command> find(int number) {
    if (number == Iommufd.IOMMU_DESTROY()) {
      return Optional.of(Command.of(number, iommu_destroy.layout(), "id", ObjectCommands::destroy));
    }
    if (number == Iommufd.IOMMU_IOAS_ALLOC()) {
      return Optional.of(
          Command.of(number, iommu_ioas_alloc.layout(), "out_ioas_id", IoasCommands::alloc));
    }
    if (number == Iommufd.IOMMU_IOAS_ALLOW_IOVAS()) {
      return Optional.of(
          Command.of(
              number, iommu_ioas_allow_iovas.layout(), "allowed_iovas", IoasCommands::allowIovas));
    }
    if (number == Iommufd.IOMMU_IOAS_COPY()) {
      return Optional.of(
          Command.of(number, iommu_ioas_copy.layout(), "src_iova", MapCommands::copy));
    }
    if (number == Iommufd.IOMMU_IOAS_IOVA_RANGES()) {
      return Optional.of(
          Command.of(
              number,
              iommu_ioas_iova_ranges.layout(),
              "out_iova_alignment",
              IoasCommands::iovaRanges));
    }
    if (number == Iommufd.IOMMU_IOAS_MAP()) {
      return Optional.of(Command.of(number, iommu_ioas_map.layout(), "iova", MapCommands::map));
    }
    if (number == Iommufd.IOMMU_IOAS_UNMAP()) {
      return Optional.of(
          Command.of(number, iommu_ioas_unmap.layout(), "length", MapCommands::unmap));
    }
    if (number == Iommufd.IOMMU_OPTION()) {
      return Optional.of(
          Command.of(number, iommu_option.layout(), "val64", OptionCommands::option));
    }
    if (number == Iommufd.IOMMU_VFIO_IOAS()) {
      return Optional.of(
          Command.of(number, iommu_vfio_ioas.layout(), "__reserved", OptionCommands::vfioIoas));
    }
    if (number == Iommufd.IOMMU_HWPT_ALLOC()) {
      return Optional.of(
          Command.of(number, iommu_hwpt_alloc.layout(), "__reserved", HwptCommands::alloc));
    }
    if (number == Iommufd.IOMMU_GET_HW_INFO()) {
      return Optional.of(
          Command.of(number, iommu_hw_info.layout(), "__reserved", ObjectCommands::hwInfo));
    }
    if (number == Iommufd.IOMMU_HWPT_SET_DIRTY_TRACKING()) {
      return Optional.of(
          Command.of(
              number,
              iommu_hwpt_set_dirty_tracking.layout(),
              "__reserved",
              DirtyCommands::setTracking));
    }
    if (number == Iommufd.IOMMU_HWPT_GET_DIRTY_BITMAP()) {
      return Optional.of(
          Command.of(
              number, iommu_hwpt_get_dirty_bitmap.layout(), "data", DirtyCommands::getBitmap));
    }
    if (number == Iommufd.IOMMU_HWPT_INVALIDATE()) {
      return Optional.of(
          Command.of(
              number, iommu_hwpt_invalidate.layout(), "__reserved", HwptCommands::invalidate));
    }
    if (number == Iommufd.IOMMU_FAULT_QUEUE_ALLOC()) {
      return Optional.of(
          Command.of(
              number, iommu_fault_alloc.layout(), "out_fault_fd", QueueCommands::faultQueue));
    }
    if (number == Iommufd.IOMMU_IOAS_MAP_FILE()) {
      return Optional.of(
          Command.of(number, iommu_ioas_map_file.layout(), "iova", MapCommands::mapFile));
    }
    if (number == Iommufd.IOMMU_VIOMMU_ALLOC()) {
      return Optional.of(
          Command.of(number, iommu_viommu_alloc.layout(), "out_viommu_id", ViommuCommands::viommu));
    }
    if (number == Iommufd.IOMMU_VDEVICE_ALLOC()) {
      return Optional.of(
          Command.of(number, iommu_vdevice_alloc.layout(), "virt_id", ViommuCommands::vdevice));
    }
    if (number == Iommufd.IOMMU_IOAS_CHANGE_PROCESS()) {
      return Optional.of(
          Command.of(
              number,
              iommu_ioas_change_process.layout(),
              "__reserved",
              IoasCommands::changeProcess));
    }
    if (number == Iommufd.IOMMU_VEVENTQ_ALLOC()) {
      return Optional.of(
          Command.of(
              number, iommu_veventq_alloc.layout(), "out_veventq_fd", QueueCommands::veventQueue));
    }
    if (number == Iommufd.IOMMU_HW_QUEUE_ALLOC()) {
      return Optional.of(
          Command.of(number, iommu_hw_queue_alloc.layout(), "length", ViommuCommands::hwQueue));
    }
    if (number == Iommufd.IOMMU_IOAS_NOIOMMU_GET_PA()) {
      return Optional.of(
          Command.of(
              number,
              iommu_ioas_noiommu_get_pa.layout(),
              "out_phys",
              IoasCommands::physicalAddress));
    }
    return Optional.empty();
  }
}
