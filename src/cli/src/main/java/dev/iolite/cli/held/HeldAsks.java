package dev.iolite.cli.held;

import dev.iolite.cli.ExitCode;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.layout.Run;
import java.util.Map;

/** Makes the guest of a held assignment ask its VMM for something. */
final class HeldAsks {
  private final TdiAssignment assignment;
  private final GuestAgent guest;
  private final HeldReply reply;

  /** Prepares to ask for an assignment and its guest. */
  HeldAsks(TdiAssignment assignment, GuestAgent guest, HeldReply reply) {
    this.assignment = assignment;
    this.guest = guest;
    this.reply = reply;
  }

  /** Makes the guest ask for something; reports what the VMM answered. */
  int ask(String what, GuestAsk ask) {
    long answer = guest.ask(ask);
    if (answer == 0) {
      reply.say("answer", 0, "the VMM grants it: " + what);
      return ExitCode.OK;
    }
    if (answer > 0) {
      reply.say("answer", answer, "the VMM grants it: %s, %d bytes".formatted(what, answer));
      return ExitCode.OK;
    }
    boolean isErrno = answer >= -Kernel.MAX_ERRNO;
    String words = isErrno ? Errno.of((int) -answer).name() : "0x" + Long.toHexString(answer);
    reply.say("answer", words, "the VMM refuses it: %s: %s".formatted(what, words));
    return ExitCode.CHECK_FAILED;
  }

  /** Validates all private runs, one after the other, up to the first that is refused. */
  int validate() {
    Map<Integer, Long> places = assignment.barAddresses();
    int code = ExitCode.OK;
    int count = 0;
    for (BarLayout bar : layout(assignment, "ask for validations").bars()) {
      Long place = places.get(bar.bar());
      for (Run run : bar.runs()) {
        if (place != null && run.kind() == Kind.PRIVATE && code == ExitCode.OK) {
          long gpa = place + run.offset();
          long physical = assignment.physical(bar.bar(), run.offset());
          code =
              ask(
                  "validate BAR%d %s".formatted(bar.bar(), run),
                  new GuestAsk.ValidateMmio(gpa, gpa + run.bytes(), physical, bar.bar()));
          count++;
        }
      }
    }
    if (count == 0) {
      throw new PreconditionException(
          "ask for validations of " + assignment.address(),
          "nothing of its BARs is private",
          "it is not bound",
          "bind");
    }
    return code;
  }

  /** The layout that is mapped now; it is a failure if nothing is mapped. */
  static MmioLayout layout(TdiAssignment assignment, String tried) {
    return assignment
        .layout()
        .orElseThrow(() ->
            new PreconditionException(
                tried + " of " + assignment.address(),
                "nothing of its BARs is mapped",
                "the assignment is " + assignment.state() + ", or memory decode is off",
                "show"));
  }
}
