package dev.iolite.mock.tsm;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TdiNonces;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.TdiState;
import java.util.Optional;
import java.util.function.Supplier;

/** Drives a TSM from outside the kernel, for tests. Safe for use by many threads. */
public final class TsmControl {
  private final Task task;
  private final LinkTsm tsm;

  TsmControl(Task task, LinkTsm tsm) {
    this.task = task;
    this.tsm = tsm;
  }

  private <T> T locked(Supplier<T> body) {
    return task.locked(body);
  }

  private TeeFunction function(String address) {
    return tsm.function(address)
        .orElseThrow(() -> new IllegalArgumentException("no function at " + address));
  }

  /**
   * Makes the next of these operations fail.
   *
   * @param after whether it fails after it has taken effect; only binds and changes of state can
   */
  public void failNext(TsmErrors.Operation operation, Errno errno, boolean after) {
    locked(() -> {
      tsm.errors().failNext(operation, errno, after);
      return tsm;
    });
  }

  /**
   * Sends a device's interfaces to ERROR.
   *
   * @param address the address of the function that the TSM is connected to
   * @throws IllegalArgumentException if the kernel knows no such function
   */
  public void fail(String address) {
    locked(() -> {
      tsm.fail(function(address));
      return tsm;
    });
  }

  /**
   * Loses the link or session of a device: the interfaces behind it go to ERROR, and locks and
   * requests fail with EIO until it is connected anew.
   *
   * @param address the address of the function that the TSM is connected to
   * @throws IllegalArgumentException if the kernel knows no such function
   */
  public void loseLink(String address) {
    locked(() -> {
      tsm.loseLink(function(address));
      return tsm;
    });
  }

  /**
   * Makes a device answer with these bytes, whatever they are, when it is asked for its interface's
   * report from now on. Which of its memory is private still depends on its shape.
   *
   * @param address the function's address
   * @throws IllegalArgumentException if the kernel knows no such function
   */
  public void answerReport(String address, byte[] report) {
    locked(() -> {
      tsm.answerReport(function(address), report);
      return tsm;
    });
  }

  /**
   * Locks MSI-X tables too, from the next lock on (LOCK_MSIX). TDISP allows this, but no TSM that
   * Linux drives does it; a TDX module does not accept such an interface.
   */
  public void lockMsix() {
    locked(() -> {
      tsm.lockMsix();
      return tsm;
    });
  }

  /**
   * What a realm has learned about a function's interface from its monitor, and states when it asks
   * for a mapping; empty if it is not bound.
   */
  public Optional<TdiNonces> nonces(String address) {
    return locked(() -> tsm.function(address).flatMap(tsm::nonces));
  }

  /** The state of a function's interface; empty if it is not bound. */
  public Optional<TdiState> state(String address) {
    return locked(() -> tsm.function(address).flatMap(tsm::tdi).map(Tdi::state));
  }
}
