package dev.iolite.mock.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.libc.Libc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What this process has mapped, as the kernel says it in both ways. */
class ProcessMapsTest {
  private static final int PAGES = 4;
  private final HostKernel host = new HostKernel();
  private int file;
  private long mapped;

  /** The last three pages of a file, the middle one read-only; and one that has no access. */
  @BeforeEach
  void map() {
    file = host.memfdCreate("maps", Libc.MFD_CLOEXEC());
    assertThat(host.ftruncate(file, PAGES * Page.BYTES)).isZero();
    int unreachable = Libc.MAP_PRIVATE() | Libc.MAP_ANONYMOUS();
    mapped = host.mmap(0, PAGES * Page.BYTES, Libc.PROT_NONE(), unreachable, -1, 0);
    mapPage(1, readWrite());
    mapPage(2, Libc.PROT_READ());
    mapPage(3, readWrite());
  }

  /** Maps a page of the file; that with index 1 comes first. */
  private void mapPage(int index, int protection) {
    long at = mapped + (index - 1) * Page.BYTES;
    int fixed = Libc.MAP_SHARED() | Libc.MAP_FIXED();
    assertThat(host.mmap(at, Page.BYTES, protection, fixed, file, index * Page.BYTES))
        .isEqualTo(at);
  }

  @AfterEach
  void unmap() {
    host.munmap(mapped, PAGES * Page.BYTES);
    host.close(file);
  }

  private static int readWrite() {
    return Libc.PROT_READ() | Libc.PROT_WRITE();
  }

  private Optional<ProcessMaps.Area> areaAt(long address) {
    return ProcessMaps.areaAt(host, "self", address);
  }

  @Test
  void anAddressIsInTheAreaThatWasMappedThere() {
    assertThat(areaAt(mapped + Page.BYTES + 5))
        .contains(
            new ProcessMaps.Area(
                mapped + Page.BYTES,
                mapped + 2 * Page.BYTES,
                true,
                false,
                2 * Page.BYTES,
                "/memfd:maps (deleted)"));
  }

  /** Linux before 6.11 has only the text. */
  @Test
  void theTextSaysTheSameAsTheQuery() {
    long code = new HostSupervisor().callingCode();
    for (long address :
        new long[] {mapped, mapped + Page.BYTES, mapped + (PAGES - 1) * Page.BYTES - 1, code, 0}) {
      assertThat(areaAt(address)).isEqualTo(ProcessMaps.inText(host, "/proc/self/maps", address));
    }
  }

  /** Counts how often files are opened, and refuses it if told to. */
  private final class CountingKernel extends ForwardingKernel {
    private final int refusal;
    private int opened;

    private CountingKernel(int refusal) {
      super(host);
      this.refusal = refusal;
    }

    @Override
    public int open(String path, int flags) {
      opened++;
      return refusal < 0 ? refusal : super.open(path, flags);
    }
  }

  @Test
  void theTextIsNotReadWhereTheKernelAnswersTheQuery() {
    int[] release =
        Pattern.compile("\\D")
            .splitAsStream(System.getProperty("os.version"))
            .limit(2)
            .mapToInt(Integer::parseInt)
            .toArray();
    assumeThat(Arrays.compare(release, new int[] {6, 11}))
        .as("PROCMAP_QUERY is not in Linux %s", System.getProperty("os.version"))
        .isNotNegative();
    CountingKernel counting = new CountingKernel(0);
    assertThat(ProcessMaps.areaAt(counting, "self", mapped)).isPresent();
    assertThat(ProcessMaps.areaAt(counting, "self", 0)).isEmpty();
    assertThat(counting.opened).isEqualTo(2);
  }

  @Test
  void nothingIsMappedAtTheBottomNorInAProcessThatHasEnded() throws Exception {
    assertThat(areaAt(0)).isEmpty();
    Process sleeping = new ProcessBuilder("sleep", "100").start();
    String number = Long.toString(sleeping.pid());
    long address =
        Long.parseUnsignedLong(
            Files.readString(Path.of("/proc", number, "maps")).split("-", 2)[0], 16);
    try (ProcessMaps maps = new ProcessMaps(host, number)) {
      assertThat(maps.areaAt(address)).isPresent();
      sleeping.destroyForcibly().waitFor();
      assertThat(maps.areaAt(address)).as("of a process that has ended since").isEmpty();
    }
    assertThat(ProcessMaps.areaAt(host, number, address)).isEmpty();
  }

  @Test
  void thatNothingCanBeSaidIsAnError() {
    CountingKernel exhausted = new CountingKernel(Errno.EMFILE.negated());
    assertThatThrownBy(() -> ProcessMaps.areaAt(exhausted, "self", mapped))
        .isInstanceOfSatisfying(
            KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EMFILE));
  }

  @Test
  void aRangeIsMappedIfEachOfItsAreasAllowsTheAccess() {
    require(mapped, 3 * Page.BYTES, false);
    require(mapped, Page.BYTES, true);
    require(mapped + Page.BYTES - 1, 1, true);
    require(mapped, 0, true);
    requireRefused(mapped, Page.BYTES + 1, true, "maps");
    requireRefused(mapped, 3 * Page.BYTES + 1, false, "");
    requireRefused(mapped, 1, false, "other");
    requireRefused(0, 1, false, "");
    requireRefused(mapped, -1, false, "");
  }

  private void require(long address, long bytes, boolean write) {
    ProcessMaps.require(host, "self", address, bytes, write, name -> true);
  }

  private void requireRefused(long address, long bytes, boolean write, String name) {
    assertThatThrownBy(() ->
            ProcessMaps.require(host, "self", address, bytes, write, each -> each.contains(name)))
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.errno()).isEqualTo(Errno.EFAULT));
  }
}
