package dev.iolite.kernel;

import dev.iolite.uapi.catalog.FdKind;
import java.util.Optional;

/**
 * What a call was made on.
 *
 * @param kind the kind of descriptor; empty if the call has none
 * @param name what it is called in messages: the descriptor, the path, or the caller
 * @param device the device behind it, by its name on its bus, such as {@code 0000:00:03.0}; empty
 *     if there is none, or it is not known
 */
public record CallTarget(Optional<FdKind> kind, String name, Optional<String> device) {
  /** A target that is not a descriptor, such as a path or the process. */
  public static CallTarget of(String name) {
    return new CallTarget(Optional.empty(), name, Optional.empty());
  }

  /** A descriptor of this kind, or a path that opens as one. */
  public static CallTarget of(FdKind kind, String name) {
    return new CallTarget(Optional.of(kind), name, Optional.empty());
  }
}
