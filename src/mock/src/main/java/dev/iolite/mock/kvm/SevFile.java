package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Task;

/** {@code /dev/sev}: a descriptor for it lets its holder use the secure processor through KVM. */
final class SevFile extends OpenFile {
  SevFile(Task task) {
    super(task);
  }

  @Override
  public String name() {
    return "/dev/sev";
  }

  /** drivers/crypto/ccp/sev-dev.c:sev_ioctl; the model has none of its commands. */
  @Override
  public int ioctl(int request, long argument) {
    throw refused(Errno.EINVAL);
  }
}
