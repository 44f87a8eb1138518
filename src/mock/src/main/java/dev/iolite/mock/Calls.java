package dev.iolite.mock;

import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import java.util.Optional;

/** Selects the calls that a fault applies to. */
@FunctionalInterface
public interface Calls {
  /**
   * A call that is about to be made.
   *
   * @param name the system call, such as {@code mmap}
   * @param path the path that it opens or reads as a link; empty for other calls
   * @param kind what its descriptor refers to; empty if it has none or the kind is unknown
   * @param command for an ioctl, the command; empty for other calls and unknown commands
   */
  record Call(String name, String path, Optional<FdKind> kind, Optional<Ioctl> command) {
    /** For example {@code IOMMU_IOAS_MAP} or {@code open /dev/kvm}. */
    @Override
    public String toString() {
      return command.map(Ioctl::name).orElse(path.isEmpty() ? name : name + " " + path);
    }
  }

  /** Whether this call is among them. */
  boolean include(Call call);

  /** Every call. */
  static Calls any() {
    return _ -> true;
  }

  /** The calls of an ioctl. */
  static Calls of(Ioctl command) {
    return call -> call.command().filter(command::equals).isPresent();
  }

  /**
   * The calls of an ioctl with a name, such as {@code IOMMU_IOAS_MAP}.
   *
   * @param ioctls those that there are
   * @return empty if it is none of them
   */
  static Optional<Calls> ofIoctl(String name, Ioctls ioctls) {
    return ioctls.all().stream()
        .filter(ioctl -> ioctl.name().equals(name))
        .findAny()
        .map(_ -> call -> call.command().map(Ioctl::name).filter(name::equals).isPresent());
  }

  /** The calls with a name, such as {@code mmap}. */
  static Calls named(String name) {
    return call -> call.name().equals(name);
  }

  /**
   * The calls that make, change or inspect something: not those that undo (close, munmap), and not
   * those that only read names and attributes.
   */
  static Calls thatWork() {
    return call ->
        switch (call.name()) {
          case "close", "munmap", "readlink", "getdents64", "lseek" -> false;
          case "open" -> call.path().startsWith("/dev/");
          case "read" -> call.kind().filter(kind -> kind != FdKind.FILE).isPresent();
          default -> true;
        };
  }

  /** The calls that undo: close and munmap. */
  static Calls thatUndo() {
    return call -> call.name().equals("close") || call.name().equals("munmap");
  }

  /** The calls that only read names and attributes of sysfs and procfs. */
  static Calls thatLook() {
    return call -> !thatWork().include(call) && !thatUndo().include(call);
  }
}
