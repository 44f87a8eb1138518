package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SysFsTest {
  private final SysFs files = new SysFs(new HostKernel());

  @TempDir Path directory;

  @Test
  void readsAFileWhoseSizeIsNotKnownBeforehand() {
    assertThat(files.read("/proc/self/status")).startsWith("Name:").doesNotEndWith("\n");
  }

  @Test
  void listsEveryNameOfADirectoryThatNeedsSeveralCalls() throws IOException {
    List<String> names =
        IntStream.range(0, 3000).mapToObj("a-rather-long-file-name-%05d"::formatted).toList();
    for (String name : names) {
      Files.createFile(directory.resolve(name));
    }
    assertThat(files.list(directory.toString())).isEqualTo(names);
  }

  /** getdents64 fills what it is given and not more: what it claims beyond that is not read. */
  @Test
  void aDirectoryThatClaimsMoreThanThereIsRoomForIsRefused() {
    Kernel claiming =
        new ForwardingKernel(new HostKernel()) {
          @Override
          public long getdents(int fd, long address, long bytes) {
            return super.getdents(fd, address, bytes) > 0 ? bytes + 24 : 0;
          }
        };
    assertThatThrownBy(() -> new SysFs(claiming).list("/proc/self"))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("getdents64")
        .hasMessageContaining("4120");
  }

  @Test
  void writesAndReadsBack() throws IOException {
    Path file = Files.createFile(directory.resolve("f"));
    files.write(file.toString(), "vfio-pci\n");
    assertThat(files.read(file.toString())).isEqualTo("vfio-pci");
  }

  @Test
  void followsALinkToItsName() throws IOException {
    Path link =
        Files.createSymbolicLink(directory.resolve("driver"), Path.of("../../drivers/nvme"));
    assertThat(files.linkName(link.toString())).contains("nvme");
    assertThat(files.linkName(directory + "/none")).isEmpty();
    assertThat(files.exists(link.toString())).isFalse();
    assertThat(files.exists(directory.toString())).isTrue();
  }

  @Test
  void aLinkThatFillsTheRoomMayBeLonger() {
    Kernel full =
        new ForwardingKernel(new HostKernel()) {
          @Override
          public long readlink(String path, long address, long bytes) {
            return bytes;
          }
        };
    assertThatThrownBy(() -> new SysFs(full).readlink("/proc/self/exe"))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("the kernel said 4096: there may be more of the link");
  }

  @Test
  void absentIsAnAnswerButOnlyAbsent() {
    assertThat(files.readIfPresent(directory + "/none")).isEmpty();
    assertThat(files.listIfPresent(directory + "/none")).isEmpty();
    assertThatThrownBy(() -> files.readIfPresent(directory.toString()))
        .isInstanceOfSatisfying(
            KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EISDIR));
    assertThatThrownBy(() -> files.read(directory + "/none")).hasMessageContaining("ENOENT");
  }

  @ParameterizedTest
  @EnumSource(names = {"ENODEV", "ESRCH"})
  void aFileThatGoesWhileItIsReadIsNotThere(Errno errno) {
    SysFs files =
        new SysFs(
            new ForwardingKernel(new HostKernel()) {
              @Override
              public long read(int fd, long address, long bytes) {
                return errno.negated();
              }
            });
    assertThat(files.readIfPresent("/proc/self/status")).isEmpty();
  }
}
