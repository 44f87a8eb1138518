package dev.iolite.tdi;

import dev.iolite.kvm.VmType;
import dev.iolite.mock.remote.RemoteKernel;
import dev.iolite.steps.Step;
import java.nio.file.Path;

/** A process that lives assignments on a host of another process until it is killed. */
final class KilledLife {
  private KilledLife() {}

  /** Takes the host's socket and the directory of journals; prints a line for each step. */
  public static void main(String[] arguments) {
    RemoteKernel kernel = RemoteKernel.connect(Path.of(arguments[0]));
    Journals journals = new Journals(Path.of(arguments[1]));
    AssignmentListener tells =
        new AssignmentListener() {
          @Override
          public void step(Step step) {
            System.out.println(step.name());
          }
        };
    while (true) {
      try (TdiAssignment assignment =
          new TdiAssignment(
              new AssignmentOptions(kernel, Life.ENDPOINT)
                  .withVmType(VmType.TDX)
                  .withJournal(() -> journals.begin(Life.ENDPOINT))
                  .withListener(tells))) {
        assignment.assign();
        assignment.bind();
        assignment.start();
        assignment.unbind();
      }
    }
  }
}
