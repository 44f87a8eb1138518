package dev.iolite.vmm;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.PciAddress;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a guest is made of.
 *
 * @param kernel its kernel, a bzImage
 * @param initrd its initial RAM disk
 * @param commandLine its kernel's command line
 * @param memoryBytes its RAM
 * @param cpus its processors, 1 to {@link #MOST_CPUS}
 * @param devices the host's PCI devices that it gets, bound to vfio-pci
 * @param type the type of VM
 */
public record VmConfig(
    Path kernel,
    Optional<Path> initrd,
    String commandLine,
    long memoryBytes,
    int cpus,
    List<PciAddress> devices,
    VmType type) {
  /** APIC ids of 8 bits, the last of which means all processors. */
  public static final int MOST_CPUS = 254;

  /** More than any kernel or initrd needs; a buffer can't have more than 2 GiB. */
  private static final long LARGEST_FILE = 1L << 30;

  /** Copies the list. */
  public VmConfig {
    devices = List.copyOf(devices);
    if (cpus < 1 || cpus > MOST_CPUS) {
      throw new IllegalArgumentException("a guest has 1 to 254 processors, not " + cpus);
    }
    if (devices.size() >= PciBus.SLOTS) {
      throw new IllegalArgumentException("a guest has 31 devices at most, not " + devices.size());
    }
    if (Set.copyOf(devices).size() != devices.size()) {
      throw new IllegalArgumentException("a device is named twice");
    }
    if (type != VmType.DEFAULT && type != VmType.SW_PROTECTED) {
      throw new IllegalArgumentException(
          "a guest's VM is of type default or sw-protected, and no other is launched here");
    }
  }

  /** The kernel, as long as the arena lives. */
  BzImage kernelImage(Arena arena) {
    return new BzImage(kernel.toString(), map("kernel", kernel, arena).asByteBuffer());
  }

  /** The initial RAM disk, as long as the arena lives. */
  Optional<MemorySegment> initrd(Arena arena) {
    return initrd.map(path -> map("initrd", path, arena));
  }

  /** Files are mapped, because the Java heap may be smaller than they are. */
  private static MemorySegment map(String what, Path path, Arena arena) {
    String tried = "read the " + what + " " + path;
    try {
      if (!Files.readAttributes(path, BasicFileAttributes.class).isRegularFile()) {
        throw new PreconditionException(
            tried, "it is no regular file", "it is a directory, a device or a pipe", "name a file");
      }
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
        long bytes = channel.size();
        if (bytes > LARGEST_FILE) {
          throw new PreconditionException(
              tried, "it has %d bytes".formatted(bytes), "it is another file", "check the path");
        }
        return channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena);
      }
    } catch (IOException e) {
      throw new PreconditionException(
          tried,
          e.getClass().getSimpleName() + ": " + e.getMessage(),
          "there is no such file, or this user may not read it",
          "check the path");
    }
  }
}
