package dev.iolite.mock.remote;

import dev.iolite.mock.core.Mapper;
import java.util.ArrayList;
import java.util.List;

/**
 * Mappings that the caller makes itself once it knows what to map; here they are only recorded.
 * Each thread of the host serves one thread of the caller, and sees only what its own call did.
 */
final class CallerMappings implements Mapper {
  private final ThreadLocal<List<Long>> noted = ThreadLocal.withInitial(ArrayList::new);

  /** Records a mapping, at an address that the caller keeps free for it. */
  @Override
  public long map(long address, long bytes, int protection, int flags, int hostFd, long offset) {
    noted.get().add((long) hostFd);
    noted.get().add(offset);
    return address;
  }

  @Override
  public int unmap(long address, long bytes) {
    noted.get().add(address);
    noted.get().add(bytes);
    return 0;
  }

  /** Returns and forgets what the thread's calls have recorded since the last time. */
  List<Long> take() {
    List<Long> all = List.copyOf(noted.get());
    noted.remove();
    return all;
  }
}
