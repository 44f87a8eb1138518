package dev.iolite.kernel;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What usually causes an error of a system call on a file, on memory, or on nothing. See
 * mm/mmap.c:do_mmap, fs/eventfd.c, mm/memfd.c, mm/shmem.c:shmem_setattr,
 * drivers/dma-buf/dma-buf.c:dma_buf_mmap_internal, virt/kvm/guest_memfd.c:kvm_gmem_mmap and
 * drivers/dma-buf/udmabuf.c:check_memfd_seals.
 */
final class FileAdvice {
  private static final String NO_PAGES =
      "the length is 0, or address or offset is not a multiple of the page size";

  private FileAdvice() {}

  /** Advice for a call that is made on no descriptor. */
  static @Nullable Advice ofNone(String call, Errno errno) {
    return switch (call) {
      case "mmap" -> mapped(errno);
      case "munmap" ->
          switch (errno) {
            case EINVAL -> new Advice(NO_PAGES, "unmap what mmap returned, with its length");
            case ENOMEM ->
                new Advice(
                    "the process has as many mappings as it may, and this would split one",
                    "unmap whole mappings, or raise vm.max_map_count");
            default -> null;
          };
      case "memfd_create" ->
          errno == Errno.EINVAL
              ? new Advice("the name is longer than 249 bytes, or a flag is unknown", "shorten it")
              : null;
      case "eventfd" ->
          switch (errno) {
            case EINVAL ->
                new Advice("a flag is unknown to this kernel", "use EFD_CLOEXEC and EFD_NONBLOCK");
            case ENODEV ->
                new Advice(
                    "the kernel could not mount its anonymous files", "dmesg has the reason");
            default -> null;
          };
      default -> ofFile(call, errno);
    };
  }

  /** Advice for a file or directory, or a path. */
  static @Nullable Advice ofFile(String call, Errno errno) {
    return switch (call) {
      case "write", "pwrite" ->
          switch (errno) {
            case EINVAL -> new Advice("the kernel refused the value", "check what the file takes");
            case ESPIPE -> new Advice("the file is read by position only", "use write instead");
            case EPERM, EACCES ->
                new Advice(
                    "the kernel is locked down or this user may not do it",
                    "run as root; check /sys/kernel/security/lockdown");
            case ENODEV -> gone();
            case EIO -> new Advice("what is behind the file failed", "dmesg has the reason");
            default -> null;
          };
      case "read", "pread", "getdents64", "lseek" ->
          switch (errno) {
            case EINVAL -> new Advice("the file does not take this call", "check what it is: PATH");
            case EISDIR -> new Advice("it is a directory, and no file", "ls -ld PATH");
            case ENOTDIR -> new Advice("it is a file, and no directory", "ls -ld PATH");
            case ENODEV -> gone();
            case EIO -> new Advice("what is behind the file failed", "dmesg has the reason");
            default -> null;
          };
      case "readlink" ->
          switch (errno) {
            case EINVAL -> new Advice("it is no symbolic link", "ls -ld PATH");
            case ENOENT -> new Advice("there is no such path on this kernel", "ls -ld PATH");
            default -> null;
          };
      case "mmap" -> mapped(errno);
      default -> null;
    };
  }

  private static Advice gone() {
    return new Advice("what the file shows was removed after it was opened", "open it again");
  }

  /** Advice for a memfd or a guest_memfd. */
  static @Nullable Advice ofMemory(String call, Errno errno) {
    return switch (call) {
      case "mmap" ->
          errno == Errno.EPERM
              ? new Advice("the file is sealed against it", "map it for reading")
              : mapped(errno);
      case "ftruncate" ->
          switch (errno) {
            case EINVAL, EFBIG ->
                new Advice("the size is negative, or beyond what a file may have", "ask for less");
            case EPERM -> new Advice("the file is sealed", "set the size before the seals");
            default -> null;
          };
      case "fallocate" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "the range is empty, or no multiple of the page size", "give it whole pages")
              : null;
      case "fcntl" ->
          switch (errno) {
            case EPERM ->
                new Advice(
                    "the file was made without MFD_ALLOW_SEALING, or is sealed against more seals",
                    "make it sealable, and add all seals at once");
            case EBUSY ->
                new Advice(
                    "it is mapped writable, or its pages are pinned",
                    "unmap it everywhere before it is sealed against writing");
            case EINVAL -> new Advice("a seal is unknown to this kernel", "add only those it has");
            default -> null;
          };
      default -> ofFile(call, errno);
    };
  }

  /** Advice for a dma-buf. */
  static @Nullable Advice ofDmaBuf(String call, Errno errno) {
    return switch (call) {
      case "mmap" ->
          switch (errno) {
            case EINVAL, ENODEV ->
                new Advice(
                    "its exporter gives no mapping of it, or the range ends beyond its size",
                    "map the exporter's own memory, such as the device's BAR");
            default -> mapped(errno);
          };
      case "lseek" ->
          errno == Errno.EINVAL
              ? new Advice("a dma-buf is only asked for its size", "seek to its start or end")
              : null;
      default -> null;
    };
  }

  /** Advice for /dev/udmabuf. */
  static @Nullable Advice ofUdmabuf(String call, Errno errno) {
    return switch (errno) {
      case EINVAL ->
          call.startsWith("UDMABUF_")
              ? new Advice(
                  "the range is not of whole pages, too large, or of a memfd without F_SEAL_SHRINK",
                  "seal the memfd, and check the range and the module's limits")
              : null;
      case EBADFD -> new Advice("the descriptor is no memfd, or has no pages yet", "give a memfd");
      default -> null;
    };
  }

  /** Advice for an eventfd. */
  static @Nullable Advice ofEventFd(String call, Errno errno) {
    return switch (call) {
      case "write" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "an eventfd takes 8 bytes, a number below 2^64 - 1",
                    "write a whole 64-bit number");
            case EAGAIN ->
                new Advice(
                    "the count would overflow, and the eventfd does not wait", "read it first");
            default -> null;
          };
      case "read" ->
          switch (errno) {
            case EINVAL -> new Advice("an eventfd gives 8 bytes", "read into 8 bytes or more");
            case EAGAIN ->
                new Advice("the count is 0, and the eventfd does not wait", "wait with poll");
            default -> null;
          };
      case "poll" ->
          errno == Errno.EINVAL
              ? new Advice("there are more descriptors than the process may open", "ulimit -n")
              : null;
      case "mmap" -> mapped(errno);
      default -> ofFile(call, errno);
    };
  }

  /** Advice for mmap, whatever is mapped. */
  static @Nullable Advice mapped(Errno errno) {
    return switch (errno) {
      case EINVAL -> new Advice(NO_PAGES, "map whole pages, at least one");
      case ENOMEM ->
          new Advice(
              "the process is out of address space or memory, or the host has reserved too few huge"
                  + " pages",
              "free memory, or map less; reserve huge pages: vm.nr_hugepages");
      case EBUSY ->
          new Advice("something else uses what is to be mapped", "end that, then map it again");
      case ENODEV -> new Advice("what is to be mapped has no mapping", "read and write it instead");
      case EAGAIN ->
          new Advice(
              "the memory is to be locked, and the memlock limit is reached",
              "raise it: ulimit -l unlimited (or LimitMEMLOCK in the unit)");
      case EACCES, EPERM ->
          new Advice(
              "the file is not open for that, or may not be mapped so",
              "open it for reading and writing, and map it without PROT_EXEC");
      default -> null;
    };
  }

  /** Advice for a result that is a number but not a success. */
  static Optional<Advice> ofNumber(String call) {
    return call.equals("write")
        ? Optional.of(
            new Advice(
                "an attribute of sysfs takes one page at most", "write less, or in several calls"))
        : Optional.empty();
  }
}
