package dev.iolite.cli;

import dev.iolite.cli.drawing.LayoutSvg;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.tdi.layout.InterfaceReport;
import dev.iolite.tdi.layout.LayoutFile;
import dev.iolite.tdi.layout.MmioLayout;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/** The files of the {@code tdi} commands; one that can't be read or written counts as missing. */
public final class TdiFiles {
  /** The largest piece of evidence that the kernel hands out. */
  private static final int LARGEST_EVIDENCE = 16 << 20;

  private TdiFiles() {}

  static InterfaceReport report(Path file) {
    return InterfaceReport.parse(
        MemorySegment.ofArray(
            bytes(
                "the device interface report",
                file,
                "give the bytes of a TDISP DEVICE_INTERFACE_REPORT and nothing else")));
  }

  /**
   * The content of a file that may contain evidence.
   *
   * @param what what is expected in it
   * @param next what to do if it is too long
   */
  static byte[] bytes(String what, Path file, String next) {
    String tried = "read %s %s".formatted(what, file);
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(LARGEST_EVIDENCE + 1);
    } catch (IOException e) {
      throw failed(tried, e);
    }
    if (bytes.length > LARGEST_EVIDENCE) {
      throw new PreconditionException(
          tried,
          "it has more than %d bytes".formatted(LARGEST_EVIDENCE),
          "this is another file",
          next);
    }
    return bytes;
  }

  static MmioLayout layout(Path file) {
    try {
      return LayoutFile.read(file);
    } catch (IOException e) {
      throw failed("read the layout " + file, e);
    }
  }

  public static void writeSvg(Path file, MmioLayout layout, String title) {
    write(file, LayoutSvg.of(layout, title));
  }

  /** Writes a picture that is already drawn. */
  static void write(Path file, String drawing) {
    try {
      Files.writeString(file, drawing);
    } catch (IOException e) {
      throw failed("write the picture " + file, e);
    }
  }

  /** The exception for a failure of the file system that another exception wraps. */
  public static PreconditionException failed(String tried, UncheckedIOException e) {
    return failed(tried, Optional.ofNullable(e.getCause()).orElseGet(() -> new IOException(e)));
  }

  /** The exception for a failure of the file system. */
  public static PreconditionException failed(String tried, IOException e) {
    String observed =
        switch (e) {
          case NoSuchFileException _ -> "there is no such file or directory";
          case AccessDeniedException _ -> "permission denied";
          default -> String.valueOf(e.getMessage());
        };
    PreconditionException failure =
        new PreconditionException(
            tried,
            observed,
            "the name is misspelt, or the file is another user's",
            "check the name and the permissions with ls -l");
    failure.initCause(e);
    return failure;
  }
}
