package dev.iolite.uapi;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The kernel's UAPI headers and the C compiler that reads them.
 *
 * @param headers the directory with {@code linux/vfio.h}
 * @param asmHeaders the directory with {@code asm/kvm.h}
 */
public record UapiHeaders(Path headers, Path asmHeaders) {

  /** Our umbrella headers and their {@code .select} files. */
  static final Path UMBRELLAS = Path.of("native-headers");

  /** The umbrellas' names, which without hyphens are those of the bindings' packages. */
  static final List<String> PACKAGES =
      List.of(
          "vfio",
          "iommufd",
          "kvm",
          "dmabuf",
          "libc",
          "seccomp",
          "tsm",
          "tsm-arm-v5",
          "tsm-v6",
          "tsm-cca-v7",
          "tsm-intel-rfc-2025",
          "tsm-seed-2025");

  /** The bindings' package of an umbrella header. */
  static String packageOf(String umbrella) {
    return umbrella.replace("-", "");
  }

  /**
   * The headers of {@code UAPI_HEADERS} or of the cache; without them or gcc the test is skipped.
   */
  public static UapiHeaders orSkip() {
    Path headers = directory();
    assumeTrue(
        Files.isReadable(headers.resolve("linux/iommufd.h")),
        () ->
            "Skipped: no Linux UAPI headers in "
                + headers
                + ". Fetch them with scripts/generate-bindings --headers, or name a directory in"
                + " UAPI_HEADERS.");
    assumeTrue(hasGcc(), "Skipped: no gcc on the PATH. Install it: apt-get install gcc");
    // Debian keeps asm/ apart for each architecture, the kernel's own headers_install does not.
    Path multiarch = headers.resolve("x86_64-linux-gnu");
    return new UapiHeaders(headers, Files.isDirectory(multiarch) ? multiarch : headers);
  }

  private static Path directory() {
    Optional<String> named = Optional.ofNullable(System.getenv("UAPI_HEADERS"));
    if (named.isPresent()) {
      return Path.of(named.get());
    }
    Path cache =
        Optional.ofNullable(System.getenv("XDG_CACHE_HOME"))
            .map(Path::of)
            .orElse(Path.of(System.getProperty("user.home"), ".cache"));
    return cache.resolve("iolite/uapi-headers/root/usr/include");
  }

  private static boolean hasGcc() {
    try {
      return new ProcessBuilder("gcc", "--version")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** What gcc prints when it sees these headers and no others. */
  String gcc(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("gcc", "-nostdinc"));
    command.addAll(List.of("-I", headers.toString(), "-I", asmHeaders.toString()));
    command.addAll(List.of(arguments));
    return run(command);
  }

  /** The standard output and error of a command that must succeed. */
  static String run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(
          String.join(" ", command) + " ended with " + process.exitValue() + ":\n" + output);
    }
    return output;
  }

  /** A header's name as {@code #include} has it, or empty if it is not one of these headers. */
  Optional<String> nameOf(String file) {
    Path path = Path.of(file);
    if (path.startsWith(UMBRELLAS)) {
      return Optional.of(file);
    }
    if (path.startsWith(asmHeaders)) {
      return Optional.of(asmHeaders.relativize(path).toString());
    }
    return path.startsWith(headers)
        ? Optional.of(headers.relativize(path).toString())
        : Optional.empty();
  }
}
