package dev.iolite.cli;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.recording.MalformedRecordingException;
import dev.iolite.mock.recording.Replay;
import dev.iolite.mock.remote.RemoteKernel;
import dev.iolite.rehearsal.Rehearsal;
import dev.iolite.tsm.Profile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import picocli.CommandLine.TypeConversionException;

/** The kernel that the commands work on, as {@code --kernel} names it. */
final class KernelChoice {
  private static final String SERVED = "mock@";
  private static final String MODEL = "mock:";

  private final String name;
  private final Function<BooleanSupplier, Chosen> maker;
  private final Optional<Supplier<MockKernel.Builder>> model;

  /**
   * A kernel.
   *
   * @param rehearsal the model behind it, if it is a model in this process
   */
  record Chosen(Kernel kernel, Optional<Rehearsal> rehearsal) {}

  private KernelChoice(
      String name,
      Function<BooleanSupplier, Chosen> maker,
      Optional<Supplier<MockKernel.Builder>> model) {
    this.name = name;
    this.maker = maker;
    this.model = model;
  }

  private static KernelChoice of(String name, Supplier<MockKernel.Builder> model) {
    return new KernelChoice(
        name,
        _ -> {
          Rehearsal rehearsal = Rehearsal.of(model.get());
          return new Chosen(rehearsal.kernel(), Optional.of(rehearsal));
        },
        Optional.of(model));
  }

  /**
   * Parses the name of a kernel: {@code host}, {@code mock:PLATFORM}, {@code
   * mock:PLATFORM:PROFILE}, {@code mock:FILE} for a recorded machine, or {@code mock@SOCKET} for a
   * kernel that {@code iolite mock serve} serves.
   *
   * @throws TypeConversionException if there is no such kernel
   */
  static KernelChoice parse(String text) {
    if (text.startsWith(SERVED)) {
      Path socket = Path.of(text.substring(SERVED.length())).toAbsolutePath().normalize();
      return new KernelChoice(
          SERVED + socket, stop -> only(RemoteKernel.connect(socket, stop)), Optional.empty());
    }
    if (text.startsWith(MODEL) && isFile(text.substring(MODEL.length()))) {
      Path file = Path.of(text.substring(MODEL.length())).toAbsolutePath().normalize();
      return of(MODEL + file, () -> recorded(file));
    }
    List<String> words = List.of(text.split(":", -1));
    if (words.equals(List.of("host"))) {
      return new KernelChoice(text, _ -> only(new HostKernel()), Optional.empty());
    }
    if (!words.getFirst().equals("mock") || words.size() < 2 || words.size() > 3) {
      throw new TypeConversionException(
          "'" + text + "' is none of host, mock:PLATFORM, mock:FILE, mock@SOCKET");
    }
    Platform platform =
        Platform.of(words.get(1))
            .orElseThrow(() -> unknown("platform", words.get(1), Platform.values()));
    Profile profile =
        words.size() == 2
            ? platform.usualProfile()
            : Profile.of(words.get(2))
                .orElseThrow(() -> unknown("profile", words.get(2), Profile.values()));
    return of(text, () -> MockKernel.builder().platform(platform).profile(profile));
  }

  /**
   * Parses the name of a model: as for {@link #parse}, and a recording's file also without the
   * {@code mock:}.
   *
   * @throws TypeConversionException if there is no such kernel
   */
  static KernelChoice parseModel(String text) {
    boolean isNamed = text.startsWith(MODEL) || text.startsWith(SERVED);
    return parse(!isNamed && isFile(text) ? MODEL + text : text);
  }

  /**
   * Whether a text is the name of a file, and not of a platform: no platform has a slash or a dot.
   */
  private static boolean isFile(String text) {
    return text.indexOf('/') >= 0 || text.indexOf('.') >= 0;
  }

  private static MockKernel.Builder recorded(Path file) {
    try {
      return Replay.of(file);
    } catch (IOException e) {
      throw TdiFiles.failed("read the recording " + file, e);
    }
  }

  private static Chosen only(Kernel kernel) {
    return new Chosen(kernel, Optional.empty());
  }

  private static TypeConversionException unknown(String kind, String name, Object[] known) {
    return new TypeConversionException(
        "there is no %s '%s'; there are %s"
            .formatted(
                kind,
                name,
                Arrays.stream(known).map(Object::toString).collect(Collectors.joining(", "))));
  }

  /**
   * Its name, which is always the same for the same kernel: for a socket, it contains the full
   * path.
   */
  String name() {
    return name;
  }

  /**
   * The model that it is; empty if it is not a model that can be made here.
   *
   * @throws PreconditionException if it is in a file that can't be read
   * @throws MalformedRecordingException if it is in a file that can't be understood
   */
  Optional<MockKernel.Builder> model() {
    return model.map(Supplier::get);
  }

  /**
   * Makes the kernel.
   *
   * @param stop whether to stop waiting for a process that serves it
   */
  Chosen make(BooleanSupplier stop) {
    return maker.apply(stop);
  }
}
