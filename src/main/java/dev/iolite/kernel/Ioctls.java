package dev.iolite.kernel;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Every ioctl that iolite knows, to be found by the pair that identifies it. */
public final class Ioctls {
  private record Key(FdKind on, long number) {}

  private static final Map<Key, Ioctl> BY_KEY =
      Stream.of(
              VfioIoctls.all(),
              IommufdIoctls.all(),
              KvmIoctls.all(),
              DmaBufIoctls.all(),
              UdmabufIoctls.all())
          .flatMap(List::stream)
          .collect(
              Collectors.toUnmodifiableMap(
                  command -> new Key(command.on(), command.number()), Function.identity()));

  private Ioctls() {}

  /**
   * The command of a number on a kind of descriptor; empty if there is none of that number here.
   *
   * @param request the number; its high 32 bits, which the kernel does not see, are ignored
   */
  public static Optional<Ioctl> find(FdKind on, long request) {
    return Optional.ofNullable(BY_KEY.get(new Key(on, Ioctl.unsigned(request))));
  }
}
