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

/** The reply of a command of a held assignment: lines for people, or one JSON object at the end. */
public final class HeldReply {
  private final Output output;
  private final AssignmentReport report;
  private final Consumer<String> errors;
  private final Map<String, Object> members = new LinkedHashMap<>();

  /**
   * Makes a reply to an output.
   *
   * @param detail how much people are told of what succeeds
   * @param svg where the bound device's BARs are to be drawn
   * @param errors takes the lines that say why a command failed
   */
  public HeldReply(
      Output output, AssignmentReport.Detail detail, Optional<Path> svg, Consumer<String> errors) {
    this.output = output;
    this.errors = errors;
    report = new AssignmentReport(output, detail, svg);
  }

  /** The report of the assignment's progress while the command runs. */
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
   * @param name the result's name for programs
   * @param text the result for people
   */
  void say(String name, Object value, String text) {
    say(name, value);
    if (!output.isJson()) {
      output.line(text);
    }
  }

  /** Does what {@link #say(String, Object, String)} does, for a text that is already laid out. */
  void show(String name, Object value, String text) {
    say(name, value);
    if (!output.isJson()) {
      output.verbatim(text);
    }
  }

  /** Prints a usage message, which may have colours. */
  void usage(String text) {
    say("text", text);
    if (!output.isJson()) {
      output.laidOut(text);
    }
  }

  /** Adds a result for programs; people learn about it in another way. */
  void say(String name, Object value) {
    members.put(name, value);
  }

  /** Reports why the command failed. */
  void failed(String message) {
    members.merge("error", message, (before, more) -> before + "\n" + more);
    errors.accept(message);
  }

  /** Ends the reply. */
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
