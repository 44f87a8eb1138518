package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_option;
import dev.iolite.uapi.iommufd.iommu_vfio_ioas;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Commands for options and for the IOAS of VFIO's old calls. The caller is root. */
final class OptionCommands {
  private static final int GET = Iommufd.IOMMU_OPTION_OP_GET();
  private static final int SET = Iommufd.IOMMU_OPTION_OP_SET();
  private static final int RLIMIT_MODE = Iommufd.IOMMU_OPTION_RLIMIT_MODE();
  private static final int HUGE_PAGES = Iommufd.IOMMU_OPTION_HUGE_PAGES();

  private OptionCommands() {}

  /** IOMMU_OPTION (main.c:iommufd_option). */
  static void option(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    refuseIf(iommu_option.__reserved(cmd) != 0, Errno.EOPNOTSUPP);
    int option = iommu_option.option_id(cmd);
    if (option == RLIMIT_MODE) {
      rlimitMode(ucmd.context(), cmd);
    } else if (option == HUGE_PAGES) {
      int id = iommu_option.object_id(cmd);
      hugePages(ucmd.context().objects().get(id, IommufdIoas.class).table(), cmd);
    } else {
      throw refused(Errno.EOPNOTSUPP);
    }
    long offset = iommu_option.val64$offset();
    ucmd.task().out(ucmd.address() + offset, cmd.asSlice(offset, Long.BYTES));
  }

  /** ioas.c:iommufd_option_rlimit_mode. */
  private static void rlimitMode(IommufdFile context, MemorySegment cmd) {
    refuseIf(iommu_option.object_id(cmd) != 0, Errno.EOPNOTSUPP);
    int op = iommu_option.op(cmd);
    if (op == GET) {
      iommu_option.val64(cmd, context.accountsToProcess() ? 1 : 0);
    } else if (op == SET) {
      refuseIf(!context.objects().isEmpty(), Errno.EBUSY);
      context.setAccountsToProcess(flag(cmd));
    } else {
      throw refused(Errno.EOPNOTSUPP);
    }
  }

  /** ioas.c:iommufd_ioas_option_huge_pages. */
  private static void hugePages(IoPageTable table, MemorySegment cmd) {
    int op = iommu_option.op(cmd);
    if (op == GET) {
      iommu_option.val64(cmd, table.isWithoutHugePages() ? 0 : 1);
    } else if (op == SET && flag(cmd)) {
      table.enableHugePages();
    } else if (op == SET) {
      table.disableHugePages();
    } else {
      throw refused(Errno.EOPNOTSUPP);
    }
  }

  private static boolean flag(MemorySegment cmd) {
    long value = iommu_option.val64(cmd);
    refuseIf(value != 0 && value != 1, Errno.EINVAL);
    return value == 1;
  }

  /** IOMMU_VFIO_IOAS (vfio_compat.c:iommufd_vfio_ioas). */
  static void vfioIoas(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    IommufdFile context = ucmd.context();
    refuseIf(iommu_vfio_ioas.__reserved(cmd) != 0, Errno.EOPNOTSUPP);
    int op = iommu_vfio_ioas.op(cmd);
    if (op == Iommufd.IOMMU_VFIO_IOAS_GET()) {
      IommufdIoas ioas = context.vfioIoas().orElseThrow(() -> refused(Errno.ENODEV));
      iommu_vfio_ioas.ioas_id(cmd, ioas.id());
      ucmd.respond();
    } else if (op == Iommufd.IOMMU_VFIO_IOAS_SET()) {
      IommufdIoas ioas = context.objects().get(iommu_vfio_ioas.ioas_id(cmd), IommufdIoas.class);
      context.setVfioIoas(Optional.of(ioas));
    } else if (op == Iommufd.IOMMU_VFIO_IOAS_CLEAR()) {
      context.setVfioIoas(Optional.empty());
    } else {
      throw refused(Errno.EOPNOTSUPP);
    }
  }
}
