package dev.iolite.tdi;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.remote.RemoteKernel;
import java.nio.file.Path;

/** A process that recovers on a host of another process, until it is killed. */
final class KilledRecovery {
  private KilledRecovery() {}

  /** Takes the host's socket and the directory of journals; prints a line before each call. */
  public static void main(String[] arguments) {
    RemoteKernel kernel = RemoteKernel.connect(Path.of(arguments[0]));
    Faults none =
        Faults.none()
            .fail(
                call -> {
                  System.out.println(call);
                  return false;
                },
                1,
                Errno.EIO,
                Faults.When.BEFORE);
    try (Journals journals = new Journals(Path.of(arguments[1]))) {
      journals.recover(new FaultyKernel(kernel, none), Life.ENDPOINT);
    }
    System.out.println("ended");
  }
}
