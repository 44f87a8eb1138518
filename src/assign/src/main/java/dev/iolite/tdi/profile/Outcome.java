package dev.iolite.tdi.profile;

import static dev.iolite.kernel.Errno.E2BIG;
import static dev.iolite.kernel.Errno.EBADF;
import static dev.iolite.kernel.Errno.EBUSY;
import static dev.iolite.kernel.Errno.EEXIST;
import static dev.iolite.kernel.Errno.EINVAL;
import static dev.iolite.kernel.Errno.ENODEV;
import static dev.iolite.kernel.Errno.ENOENT;
import static dev.iolite.kernel.Errno.ENOTTY;
import static dev.iolite.kernel.Errno.ENXIO;
import static dev.iolite.kernel.Errno.EOPNOTSUPP;

import dev.iolite.kernel.Errno;
import java.util.EnumSet;
import java.util.Set;

/**
 * What is known about a call that was meant to change an interface's state.
 *
 * <p>A failed call had no effect if its errno is one that the proposals return before they turn to
 * the TSM. All other errnos may come from the TSM, the device, or the copying of the answer, after
 * the change has happened:
 *
 * <table>
 * <caption>Errnos after which nothing was done</caption>
 * <tr><td>every call</td><td>EBADF, E2BIG, EINVAL, ENOENT, ENODEV, ENOTTY, EOPNOTSUPP</td></tr>
 * <tr><td>bind</td><td>EBUSY (another VM's, or the host can reach it), EEXIST, ENXIO</td></tr>
 * <tr><td>set the state</td><td>EBUSY (not in a state to be locked), ENXIO (not bound)</td></tr>
 * <tr><td>validate MMIO</td><td>EEXIST (something is mapped there), ENXIO</td></tr>
 * <tr><td>enable, disable DMA</td><td>ENXIO</td></tr>
 * <tr><td>read the report, read the measurements</td><td>all: they change nothing</td></tr>
 * </table>
 *
 * <p>So after EINTR, EIO, EFAULT, ETIMEDOUT, ENOMEM and any other errno, a change may have
 * happened.
 */
public enum Outcome {
  /** It was done. */
  DONE("it was done"),
  /** It was not done: everything is as before. */
  NOT_DONE("nothing was done"),
  /** It may have been done; only a stop or the end of the binding makes the state known again. */
  MAYBE_DONE("it may have been done all the same");

  private static final Set<Errno> BEFORE_ALL =
      EnumSet.of(EBADF, E2BIG, EINVAL, ENOENT, ENODEV, ENOTTY, EOPNOTSUPP);

  private final String words;

  Outcome(String words) {
    this.words = words;
  }

  /** What a failed call has done. */
  static Outcome of(TsmOperation operation, Errno errno) {
    if (BEFORE_ALL.contains(errno)) {
      return NOT_DONE;
    }
    Set<Errno> before =
        switch (operation) {
          case BIND -> EnumSet.of(EBUSY, EEXIST, ENXIO);
          case SET_STATE -> EnumSet.of(EBUSY, ENXIO);
          case VALIDATE_MMIO -> EnumSet.of(EEXIST, ENXIO);
          case ENABLE_DMA, DISABLE_DMA -> EnumSet.of(ENXIO);
          case UNBIND -> EnumSet.noneOf(Errno.class);
          case READ_REPORT,
              READ_MEASUREMENTS,
              EXPORT_PRIVATE,
              LIST_RUNS,
              SHARED_SLOT,
              PRIVATE_SLOT ->
              EnumSet.allOf(Errno.class);
        };
    return before.contains(errno) ? NOT_DONE : MAYBE_DONE;
  }

  /** As in messages. */
  @Override
  public String toString() {
    return words;
  }
}
