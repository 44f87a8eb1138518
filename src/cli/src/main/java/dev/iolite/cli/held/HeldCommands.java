package dev.iolite.cli.held;

import dev.iolite.cli.ExitCode;
import dev.iolite.cli.Failures;
import dev.iolite.cli.TdiFiles;
import dev.iolite.cli.UsageHelp;
import dev.iolite.cli.drawing.LayoutSvg;
import dev.iolite.kernel.ByteSize;
import dev.iolite.kernel.Page;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tdi.guest.GuestAnswer;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.layout.MmioLayout;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * The commands of a held assignment, no matter where they come from. There is one object for each
 * command.
 */
@Command(
    name = "",
    synopsisHeading = "",
    customSynopsis = "What can be done while the device is held:",
    commandListHeading = "",
    footer = {
      "",
      "Numbers are written like 4096, 0x1000 or 4K. Reads and writes are shared and 4 bytes wide by"
          + " default. 'ask' has the guest ask its VMM; other commands are the host's."
    },
    subcommands = HelpCommand.class)
final class HeldCommands {
  private static final int STATE_RUN = 2;

  @Spec private CommandSpec spec;

  private final TdiAssignment assignment;
  private final GuestAgent guest;
  private final HeldReply reply;
  private final HeldAsks asks;
  private boolean quits;

  /** Makes the commands on an assignment and its guest. */
  HeldCommands(TdiAssignment assignment, GuestAgent guest, HeldReply reply) {
    this.assignment = assignment;
    this.guest = guest;
    this.reply = reply;
    asks = new HeldAsks(assignment, guest, reply);
  }

  /** Runs the command of a line; returns its exit code. A failure is reported, not thrown. */
  int run(String line) {
    StringWriter text = new StringWriter();
    CommandLine commands =
        new CommandLine(this)
            .setOut(new PrintWriter(text))
            .setExpandAtFiles(false)
            .setColorScheme(reply.output().terminal().colorScheme())
            .setParameterExceptionHandler((e, words) -> notUnderstood(e, words[0]))
            .setExecutionExceptionHandler((e, _, _) -> {
              Failures.lines(e).forEach(reply::failed);
              return Failures.code(e);
            });
    UsageHelp.fit(commands, reply.output().terminal());
    int code = commands.execute(line.strip().split("\\s+"));
    if (!text.toString().isEmpty()) {
      reply.usage(text.toString().stripTrailing() + "\n");
    }
    return code;
  }

  private int notUnderstood(ParameterException e, String command) {
    boolean isKnown = spec.subcommands().containsKey(command);
    reply.failed(
        isKnown
            ? "iolite: %s ('help %s' has more)".formatted(e.getMessage(), command)
            : "iolite: there is no command '%s' ('help' lists them)".formatted(command));
    return ExitCode.USAGE;
  }

  /** Whether the command was to quit. */
  boolean quits() {
    return quits;
  }

  @Command(name = "bind", description = "bind the interface to the guest, and split its BARs")
  int bind() {
    assignment.bind();
    return ExitCode.OK;
  }

  @Command(name = "start", description = "start the bound interface")
  int start() {
    assignment.start();
    return ExitCode.OK;
  }

  @Command(name = "unbind", description = "stop and unbind it, and share its BARs")
  int unbind() {
    assignment.unbind();
    return ExitCode.OK;
  }

  @Command(name = "reset", description = "reset the device")
  int reset() {
    boolean done = assignment.reset();
    reply.say("reset", done, done ? "the device was reset" : "the device has no reset");
    return done ? ExitCode.OK : ExitCode.CHECK_FAILED;
  }

  @Command(name = "hot-reset", description = "reset the device's slot or bus, all functions of it")
  int hotReset() {
    boolean done = assignment.hotReset();
    reply.say("reset", done, done ? "its slot or bus was reset" : "it is on a root bus");
    return done ? ExitCode.OK : ExitCode.CHECK_FAILED;
  }

  @Command(name = "sleep", description = "let the kernel suspend the device")
  int sleep() {
    boolean done = assignment.enterLowPower();
    reply.say("asleep", done, done ? "the kernel may suspend it" : "the kernel never suspends it");
    return done ? ExitCode.OK : ExitCode.CHECK_FAILED;
  }

  @Command(name = "wake", description = "keep the device awake again")
  int wake() {
    assignment.leaveLowPower();
    return ExitCode.OK;
  }

  @Command(name = "refresh", description = "look whether the kernel has revoked the mappings")
  int refresh() {
    reply.say("found", assignment.refresh().toString(), "it is " + assignment.state());
    return ExitCode.OK;
  }

  @Command(name = "recover", description = "prove a quarantined interface released, and share it")
  int recover() {
    assignment.endQuarantine();
    return ExitCode.OK;
  }

  @Command(name = "read", description = "GPA [private|shared] [BYTES]: the guest reads")
  int read(
      @Parameters(paramLabel = "GPA") String gpa,
      @Parameters(arity = "0..1", paramLabel = "private|shared") Optional<String> kind,
      @Parameters(arity = "0..1", paramLabel = "BYTES") Optional<String> bytes) {
    HeldAccess access = understood(() -> HeldAccess.parse(gpa, kind, bytes));
    return answered(
        "read " + access,
        understood(() -> guest.read(access.gpa(), access.bytes(), access.kind())));
  }

  @Command(name = "write", description = "GPA VALUE [private|shared] [BYTES]: the guest writes")
  int write(
      @Parameters(paramLabel = "GPA") String gpa,
      @Parameters(paramLabel = "VALUE") String value,
      @Parameters(arity = "0..1", paramLabel = "private|shared") Optional<String> kind,
      @Parameters(arity = "0..1", paramLabel = "BYTES") Optional<String> bytes) {
    HeldAccess access = understood(() -> HeldAccess.parse(gpa, kind, bytes));
    long written = understood(() -> HeldAccess.value(value, access.bytes()));
    return answered(
        "write " + access,
        understood(() -> guest.write(access.gpa(), access.bytes(), written, access.kind())));
  }

  private int answered(String what, GuestAnswer answer) {
    reply.say("reached", answer.reached());
    reply.say("answer", answer.toString(), what + ": " + answer);
    return ExitCode.OK;
  }

  /** Reports what was typed as wrong if it can't be understood or the guest has no such access. */
  private <T> T understood(Supplier<T> typed) {
    try {
      return typed.get();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  @Command(
      name = "convert",
      description = "GPA BYTES private|shared: the guest asks to convert memory")
  int convert(
      @Parameters(paramLabel = "GPA") String gpa,
      @Parameters(paramLabel = "BYTES") String bytes,
      @Parameters(paramLabel = "private|shared") String kind) {
    return asks.ask(
        "convert",
        understood(() ->
            new GuestAsk.Convert(
                ByteSize.parse(gpa), ByteSize.parse(bytes), HeldAccess.kind(kind))));
  }

  @Command(
      name = "config",
      description = "OFFSET [VALUE]: the guest reads, or writes, 32 bits of config space")
  int config(
      @Parameters(paramLabel = "OFFSET") String offset,
      @Parameters(arity = "0..1", paramLabel = "VALUE") Optional<String> value) {
    int at = understood(() -> HeldAccess.register(offset));
    Optional<Long> written =
        understood(() -> value.map(text -> HeldAccess.value(text, Integer.BYTES)));
    long bdf = assignment.virtualBdf();
    written.ifPresent(bits -> guest.writeConfig(bdf, at, bits.intValue()));
    String read = "0x%08x".formatted(guest.readConfig(bdf, at));
    reply.say("answer", read, "config 0x%02x: %s".formatted(at, read));
    return ExitCode.OK;
  }

  @Command(
      name = "ask",
      description =
          "bind, unbind, start, validate, report GPA or measurements GPA: the guest asks for that;"
              + " what it reads goes to its page at GPA, which has the nonce for measurements")
  int ask(
      @Parameters(paramLabel = "WHAT") String what,
      @Parameters(arity = "0..1", paramLabel = "GPA") Optional<String> gpa) {
    boolean reads = what.equals("report") || what.equals("measurements");
    if (reads != gpa.isPresent()) {
      throw new ParameterException(
          spec.commandLine(),
          "a GPA goes with 'ask report' and 'ask measurements', and with nothing else");
    }
    long room = understood(() -> gpa.map(ByteSize::parse).orElse(0L));
    return switch (what) {
      case "bind" -> asks.ask(what, new GuestAsk.Bind());
      case "unbind" -> asks.ask(what, new GuestAsk.Unbind());
      case "start" -> asks.ask(what, new GuestAsk.SetState(STATE_RUN));
      case "validate" -> asks.validate();
      case "report" -> asks.ask(what, new GuestAsk.ReadReport(room, Page.BYTES));
      case "measurements" -> asks.ask(what, new GuestAsk.ReadMeasurements(room, Page.BYTES));
      default ->
          throw new ParameterException(
              spec.commandLine(),
              "the guest asks for bind, unbind, start, validate, report GPA or measurements GPA,"
                  + " not for "
                  + what);
    };
  }

  @Command(
      name = "measurements",
      description =
          "[NONCE]: what the device says about its firmware and configuration; 64 hexadecimal"
              + " digits, a fresh nonce unless given")
  int measurements(@Parameters(arity = "0..1", paramLabel = "NONCE") Optional<String> nonce) {
    byte[] used =
        understood(() -> nonce.map(HeldMeasurements::nonce).orElseGet(Measurements::freshNonce));
    HeldMeasurements.show(reply, assignment, used);
    return ExitCode.OK;
  }

  @Command(name = "show", description = "the state, what is mapped, and whether it is consistent")
  int show() {
    return HeldState.show(reply, assignment) ? ExitCode.OK : ExitCode.CHECK_FAILED;
  }

  @Command(name = "svg", description = "[FILE]: draw the BARs")
  int svg(@Parameters(arity = "0..1", paramLabel = "FILE") Optional<Path> file) {
    MmioLayout layout = HeldAsks.layout(assignment, "draw the BARs");
    String title = assignment.address().toString();
    if (file.isPresent()) {
      TdiFiles.writeSvg(file.get(), layout, title);
      reply.say("file", file.get().toString(), "drawn into " + file.get());
    } else {
      String drawing = LayoutSvg.of(layout, title);
      reply.show("svg", drawing, drawing);
    }
    return ExitCode.OK;
  }

  @Command(name = "quit", description = "give everything back and exit, like the end of input")
  int quit() {
    quits = true;
    return ExitCode.OK;
  }
}
