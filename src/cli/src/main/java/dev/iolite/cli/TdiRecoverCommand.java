package dev.iolite.cli;

import dev.iolite.cli.held.HeldClient;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.pci.PciAddress;
import dev.iolite.tdi.journal.Recovery;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code iolite tdi recover}: releases what killed processes held. */
@Command(
    name = "recover",
    description = {
      "Releases what a process held of a device when it was killed: disconnects the TSM that it"
          + " connected, and gives the device back to its driver. Everything else went with the"
          + " process.",
      "Without a BDF: all devices for which killed processes have left a journal."
    })
final class TdiRecoverCommand extends IoliteCommand implements Callable<Integer> {
  private static final int LAST_STEPS = 5;

  @Parameters(arity = "0..1", paramLabel = "BDF", description = "such as 0000:00:07.0 or 00:07.0")
  private Optional<PciAddress> address = Optional.empty();

  @Mixin private final RunDirectory directory = new RunDirectory();

  @Override
  public Integer call() {
    List<Map<String, Object>> results = new ArrayList<>();
    int code = ExitCode.OK;
    try (CloseStack open = new CloseStack()) {
      Optional<PrivateDirectory> found = directory.find().map(open::push);
      if (found.isPresent()) {
        code = recover(found.get(), kernel(), results);
      }
    }
    if (output().isJson()) {
      output().json(results);
    } else if (results.isEmpty()) {
      output()
          .line(
              "Nothing to recover%s: no journal is left in %s."
                  .formatted(address.map(a -> " of " + a).orElse(""), directory.path()));
    }
    return code;
  }

  private int recover(PrivateDirectory found, Kernel kernel, List<Map<String, Object>> results) {
    int code = ExitCode.OK;
    for (PciAddress device : address.map(Set::of).orElseGet(() -> leftBehind(found))) {
      AssignmentReport report =
          new AssignmentReport(output(), AssignmentReport.Detail.STEPS, Optional.empty());
      try {
        uncut(() -> recover(kernel, found, device, report)).ifPresent(results::add);
      } catch (RuntimeException e) {
        Failures.lines(e).forEach(this::error);
        results.add(
            Json.object("device", device, "error", Remedies.message(e), "steps", report.events()));
        code = code == ExitCode.OK ? Failures.code(e) : code;
      }
    }
    return code;
  }

  private static Set<PciAddress> leftBehind(PrivateDirectory found) {
    return found.names().stream()
        .flatMap(name -> RunDirectory.device(name).stream())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The outcome; empty if there was nothing to do. */
  private Optional<Map<String, Object>> recover(
      Kernel kernel, PrivateDirectory run, PciAddress device, AssignmentReport report) {
    Optional<Recovery.Found> found = new Recovery(kernel, run, device, kernelName(), report).run();
    String socket = RunDirectory.socket(device);
    if (HeldClient.isAlive(run.reach(socket))) {
      throw new PreconditionException(
          "release what is held of " + device,
          "a process listens at " + run.path().resolve(socket),
          "it runs, and holds the device",
          "end it by 'quit' or Ctrl-C; iolite tdi show " + device);
    }
    boolean hadSocket = run.hasSocket(socket);
    if (hadSocket) {
      run.delete(socket);
    }
    if (found.isEmpty() && !hadSocket) {
      return Optional.empty();
    }
    if (!output().isJson()) {
      found.ifPresent(left -> print(device, left));
      if (found.isEmpty()) {
        output()
            .line(device + ": its socket was left, and nothing was held; the socket is deleted.");
      }
    }
    return Optional.of(Json.object("device", device, "found", found, "steps", report.events()));
  }

  private void print(PciAddress device, Recovery.Found found) {
    List<String> steps = found.steps();
    output()
        .line(
            "%s was held by process %d, which was killed while it was %s; released."
                .formatted(device, found.process(), found.state()));
    steps
        .subList(Math.max(0, steps.size() - LAST_STEPS), steps.size())
        .forEach(step -> output().wrapped(2, "one of its last steps: " + step));
  }
}
