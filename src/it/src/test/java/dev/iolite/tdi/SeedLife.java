package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.PciAddress;
import dev.iolite.tdi.guest.SwProtectedAgent;
import dev.iolite.tsm.Profile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Assignments on the lab's kernel seed-2025, whose TSM is software: of ivshmem, or as told. */
final class SeedLife extends DeviceLife {
  static final PciAddress IVSHMEM = PciAddress.parse("0000:00:07.0");

  private static final String DMA_BUFS = "/sys/kernel/debug/dma_buf/bufinfo";
  private static final Pattern DMA_BUF_COUNT =
      Pattern.compile("^Total (\\d+) objects", Pattern.MULTILINE);
  private static final Pattern PINNED = Pattern.compile("^VmPin:\\s*(\\d+) kB", Pattern.MULTILINE);

  private final Kernel kernel = new HostKernel();
  private final SysFs files = new SysFs(kernel);

  SeedLife() {
    this(IVSHMEM);
  }

  SeedLife(PciAddress address) {
    super(address);
  }

  @Override
  Kernel kernel() {
    return kernel;
  }

  @Override
  VmType vmType() {
    return VmType.SW_PROTECTED;
  }

  @Override
  Profile profile() {
    return Profile.SEED_2025;
  }

  @Override
  SwProtectedAgent guest(TdiAssignment assignment) {
    return new SwProtectedAgent(assignment);
  }

  @Override
  void requireFree(String where) {
    // A virtual function has no tsm/ once its PF is disconnected.
    assertThat(files.readIfPresent("/sys/bus/pci/devices/" + address + "/tsm/bound").orElse(""))
        .as(where + ": tsm/bound")
        .isBlank();
    assertThat(new TsmSim(address).state())
        .as(where + ": TDISP state")
        .isEqualTo("CONFIG_UNLOCKED");
    assertThat(count(DMA_BUF_COUNT, DMA_BUFS)).as(where + ": dma-bufs").isZero();
    assertThat(count(PINNED, "/proc/self/status")).as(where + ": kB pinned").isZero();
    // A VM that is left has a directory with its process and descriptor there.
    assertThat(files.list("/sys/kernel/debug/kvm"))
        .as(where + ": VMs")
        .noneMatch(name -> name.matches("\\d+-\\d+"));
  }

  private int count(Pattern what, String path) {
    Matcher found = what.matcher(files.read(path));
    assertThat(found.find()).as("%s in %s", what, path).isTrue();
    return Integer.parseInt(found.group(1));
  }

  /** The kernel lives on. */
  @Override
  public void close() {}
}
