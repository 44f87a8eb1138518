package dev.iolite.mock.door;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.uapi.seccomp.Seccomp;
import dev.iolite.uapi.seccomp.elf64_hdr;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A program that can be started.
 *
 * @param file its file
 * @param arguments its arguments, beginning with its name as it was given
 */
record Program(Path file, List<String> arguments) {
  private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};
  private static final int ELF_CLASS_AT = 4;

  /**
   * Finds a program as a shell does.
   *
   * @param path the PATH, where a name without a slash is looked for
   * @throws PreconditionException if it isn't there or can't be run here
   */
  static Program find(List<String> command, String path) {
    String name = command.getFirst();
    Path file = name.contains("/") ? Path.of(name) : onPath(name, path);
    if (!Files.isRegularFile(file)) {
      throw refused(
          name,
          Files.isDirectory(file) ? "it is a directory" : "there is no such file",
          "the name is misspelt, or the file was not built yet",
          "name a program with its path, or one on the PATH");
    }
    if (!Files.isExecutable(file)) {
      throw refused(name, "it is not executable", "it lacks the run bit", "chmod +x " + file);
    }
    requireThisMachine(name, file);
    return new Program(file.toAbsolutePath(), List.copyOf(command));
  }

  private static Path onPath(String name, String path) {
    Optional<Path> found =
        Arrays.stream(path.split(File.pathSeparator))
            .map(directory -> Path.of(directory.isEmpty() ? "." : directory).resolve(name))
            .filter(Files::isRegularFile)
            .filter(Files::isExecutable)
            .findFirst();
    return found.orElse(Path.of(name));
  }

  /** An ELF file must be for x86-64; what is none, the kernel hands to an interpreter. */
  private static void requireThisMachine(String name, Path file) {
    byte[] head;
    try (InputStream in = Files.newInputStream(file)) {
      head = in.readNBytes((int) elf64_hdr.sizeof());
    } catch (IOException e) {
      throw refused(
          name, "it can't be read: " + e.getMessage(), "it is another user's", "chmod +r " + file);
    }
    if (head.length < elf64_hdr.sizeof()
        || !Arrays.equals(head, 0, ELF.length, ELF, 0, ELF.length)) {
      return;
    }
    int machine =
        MemorySegment.ofArray(head)
            .get(ValueLayout.JAVA_SHORT_UNALIGNED, elf64_hdr.e_machine$offset());
    if (machine != Seccomp.EM_X86_64() || head[ELF_CLASS_AT] != Seccomp.ELFCLASS64()) {
      throw refused(
          name,
          "it is for another architecture (ELF machine " + (machine & 0xffff) + ")",
          "it was built for another machine, or for 32 bits",
          "build it for x86-64: only programs of 64 bits can be served");
    }
  }

  private static PreconditionException refused(
      String name, String what, String cause, String next) {
    return new PreconditionException("run " + name, what, cause, next);
  }
}
