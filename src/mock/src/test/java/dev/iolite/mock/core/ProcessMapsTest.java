package dev.iolite.mock.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.libc.Libc;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What this process has mapped, as the kernel says it in both ways. */
class ProcessMapsTest {
  private static final int PAGES = 4;
  private final HostKernel host = new HostKernel();
  private int file;
  private long mapped;

  /** The last three pages of a file; the middle one of them may only be read. */
  @BeforeEach
  void map() {
    file = host.memfdCreate("maps", Libc.MFD_CLOEXEC());
    assertThat(host.ftruncate(file, PAGES * Page.BYTES)).isZero();
    mapped =
        host.mmap(0, (PAGES - 1) * Page.BYTES, readWrite(), Libc.MAP_SHARED(), file, Page.BYTES);
    long second = mapped + Page.BYTES;
    int fixed = Libc.MAP_SHARED() | Libc.MAP_FIXED();
    assertThat(host.mmap(second, Page.BYTES, Libc.PROT_READ(), fixed, file, 2 * Page.BYTES))
        .isEqualTo(second);
  }

  @AfterEach
  void unmap() {
    host.munmap(mapped, (PAGES - 1) * Page.BYTES);
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

  @Test
  void nothingIsMappedAtTheBottomNorInAProcessThatHasEnded() {
    assertThat(areaAt(0)).isEmpty();
    assertThat(ProcessMaps.areaAt(host, Integer.toString(Integer.MAX_VALUE), mapped)).isEmpty();
  }

  @Test
  void aRangeIsMappedIfEachOfItsAreasAllowsTheAccess() {
    require(mapped, 3 * Page.BYTES, false);
    require(mapped, Page.BYTES, true);
    require(mapped + Page.BYTES - 1, 1, true);
    require(mapped, 0, true);
    requireRefused(mapped, Page.BYTES + 1, true, "maps");
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
