package dev.iolite.cli.held;

import dev.iolite.cli.AssignmentReport;
import dev.iolite.cli.ExitCode;
import dev.iolite.cli.Outputs;
import dev.iolite.ipc.MalformedMessageException;
import dev.iolite.ipc.Message;
import dev.iolite.mock.Platform;
import dev.iolite.pci.PciAddress;
import dev.iolite.rehearsal.Rehearsal;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.State;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tsm.Profile;
import java.util.Optional;

/** Requests to a process that holds a device of a model, made of any bytes. */
public final class AnyRequest {
  private Optional<Held> held = Optional.empty();

  /**
   * Answers one. It finds a running interface, whatever the one before has done to its own. What it
   * asks for may fail in the ways that the exit codes name, but not in another.
   */
  public void answer(byte[] line) {
    Message request;
    try {
      request = Message.parse(line);
    } catch (MalformedMessageException _) {
      return;
    }
    String command = request.text("command").strip();
    if (command.isEmpty() || writesFile(command)) {
      return;
    }
    Held now = held.orElseGet(Held::new);
    now.answer(request, command);
    held = Optional.of(now);
    if (now.assignment.state() != State.RUNNING) {
      held = Optional.empty();
      now.close();
    }
  }

  /** Whoever may connect may have files written anyway; a test writes none. */
  private static boolean writesFile(String command) {
    return command.matches("(?s)svg\\s.*");
  }

  private static final class Held implements AutoCloseable {
    private static final PciAddress DEVICE = PciAddress.parse("0000:00:07.0");

    private final Rehearsal rehearsal = Rehearsal.of(Platform.TDX, Profile.SEED_2025);
    private final TdiAssignment assignment =
        new TdiAssignment(
            new AssignmentOptions(rehearsal.kernel(), DEVICE).withVmType(rehearsal.vmType()));
    private final GuestAgent guest;

    Held() {
      assignment.assign();
      assignment.bind();
      assignment.start();
      guest = rehearsal.guest(assignment);
    }

    void answer(Message request, String command) {
      HeldReply reply =
          new HeldReply(
              Outputs.dropped(request.members()),
              AssignmentReport.Detail.STEPS,
              Optional.empty(),
              _ -> {});
      int code = new HeldCommands(assignment, guest, reply).run(command);
      reply.end(command, code, assignment);
      if (code == ExitCode.INTERNAL) {
        throw new IllegalStateException("an unexpected failure of '%s'".formatted(command));
      }
    }

    @Override
    public void close() {
      try (rehearsal) {
        assignment.close();
      }
    }
  }
}
