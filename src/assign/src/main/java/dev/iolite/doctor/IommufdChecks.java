package dev.iolite.doctor;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.kernel.SysFs;

/** Checks iommufd, and how much memory it may lock. */
final class IommufdChecks {
  private static final Need IOMMUFD =
      Need.ofKernel(
          "iommufd",
          Finding.Status.MISSING,
          new Need.Codes(
              FindingCode.NO_IOMMUFD, FindingCode.IOMMUFD_FORBIDDEN, FindingCode.IOMMUFD_FAILED),
          "devices are attached through it",
          "modprobe iommufd; if there is no such module, a kernel with CONFIG_IOMMUFD: ");
  private static final String RAISE = "ulimit -l unlimited, or LimitMEMLOCK=infinity in the unit";
  private static final long PROBE_BYTES = 2 << 20;

  private final Kernel kernel;

  IommufdChecks(Kernel kernel) {
    this.kernel = kernel;
  }

  Finding iommufd() {
    return IOMMUFD.attempt(() -> {
      try (Iommufd iommufd = Iommufd.open(kernel);
          Ioas ioas = iommufd.allocIoas();
          Mapping memory = Mapping.anonymous(kernel, PROBE_BYTES);
          MemFd file = MemFd.create(kernel, "iolite-doctor", PROBE_BYTES);
          IovaMapping _ = ioas.mapAnywhere(memory.segment(), IovaAccess.READ_WRITE);
          IovaMapping _ = ioas.mapFileAnywhere(file.fd(), 0, PROBE_BYTES, IovaAccess.READ_WRITE)) {
        return IOMMUFD.ok(Iommufd.PATH + " makes an IOAS, and maps memory and a memfd in it");
      }
    });
  }

  Finding memlock(DeviceTrial trial) {
    if (trial instanceof DeviceTrial.Done done && done.locking().isPresent()) {
      return memlock(Finding.Status.MISSING, Need.Codes.only(FindingCode.MEMLOCK_FAILED))
          .failed(done.locking().get());
    }
    Need all =
        memlock(
            Finding.Status.MISSING,
            Need.Codes.ofFiles(FindingCode.MEMLOCK_TOO_LOW, FindingCode.MEMLOCK_UNREAD));
    return all.look(() -> {
      MemlockLimit limit = MemlockLimit.of(new SysFs(kernel));
      String found = limit + "; " + tried(trial);
      if (!(trial instanceof DeviceTrial.Done) && limit.isBelow(DeviceTrial.LOCKED_BYTES)) {
        return all.absent(found + "; a passthrough locks 2 MiB");
      }
      return limit.isLimited()
          ? memlock(Finding.Status.OPTIONAL, Need.Codes.only(FindingCode.MEMLOCK_LIMITED))
              .absent(found + "; enough for a passthrough, which locks 2 MiB")
          : all.ok(found);
    });
  }

  private static Need memlock(Finding.Status without, Need.Codes codes) {
    return new Need(
        "memlock",
        without,
        codes,
        "all of a guest's memory is locked while it has a device",
        RAISE);
  }

  private static String tried(DeviceTrial trial) {
    return trial instanceof DeviceTrial.Done done
        ? "2 MiB locked for " + done.device()
        : trial.summary();
  }
}
