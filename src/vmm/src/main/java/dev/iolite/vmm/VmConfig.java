package dev.iolite.vmm;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.PciAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

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

  /** More than any kernel or initrd needs; an array can't have more than 2 GiB. */
  private static final long LARGEST_FILE = 1L << 30;

  /** Copies the list. */
  public VmConfig {
    devices = List.copyOf(devices);
    if (cpus < 1 || cpus > MOST_CPUS) {
      throw new IllegalArgumentException("a guest has 1 to 254 processors, not " + cpus);
    }
    if (type != VmType.DEFAULT && type != VmType.SW_PROTECTED) {
      throw new IllegalArgumentException(
          "a guest's VM is of type default or sw-protected, and no other is launched here");
    }
  }

  BzImage kernelImage() {
    return new BzImage(kernel.toString(), read("kernel", kernel));
  }

  Optional<byte[]> initrdBytes() {
    return initrd.map(path -> read("initrd", path));
  }

  private static byte[] read(String what, Path path) {
    String tried = "read the " + what + " " + path;
    try {
      long bytes = Files.size(path);
      if (bytes > LARGEST_FILE) {
        throw new PreconditionException(
            tried, "it has %d bytes".formatted(bytes), "it is another file", "check the path");
      }
      return Files.readAllBytes(path);
    } catch (IOException e) {
      throw new PreconditionException(
          tried,
          e.getClass().getSimpleName() + ": " + e.getMessage(),
          "there is no such file, or this user may not read it",
          "check the path");
    }
  }
}
