package dev.iolite.cli;

import dev.iolite.cli.report.Outcome;
import dev.iolite.kernel.PreconditionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntSupplier;
import picocli.CommandLine.Option;

/** A report of a run as an HTML file, as an option. */
final class HtmlReport {
  @Option(
      names = "--html",
      paramLabel = "FILE",
      description =
          "also write a report for people into this file, as one page that needs no network; when"
              + " the command fails, too")
  private Optional<Path> file = Optional.empty();

  /** Whether the user wants one. */
  boolean isWanted() {
    return file.isPresent();
  }

  /**
   * Does work, and writes the report, whatever becomes of the work.
   *
   * @param page makes the report
   * @param errors told why it could not be written, if the work itself failed for no reason
   * @return the exit code of the work; if that is 0 and the report could not be written, another
   */
  int of(IntSupplier work, Function<Outcome, String> page, Consumer<String> errors) {
    if (file.isEmpty()) {
      return work.getAsInt();
    }
    Path target = target(file.get());
    int code;
    try {
      code = work.getAsInt();
    } catch (RuntimeException | Error e) {
      write(target, page, new Outcome(Failures.code(e), problems(e))).ifPresent(e::addSuppressed);
      throw e;
    }
    Optional<RuntimeException> unwritten = write(target, page, new Outcome(code, List.of()));
    unwritten.ifPresent(e -> Failures.lines(e).forEach(errors));
    return unwritten.isPresent() && code == ExitCode.OK ? ExitCode.OUTPUT : code;
  }

  private static List<String> problems(Throwable e) {
    return Failures.lines(e).stream().map(line -> line.replaceFirst("^iolite: ", "")).toList();
  }

  /**
   * The file itself, if the name is a link to it.
   *
   * @throws PreconditionException if no file can be made there
   */
  private static Path target(Path file) {
    String tried = tried(file);
    try {
      Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
      if (Files.exists(target) && !Files.isRegularFile(target)) {
        throw new PreconditionException(
            tried,
            "it is there, and it is not a regular file",
            "a directory or a device has this name",
            "name a file");
      }
      Path directory = target.resolveSibling("");
      if (!Files.isDirectory(directory)) {
        throw new NoSuchFileException(directory.toString());
      }
      return target;
    } catch (IOException e) {
      throw TdiFiles.failed(tried, e);
    }
  }

  private static String tried(Path file) {
    return "write the report " + file;
  }

  /** Writes the file at once: a reader sees the one before, or all of this one. */
  private static Optional<RuntimeException> write(
      Path file, Function<Outcome, String> page, Outcome outcome) {
    Path begun =
        file.resolveSibling("." + file.getFileName() + "." + ProcessHandle.current().pid());
    try {
      try {
        Files.writeString(begun, page.apply(outcome), StandardOpenOption.CREATE_NEW);
        Files.move(begun, file, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(begun);
      }
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(TdiFiles.failed(tried(file), e));
    } catch (RuntimeException e) {
      return Optional.of(e); // The work has its own outcome, whatever is wrong with the report.
    }
  }
}
