package dev.iolite.cli.held;

import dev.iolite.cli.ExitCode;
import dev.iolite.cli.Input;
import dev.iolite.cli.Output;
import dev.iolite.steps.Step;
import dev.iolite.tdi.AssignmentListener;
import dev.iolite.tdi.Stage;
import dev.iolite.tdi.State;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.guest.GuestAgent;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * An assignment that is held, and its commands, from standard input and from other processes. One
 * thread runs all of them, one after the other; it is the guest's thread, too.
 */
public final class HeldSession implements AssignmentListener {
  private static final long LOOK_MILLIS = 100;

  private record Given(
      String line, HeldReply reply, boolean isTyped, CompletableFuture<Integer> code) {}

  private final BlockingQueue<Given> waiting = new LinkedBlockingQueue<>();
  private final Input input;
  private final Output output;
  private final Supplier<HeldReply> replies;
  private final HeldNews news = new HeldNews();
  private AssignmentListener listener = AssignmentListener.none();
  private boolean ended;

  /**
   * Prepares a session.
   *
   * @param replies makes the replies for commands from standard input
   */
  public HeldSession(Input input, Output output, Supplier<HeldReply> replies) {
    this.input = input;
    this.output = output;
    this.replies = replies;
  }

  /** What happens in it, for those who watch. */
  public HeldNews news() {
    return news;
  }

  /** Adds a listener for the assignment's progress from now on. */
  public void tell(AssignmentListener told) {
    listener = told;
  }

  /**
   * Runs commands until one ends the session, nothing is held any longer, or input ends.
   *
   * @param assignment an assignment that is already assigned
   * @param stop whether the process is to end
   * @return an exit code
   */
  public int run(TdiAssignment assignment, GuestAgent guest, BooleanSupplier stop) {
    Thread.ofPlatform().daemon().name("standard input").start(this::readInput);
    try {
      prompt(assignment);
      while (!stop.getAsBoolean()) {
        Given next = waiting.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        if (next == null) {
          continue;
        }
        boolean goesOn = execute(next, assignment, guest);
        if (assignment.usedProfile().isEmpty()) {
          output.notice("Nothing is held any longer, so the command ends.");
          return next.code().join();
        }
        if (!goesOn) {
          return ExitCode.OK;
        }
        prompt(assignment);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      end();
    }
    return ExitCode.OK;
  }

  private void prompt(TdiAssignment assignment) {
    if (input.isTerminal()) {
      output.prompt("%s %s> ".formatted(assignment.address(), assignment.state()));
    }
  }

  /** Reads each line once the one before it is done. */
  private void readInput() {
    BufferedReader lines = input.reader();
    Optional<String> line;
    do {
      line = readLine(lines);
      add(line.orElse("quit"), replies.get(), true).join();
    } while (line.isPresent());
  }

  private static Optional<String> readLine(BufferedReader lines) {
    try {
      return Optional.ofNullable(lines.readLine());
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  /** Runs a command that was not typed here; the exit code comes when it is done. */
  public CompletableFuture<Integer> give(String line, HeldReply reply) {
    return add(line, reply, false);
  }

  private synchronized CompletableFuture<Integer> add(
      String line, HeldReply reply, boolean isTyped) {
    Given given = new Given(line, reply, isTyped, new CompletableFuture<>());
    if (ended) {
      refuse(given);
    } else {
      waiting.add(given);
    }
    return given.code();
  }

  private static void refuse(Given given) {
    if (!given.isTyped()) {
      given.reply().failed("iolite: too late: the device is being given back");
    }
    given.code().complete(ExitCode.PRECONDITION);
  }

  private synchronized void end() {
    ended = true;
    while (!waiting.isEmpty()) {
      refuse(waiting.remove());
    }
  }

  /** Executes a command; returns whether others may follow. */
  private boolean execute(Given given, TdiAssignment assignment, GuestAgent guest) {
    String line = given.line().strip();
    if (line.isEmpty() || line.startsWith("#")) {
      given.code().complete(ExitCode.OK);
      return true;
    }
    if (!given.isTyped() && input.isTerminal()) {
      output.notice(""); // The prompt is on this line.
    }
    if (!given.isTyped() || !input.isTerminal()) {
      output.notice((given.isTyped() ? "> " : "(from another shell) > ") + line);
    }
    HeldReply reply = given.reply();
    HeldCommands commands = new HeldCommands(assignment, guest, reply);
    reply.report().watch(assignment);
    AssignmentListener before = listener;
    tell(reply.report());
    int code = ExitCode.INTERNAL;
    try {
      code = commands.run(line);
      reply.end(line, code, assignment);
    } finally {
      news.add("> %s (exit code %d)".formatted(line, code));
      tell(before);
      given.code().complete(code);
    }
    if (!given.isTyped()) {
      output.notice("(exit code %d, it is %s)".formatted(code, assignment.state()));
    }
    return !commands.quits();
  }

  @Override
  public void stage(Stage stage) {
    news.stage(stage);
    listener.stage(stage);
  }

  @Override
  public void step(Step step) {
    news.step(step);
    listener.step(step);
  }

  @Override
  public void state(State state) {
    news.state(state);
    listener.state(state);
  }

  @Override
  public void remark(String text) {
    news.remark(text);
    listener.remark(text);
  }
}
