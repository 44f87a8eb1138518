package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Nobody but its user puts anything into a private directory, or leads out of it. */
@Timeout(60)
class PrivateDirectoryTest {
  private static final String NAME = "0000-00-07.0.journal";

  @TempDir private Path temporary;

  private Path path() {
    return temporary.resolve("run");
  }

  private PrivateDirectory make() {
    return PrivateDirectory.make(new HostKernel(), path());
  }

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  @Test
  void whatIsMadeIsPrivate() throws IOException {
    Path deep = path().resolve("a/b");
    try (PrivateDirectory directory = PrivateDirectory.make(new HostKernel(), deep);
        PrivateFile file = directory.lock(NAME, true).orElseThrow()) {
      assertThat(file.isLocked()).isTrue();
    }
    assertThat(mode(path())).isEqualTo("rwx------");
    assertThat(mode(deep)).isEqualTo("rwx------");
    assertThat(mode(deep.resolve(NAME))).isEqualTo("rw-------");
  }

  @Test
  void whatIsMissingIsNotMadeUnlessAsked() {
    assertThat(PrivateDirectory.find(new HostKernel(), path())).isEmpty();
    try (PrivateDirectory directory = make()) {
      assertThat(directory.lock(NAME, false)).isEmpty();
      assertThat(directory.names()).isEmpty();
    }
  }

  @Test
  void whoAsksForALockDoesNotTakeIt() {
    try (PrivateDirectory directory = make();
        PrivateDirectory other = make()) {
      assertThat(directory.isLocked(NAME)).isEmpty();
      try (PrivateFile file = directory.lock(NAME, true).orElseThrow()) {
        assertThat(other.isLocked(NAME)).contains(true);
        assertThat(file.isLocked()).isTrue();
      }
      assertThat(other.isLocked(NAME)).contains(false);
      ForwardingFiles asking =
          new ForwardingFiles() {
            @Override
            public int isLocked(int fd) {
              int answer = super.isLocked(fd);
              try (PrivateFile file = directory.lock(NAME, false).orElseThrow()) {
                assertThat(file.isLocked()).isTrue();
              }
              return answer;
            }
          };
      try (PrivateDirectory asked = PrivateDirectory.make(asking, path())) {
        assertThat(asked.isLocked(NAME)).contains(false);
      }
    }
  }

  @Test
  void aLockThatCanNotBeAskedForIsNamedWithItsErrno() {
    Set<Integer> asked = new HashSet<>();
    ForwardingFiles refusing =
        new ForwardingFiles() {
          @Override
          public int isLocked(int fd) {
            asked.add(fd);
            return Errno.ENOLCK.negated();
          }

          @Override
          public int close(int fd) {
            asked.remove(fd);
            return super.close(fd);
          }
        };
    try (PrivateDirectory directory = PrivateDirectory.make(refusing, path())) {
      directory.lock(NAME, true).orElseThrow().close();
      assertThatThrownBy(() -> directory.isLocked(NAME))
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("ask for the lock of " + path().resolve(NAME))
          .hasMessageContaining("ENOLCK");
      assertThat(asked).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"ENOSPC", "EIO", "EROFS", "EDQUOT"})
  void aDiskThatTakesNoDirectoryIsNamedWithItsErrno(Errno errno) {
    ForwardingFiles full =
        new ForwardingFiles() {
          @Override
          public int mkdir(String path) {
            return errno.negated();
          }
        };
    assertThatThrownBy(() -> PrivateDirectory.make(full, path()))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining(path() + ": the kernel said " + errno);
    assertThat(path()).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"rwxr-xr-x", "rwx--x---", "rwxrwxrwx", "r-x------"})
  void anotherModeIsRefused(String mode) throws IOException {
    make().close();
    Files.setPosixFilePermissions(path(), PosixFilePermissions.fromString(mode));
    assertThatThrownBy(this::make)
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("must be 0700");
  }

  @Test
  void anotherUsersIsRefused() {
    make().close();
    ForwardingFiles ofAnother =
        new ForwardingFiles() {
          @Override
          public int geteuid() {
            return super.geteuid() + 1;
          }
        };
    assertThatThrownBy(() -> PrivateDirectory.make(ofAnother, path()))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("it belongs to user");
  }

  @Test
  void aLinkToADirectoryIsRefused() throws IOException {
    make().close();
    Path link = Files.createSymbolicLink(temporary.resolve("link"), path());
    assertThatThrownBy(() -> PrivateDirectory.make(new HostKernel(), link))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("ENOTDIR");
  }

  /** Whatever has the name later, files are those of the directory that was opened. */
  @Test
  void aDirectoryThatIsReplacedIsNotUsed() throws IOException {
    try (PrivateDirectory directory = make()) {
      Path moved = Files.move(path(), temporary.resolve("moved"));
      make().close();
      directory.lock(NAME, true).orElseThrow().close();
      assertThat(path()).isEmptyDirectory();
      assertThat(moved.resolve(NAME)).exists();
      assertThat(directory.names()).containsExactly(NAME);
      directory.delete(NAME);
      assertThat(moved).isEmptyDirectory();
    }
  }

  @Test
  void aLinkIsNotFollowed() throws IOException {
    Path target = temporary.resolve("target");
    try (PrivateDirectory directory = make()) {
      Files.createSymbolicLink(path().resolve(NAME), target);
      for (boolean isMade : new boolean[] {true, false}) {
        assertThatThrownBy(() -> directory.lock(NAME, isMade))
            .isInstanceOf(PreconditionException.class)
            .hasMessageContaining("ELOOP");
      }
    }
    assertThat(target).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFifoIsRefusedAndNotWaitedFor(boolean isMade) throws Exception {
    try (PrivateDirectory directory = make()) {
      String fifo = path().resolve(NAME).toString();
      assertThat(new ProcessBuilder("mkfifo", fifo).start().waitFor()).isZero();
      assertThatThrownBy(() -> directory.lock(NAME, isMade))
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("no regular file");
    }
  }

  /** A POSIX lock would be given to this process again, and lost with the first close. */
  @Test
  void aLockOutlivesOtherOpensOfTheProcess() {
    try (PrivateDirectory directory = make();
        PrivateFile first = directory.lock(NAME, true).orElseThrow()) {
      assertThat(first.isLocked()).isTrue();
      for (int i = 0; i < 2; i++) {
        try (PrivateFile other = directory.lock(NAME, i == 0).orElseThrow()) {
          assertThat(other.isLocked()).isFalse();
        }
      }
    }
    try (PrivateDirectory directory = make();
        PrivateFile next = directory.lock(NAME, false).orElseThrow()) {
      assertThat(next.isLocked()).isTrue();
    }
  }

  /** Its owner deletes it between our open and our lock, and another makes it anew. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theFileThatIsLockedIsTheOneInTheDirectory(boolean isMadeAnew) {
    make().close();
    Path file = path().resolve(NAME);
    ForwardingFiles racing =
        new ForwardingFiles() {
          private boolean raced;

          @Override
          public int lock(int fd) {
            if (!raced) {
              raced = true;
              replace(file, isMadeAnew);
            }
            return super.lock(fd);
          }
        };
    try (PrivateDirectory directory = PrivateDirectory.make(racing, path());
        PrivateFile locked = directory.lock(NAME, true).orElseThrow()) {
      assertThat(locked.isLocked()).isTrue();
      locked.write(new byte[] {1, 2}, 0);
      assertThat(file).hasBinaryContent(new byte[] {1, 2});
    }
  }

  private static void replace(Path file, boolean isMadeAnew) {
    try {
      Files.delete(file);
      if (isMadeAnew) {
        Files.createFile(file);
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void noMoreIsReadThanAFileMayHave() throws IOException {
    try (PrivateDirectory directory = make()) {
      try (RandomAccessFile sparse = new RandomAccessFile(path().resolve(NAME).toFile(), "rw")) {
        sparse.setLength(8L << 30);
      }
      try (PrivateFile file = directory.lock(NAME, false).orElseThrow()) {
        assertThatThrownBy(() -> file.read(1 << 20)).hasMessageContaining("more than 1048576");
        file.cut(1 << 20);
        assertThat(file.read(1 << 20)).hasSize(1 << 20);
      }
    }
  }

  @Test
  void onlyASocketIsASocket() throws IOException {
    try (PrivateDirectory directory = make()) {
      Files.createFile(path().resolve("a"));
      Files.createSymbolicLink(path().resolve("b"), path().resolve("a"));
      assertThat(directory.hasSocket("a")).isFalse();
      assertThat(directory.hasSocket("b")).isFalse();
      assertThat(directory.hasSocket("c")).isFalse();
    }
  }
}
