package dev.iolite.uapi.catalog;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Ioctls, looked up by the pair that identifies them. */
public final class Ioctls {
  private record Key(FdKind on, long number) {}

  private static final Ioctls OF_HEADERS =
      new Ioctls(Map.of())
          .with(
              Stream.of(VfioIoctls.all(), IommufdIoctls.all(), KvmIoctls.all(), DmaBufIoctls.all())
                  .flatMap(List::stream)
                  .toList());

  private final Map<Key, Ioctl> byKey;

  private Ioctls(Map<Key, Ioctl> byKey) {
    this.byKey = Map.copyOf(byKey);
  }

  /** Every ioctl in the headers. */
  public static Ioctls ofHeaders() {
    return OF_HEADERS;
  }

  /**
   * These ioctls and others, for a kernel that has calls beyond the headers. Numbers of proposals
   * collide with those in the headers, so one of the others replaces one with the same number.
   */
  public Ioctls with(List<Ioctl> others) {
    Map<Key, Ioctl> all = new HashMap<>(byKey);
    others.forEach(command -> all.put(new Key(command.on(), command.number()), command));
    return new Ioctls(all);
  }

  /** All of them, in no particular order. */
  public Collection<Ioctl> all() {
    return byKey.values();
  }

  /**
   * The command with a number on a kind of descriptor; empty if there is none here.
   *
   * @param request the number; its high 32 bits, which the kernel does not see, are ignored
   */
  public Optional<Ioctl> find(FdKind on, long request) {
    return Optional.ofNullable(byKey.get(new Key(on, Ioctl.unsigned(request))));
  }
}
