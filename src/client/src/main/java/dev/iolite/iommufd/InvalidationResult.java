package dev.iolite.iommufd;

import dev.iolite.kernel.Errno;
import java.util.Optional;

/**
 * How far an invalidation got. What was not handled must be given again, or the guest told of an
 * error.
 *
 * @param handled how many requests were done, from the first
 * @param error why the next one was not; empty if all were done
 */
public record InvalidationResult(int handled, Optional<Errno> error) {
  /** Whether all requests were done. */
  public boolean isComplete() {
    return error.isEmpty();
  }
}
