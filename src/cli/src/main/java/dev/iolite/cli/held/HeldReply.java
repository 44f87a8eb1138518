package dev.iolite.cli.held;

import dev.iolite.cli.AssignmentReport;
import dev.iolite.cli.Json;
import dev.iolite.cli.Output;
import dev.iolite.tdi.TdiAssignment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** What a command of a held assignment says: lines for people, or one JSON object at its end. */
public final class HeldReply {
  private final Output output;
  private final AssignmentReport report;
  private final Consumer<String> errors;
  private final Map<String, Object> members = new LinkedHashMap<>();

  /**
   * Says it there.
   *
   * @param allCalls whether system calls are shown with their arguments
   * @param svg where the bound device's BARs are to be drawn
   * @param errors takes the lines that say why a command failed
   */
  public HeldReply(Output output, boolean allCalls, Optional<Path> svg, Consumer<String> errors) {
    this.output = output;
    this.errors = errors;
    report = new AssignmentReport(output, allCalls, svg);
  }

  /** Is told how the assignment goes while the command runs. */
  public AssignmentReport report() {
    return report;
  }

  /** Where lines for people go. */
  Output output() {
    return output;
  }

  /**
   * Adds a result of the command.
   *
   * @param name what a program finds it by
   * @param text what a person reads
   */
  void say(String name, Object value, String text) {
    say(name, value);
    if (!output.isJson()) {
      output.line(text);
    }
  }

  /** As {@link #say(String, Object, String)}, for a text that is laid out already. */
  void show(String name, Object value, String text) {
    say(name, value);
    if (!output.isJson()) {
      output.verbatim(text);
    }
  }

  /** As {@link #show}, for a usage message, which may have colours. */
  void usage(String text) {
    say("text", text);
    if (!output.isJson()) {
      output.laidOut(text);
    }
  }

  /** Something that a program wants to know, and a person is told in another way. */
  void say(String name, Object value) {
    members.put(name, value);
  }

  /** Why the command failed. */
  void failed(String message) {
    members.merge("error", message, (before, more) -> before + "\n" + more);
    errors.accept(message);
  }

  /** All is said. */
  public void end(String command, int code, TdiAssignment assignment) {
    if (output.isJson()) {
      Map<String, Object> all =
          Json.object(
              "command", command,
              "code", code,
              "device", assignment.address(),
              "state", assignment.state().toString(),
              "events", report.events());
      all.putAll(members);
      output.json(all);
    }
    output.flush();
  }
}
