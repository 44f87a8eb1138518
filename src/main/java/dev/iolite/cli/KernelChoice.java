package dev.iolite.cli;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.Profile;
import dev.iolite.rehearsal.Rehearsal;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import picocli.CommandLine.TypeConversionException;

/** Which kernel the commands work on, as {@code --kernel} names it. */
final class KernelChoice {
  private final Supplier<Chosen> maker;

  /**
   * A kernel.
   *
   * @param rehearsal the model that it is, if it is one in this process
   */
  record Chosen(Kernel kernel, Optional<Rehearsal> rehearsal) {}

  private KernelChoice(Supplier<Chosen> maker) {
    this.maker = maker;
  }

  /**
   * The kernel of a name: {@code host}, {@code mock:PLATFORM} or {@code mock:PLATFORM:PROFILE}.
   *
   * @throws TypeConversionException if there is no such kernel
   */
  static KernelChoice parse(String text) {
    List<String> words = List.of(text.split(":", -1));
    if (words.equals(List.of("host"))) {
      return new KernelChoice(() -> new Chosen(new HostKernel(), Optional.empty()));
    }
    if (!words.getFirst().equals("mock") || words.size() < 2 || words.size() > 3) {
      throw new TypeConversionException("'" + text + "' is neither host nor mock:PLATFORM");
    }
    Platform platform =
        Platform.of(words.get(1))
            .orElseThrow(() -> unknown("platform", words.get(1), Platform.values()));
    Profile profile =
        words.size() == 2
            ? platform.usualProfile()
            : Profile.of(words.get(2))
                .orElseThrow(() -> unknown("profile", words.get(2), Profile.values()));
    return new KernelChoice(() -> {
      Rehearsal rehearsal = Rehearsal.of(platform, profile);
      return new Chosen(rehearsal.kernel(), Optional.of(rehearsal));
    });
  }

  private static TypeConversionException unknown(String kind, String name, Object[] known) {
    return new TypeConversionException(
        "there is no %s '%s'; there are %s"
            .formatted(
                kind,
                name,
                Arrays.stream(known).map(Object::toString).collect(Collectors.joining(", "))));
  }

  /** Makes it. */
  Chosen make() {
    return maker.get();
  }
}
