package dev.iolite.dmabuf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.kernel.Seal;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** dma-bufs that are made of memfds, on the lab's real kernel. */
@Tag("lab")
class DmaBufLabTest {
  private static final long PAGE = 4096;

  private final Kernel kernel = new HostKernel();
  private final CloseStack opened = new CloseStack();
  private final Udmabuf udmabuf = opened.push(Udmabuf.open(kernel));

  @AfterEach
  void close() {
    opened.close();
  }

  private MemFd file(long bytes, Set<Seal> seals) {
    MemFd file = opened.push(MemFd.sealable(kernel, "lab", bytes));
    file.seal(seals);
    return file;
  }

  private MemFd sealed(long bytes) {
    return file(bytes, Set.of(Seal.SHRINK));
  }

  private static void refuses(Errno errno, ThrowingCallable call) {
    assertThatExceptionOfType(KernelException.class)
        .isThrownBy(call)
        .extracting(KernelException::errno)
        .isEqualTo(errno);
  }

  @Test
  void aDmaBufIsMadeOfAPieceOfAFile() {
    MemFd file = sealed(4 * PAGE);
    DmaBufFile buffer = opened.push(udmabuf.create(new Udmabuf.Piece(file, PAGE, 2 * PAGE)));
    assertThat(buffer.bytes()).isEqualTo(2 * PAGE);
    MemorySegment whole = opened.push(file.map()).segment();
    MemorySegment part = opened.push(buffer.map()).segment();
    buffer.beginAccess(CpuAccess.READ_WRITE);
    part.set(ValueLayout.JAVA_LONG, 0, 42);
    buffer.endAccess(CpuAccess.READ_WRITE);
    assertThat(whole.get(ValueLayout.JAVA_LONG, PAGE)).isEqualTo(42);
    buffer.setName("iolite");
    refuses(Errno.EINVAL, () -> buffer.setName("x".repeat(32)));
  }

  @Test
  void aDmaBufIsMadeOfPiecesOfSeveralFiles() {
    MemFd one = sealed(PAGE);
    MemFd two = sealed(2 * PAGE);
    DmaBufFile buffer =
        opened.push(
            udmabuf.create(
                List.of(new Udmabuf.Piece(two, PAGE, PAGE), new Udmabuf.Piece(one, 0, PAGE))));
    assertThat(buffer.bytes()).isEqualTo(2 * PAGE);
    Mapping second = opened.push(one.map());
    second.segment().set(ValueLayout.JAVA_LONG, 8, 7);
    assertThat(opened.push(buffer.map()).segment().get(ValueLayout.JAVA_LONG, PAGE + 8))
        .isEqualTo(7);
  }

  @Test
  void onlyASealedFileIsTaken() {
    // udmabuf.c:check_memfd_seals
    MemFd file = opened.push(MemFd.create(kernel, "lab", PAGE));
    refuses(Errno.EINVAL, () -> udmabuf.create(new Udmabuf.Piece(file, 0, PAGE)));
    MemFd unwritable = file(PAGE, Set.of(Seal.SHRINK, Seal.WRITE));
    refuses(Errno.EINVAL, () -> udmabuf.create(new Udmabuf.Piece(unwritable, 0, PAGE)));
    MemFd good = sealed(PAGE);
    refuses(Errno.EINVAL, () -> udmabuf.create(new Udmabuf.Piece(good, 0, 0)));
    refuses(Errno.EINVAL, () -> udmabuf.create(new Udmabuf.Piece(good, 1, PAGE)));
  }

  @Test
  void nobodyIsWaitedFor() {
    // dma-buf.c:dma_buf_export_sync_file: without a fence, a signalled one
    MemFd file = sealed(PAGE);
    DmaBufFile buffer = opened.push(udmabuf.create(new Udmabuf.Piece(file, 0, PAGE)));
    SyncFile fence = opened.push(buffer.exportSyncFile(CpuAccess.WRITE));
    assertThat(fence.await(Duration.ofSeconds(20))).isTrue();
    buffer.importSyncFile(fence, CpuAccess.WRITE);
    Fd no = Fd.borrowed(kernel, fence.fd().kind(), file.fd().number(), "no fence");
    refuses(Errno.EINVAL, () -> buffer.importSyncFile(new SyncFile(no), CpuAccess.READ));
  }
}
