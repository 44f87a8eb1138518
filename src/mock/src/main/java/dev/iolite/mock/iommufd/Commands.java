package dev.iolite.mock.iommufd;

import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.IommufdIoctls;
import java.util.Optional;

/** The commands of {@code /dev/iommu} (main.c:iommufd_ioctl_ops). */
final class Commands {
  private Commands() {}

  /** Finds the command with a number in the table of calls; empty if there is none. */
  static Optional<Command> find(int number) {
    return IommufdIoctls.all().stream()
        .filter(call -> call.number() == number)
        .findFirst()
        .map(Commands::of);
  }

  /** The last field of the struct's first version, and what the command does. */
  private static Command of(Ioctl call) {
    return switch (call.name()) {
      case "IOMMU_DESTROY" -> Command.of(call, "id", ObjectCommands::destroy);
      case "IOMMU_IOAS_ALLOC" -> Command.of(call, "out_ioas_id", IoasCommands::alloc);
      case "IOMMU_IOAS_ALLOW_IOVAS" -> Command.of(call, "allowed_iovas", IoasCommands::allowIovas);
      case "IOMMU_IOAS_COPY" -> Command.of(call, "src_iova", MapCommands::copy);
      case "IOMMU_IOAS_IOVA_RANGES" ->
          Command.of(call, "out_iova_alignment", IoasCommands::iovaRanges);
      case "IOMMU_IOAS_MAP" -> Command.of(call, "iova", MapCommands::map);
      case "IOMMU_IOAS_UNMAP" -> Command.of(call, "length", MapCommands::unmap);
      case "IOMMU_OPTION" -> Command.of(call, "val64", OptionCommands::option);
      case "IOMMU_VFIO_IOAS" -> Command.of(call, "__reserved", OptionCommands::vfioIoas);
      case "IOMMU_HWPT_ALLOC" -> Command.of(call, "__reserved", HwptCommands::alloc);
      case "IOMMU_GET_HW_INFO" -> Command.of(call, "__reserved", ObjectCommands::hwInfo);
      case "IOMMU_HWPT_SET_DIRTY_TRACKING" ->
          Command.of(call, "__reserved", DirtyCommands::setTracking);
      case "IOMMU_HWPT_GET_DIRTY_BITMAP" -> Command.of(call, "data", DirtyCommands::getBitmap);
      case "IOMMU_HWPT_INVALIDATE" -> Command.of(call, "__reserved", HwptCommands::invalidate);
      case "IOMMU_FAULT_QUEUE_ALLOC" -> Command.of(call, "out_fault_fd", QueueCommands::faultQueue);
      case "IOMMU_IOAS_MAP_FILE" -> Command.of(call, "iova", MapCommands::mapFile);
      case "IOMMU_VIOMMU_ALLOC" -> Command.of(call, "out_viommu_id", ViommuCommands::viommu);
      case "IOMMU_VDEVICE_ALLOC" -> Command.of(call, "virt_id", ViommuCommands::vdevice);
      case "IOMMU_IOAS_CHANGE_PROCESS" ->
          Command.of(call, "__reserved", IoasCommands::changeProcess);
      case "IOMMU_VEVENTQ_ALLOC" -> Command.of(call, "out_veventq_fd", QueueCommands::veventQueue);
      case "IOMMU_HW_QUEUE_ALLOC" -> Command.of(call, "length", ViommuCommands::hwQueue);
      case "IOMMU_IOAS_NOIOMMU_GET_PA" ->
          Command.of(call, "out_phys", IoasCommands::physicalAddress);
      default -> throw new AssertionError("the model lacks " + call.name());
    };
  }
}
