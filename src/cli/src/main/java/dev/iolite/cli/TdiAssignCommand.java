package dev.iolite.cli;

import dev.iolite.cli.AssignmentReport.Detail;
import dev.iolite.cli.CommonOptions.Format;
import dev.iolite.cli.held.HeldReply;
import dev.iolite.cli.held.HeldSession;
import dev.iolite.cli.held.HeldSocket;
import dev.iolite.cli.held.HeldWatch;
import dev.iolite.cli.report.AssignmentPage;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.EduRegs;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.rehearsal.Rehearsal;
import dev.iolite.tdi.AssignmentListener;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.Shortcomings;
import dev.iolite.tdi.SuitableVm;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.Walkthrough;
import dev.iolite.tdi.evidence.Trust;
import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tdi.guest.RealModeAgent;
import dev.iolite.tdi.guest.SilentGuest;
import dev.iolite.tdi.guest.SwProtectedAgent;
import dev.iolite.tdi.journal.Journal;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.tsm.Profile;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code iolite tdi assign}: takes a device interface through the life of an assignment. */
@Command(
    name = "assign",
    description = {
      "Assigns a device interface to a guest of its own: first shared, then bound and used"
          + " privately, then returned. Checks from the guest's side what can be reached, and takes"
          + " everything back. On a kernel that can't bind, does the shared half and says what is"
          + " missing.",
      "Without a BDF: the first function that a TSM can be connected to, else QEMU's first edu."
    })
final class TdiAssignCommand extends IoliteCommand implements Callable<Integer> {
  @Parameters(arity = "0..1", paramLabel = "BDF", description = "such as 0000:00:07.0 or 00:07.0")
  private Optional<PciAddress> address = Optional.empty();

  @Option(
      names = "--profile",
      paramLabel = "NAME",
      description =
          "the calls that bind TDIs: seed-2025, intel-rfc-2025, arm-v5, v6, cca-v7 or mainline-7.3"
              + " (default: what the kernel is found to have)")
  private Optional<Profile> profile = Optional.empty();

  @Option(
      names = "--vm",
      paramLabel = "TYPE",
      description =
          "the guest's VM: default, sw-protected, tdx or snp (default: what a model's platform"
              + " protects; on a host sw-protected if it binds interfaces and has no confidential"
              + " VMs, else default). A tdx or snp guest on a host can't be observed: the interface"
              + " is bound and unbound on its behalf")
  private Optional<VmType> vm = Optional.empty();

  @Option(
      names = "--layout",
      paramLabel = "FILE",
      description =
          "which parts of the BARs are private once bound (default: what the report or the kernel"
              + " says)")
  private Optional<Path> layout = Optional.empty();

  @Option(
      names = "--svg",
      paramLabel = "FILE",
      description = "draw the BARs as they are once bound")
  private Optional<Path> svg = Optional.empty();

  @Option(
      names = "--all",
      description =
          "show each step with its system calls, each check, and what is mapped where, not only a"
              + " line for each stage; --hold always does")
  private boolean all;

  @Option(names = "--calls", description = "as --all, with the arguments of the system calls")
  private boolean calls;

  @Option(
      names = "--hold",
      description = {
        "assign only, keep the guest, and take commands from standard input and from 'iolite tdi"
            + " show', 'bind' and 'unbind' in other terminals; 'help' lists them. At the end of"
            + " input, everything is given back. A command that fails does not end it; the exit"
            + " code is that of giving back"
      })
  private boolean hold;

  @Mixin private final HtmlReport html = new HtmlReport();

  @Mixin private final TrustOptions trust = new TrustOptions();

  @Mixin private final VfToken vfToken = new VfToken();

  @Mixin private final RunDirectory directory = new RunDirectory();

  @Override
  Set<Format> formats() {
    return Format.STREAMED;
  }

  @Override
  public Integer call() {
    AssignmentReport report = new AssignmentReport(output(), detail(), svg);
    if (!html.isWanted()) {
      return assign(report);
    }
    if (hold) {
      throw new ParameterException(
          spec().commandLine(), "--html is the report of a whole assignment; --hold has none");
    }
    return uncut(() ->
        html.of(
            () -> assign(report),
            outcome ->
                AssignmentPage.of(
                    device(report).map(PciAddress::toString).orElse("No device"),
                    report.record(),
                    outcome,
                    hostFacts(device(report).stream().toList())),
            this::error));
  }

  private Optional<PciAddress> device(AssignmentReport report) {
    return address.or(report::device);
  }

  private int assign(AssignmentReport report) {
    Optional<Trust> trusted = trust.trust();
    Kernel kernel = kernel();
    PciAddress device = address.orElseGet(() -> choose(kernel));
    VmType type = chooseVm(kernel, device);
    AssignmentOptions options =
        new AssignmentOptions(kernel, device).withVmType(type).withStop(stopRequested()).traced();
    if (profile.isPresent()) {
      options = options.withProfile(profile.get());
    }
    if (vfToken.given().isPresent()) {
      options = options.withVfToken(vfToken.given().get());
    }
    if (layout.isPresent()) {
      options = options.withLayout(TdiFiles.layout(layout.get()));
    }
    if (trusted.isPresent()) {
      options = options.withTrust(trusted.get());
    }
    AssignmentOptions begun = options;
    if (rehearsal().isPresent() && !hold) {
      return uncut(() -> walk(begun, type, report));
    }
    try (PrivateDirectory run = directory.make()) {
      AssignmentOptions written =
          rehearsal().isPresent()
              ? begun
              : begun.withJournal(() -> Journal.open(run, device, kernelName()));
      return hold ? hold(written, device, type, run) : uncut(() -> walk(written, type, report));
    }
  }

  /** Goes through its whole life, with checks. */
  private int walk(AssignmentOptions options, VmType type, AssignmentReport report) {
    Kernel kernel = kernel();
    report.show(progress());
    try (TdiAssignment assignment = new TdiAssignment(options.withListener(report))) {
      watch(assignment, report);
      report.opening(
          "Assigns %s to a guest of its own, a VM of type %s, on %s."
              .formatted(options.address(), type, kernelName()));
      noteChoice(type, report);
      new Walkthrough(assignment, guest(assignment, type), report::check).run();
      assignment
          .usedProfile()
          .ifPresent(used -> report.missing(used, missing(kernel, assignment, used, type)));
      assignment.unassign();
      report.verdict();
    } finally {
      report.end();
    }
    return ExitCode.OK;
  }

  /** Goes through the beginning and the end of its life; in between, runs the user's commands. */
  private int hold(
      AssignmentOptions options, PciAddress device, VmType type, PrivateDirectory run) {
    try (HeldSocket socket = HeldSocket.open(run, device)) {
      return uncut(() -> hold(options, type, socket));
    }
  }

  private int hold(AssignmentOptions options, VmType type, HeldSocket socket) {
    HeldReply beginning = reply();
    HeldReply ending = reply();
    HeldSession session = new HeldSession(input(), output(), this::reply);
    TdiAssignment assignment = new TdiAssignment(options.withListener(session));
    watch(assignment, beginning.report());
    session.tell(beginning.report());
    noteChoice(type, beginning.report());
    end(beginning, "assign", assignment, assignment::assign);
    try (CloseStack back = new CloseStack()) {
      back.onClose(session.news()::end);
      ending.report().watch(assignment);
      session.tell(ending.report());
      back.onClose(() -> end(ending, "release", assignment, assignment::close));
      socket.serve(
          request -> answer(session, assignment, request), text -> error("iolite: " + text));
      output().notice("Held. 'help' lists the commands; 'quit' gives everything back.");
      return session.run(assignment, guest(assignment, type), stopRequested());
    }
  }

  /** Does the work that a reply reports, and ends the reply. */
  private static void end(HeldReply reply, String name, TdiAssignment assignment, Runnable work) {
    int code = ExitCode.INTERNAL;
    try {
      work.run();
      code = ExitCode.OK;
    } catch (RuntimeException e) {
      code = Failures.code(e);
      throw e;
    } finally {
      reply.end(name, code, assignment);
    }
  }

  private Detail detail() {
    if (calls) {
      return Detail.CALLS;
    }
    return all || hold ? Detail.STEPS : Detail.STAGES;
  }

  private HeldReply reply() {
    return new HeldReply(output(), detail(), svg, this::error);
  }

  /** The answer to a request of another process. */
  private Map<String, String> answer(
      HeldSession session, TdiAssignment assignment, Map<String, String> request) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    PrintWriter errors = new PrintWriter(err);
    Format format =
        Format.STREAMED.stream()
            .filter(each -> each.toString().equals(request.get("format")))
            .findFirst()
            .orElse(Format.TABLE);
    HeldReply reply =
        new HeldReply(
            new Output(new PrintWriter(out), Terminal.described(request), format),
            detail(),
            svg,
            text -> errors.println(Printable.line(text)));
    String command = request.getOrDefault("command", "");
    Map<String, String> answer = new HashMap<>();
    int code = ExitCode.OK;
    if (command.equals(HeldWatch.COMMAND)) {
      answer.putAll(new HeldWatch(session.news(), assignment).answer(request, reply));
    } else {
      code = session.give(command, reply).join();
    }
    answer.put("code", Integer.toString(code));
    answer.put("out", out.toString());
    answer.put("err", err.toString());
    return answer;
  }

  private void watch(TdiAssignment assignment, AssignmentReport report) {
    report.watch(assignment);
    know(() -> assignment.usedProfile().map(UapiProfile::ioctls).orElse(List.of()));
  }

  private static List<String> missing(
      Kernel kernel, TdiAssignment assignment, UapiProfile profile, VmType type) {
    return Stream.concat(
            Shortcomings.of(kernel, assignment.address(), profile, type).stream(),
            assignment.obstacles().stream())
        .distinct()
        .toList();
  }

  private VmType chooseVm(Kernel kernel, PciAddress device) {
    return vm.or(() -> rehearsal().map(Rehearsal::vmType))
        .orElseGet(() -> SuitableVm.of(kernel, device));
  }

  /**
   * Tells a user who has not chosen the type of the VM which one it is, if it is not a plain one.
   */
  private void noteChoice(VmType type, AssignmentListener told) {
    if (vm.isEmpty() && rehearsal().isEmpty() && type != VmType.DEFAULT) {
      told.remark(
          ("This host binds interfaces and KVM makes no confidential VM: the guest's VM is of type"
                  + " %s, which software alone protects. --vm chooses another.")
              .formatted(type));
    }
  }

  /** Nothing can be put into a confidential VM from outside. */
  private GuestAgent guest(TdiAssignment assignment, VmType type) {
    return switch (type) {
      case DEFAULT -> new RealModeAgent(assignment);
      case SW_PROTECTED -> new SwProtectedAgent(assignment);
      default ->
          rehearsal()
              .filter(r -> r.vmType() == type)
              .map(r -> r.guest(assignment))
              .orElseGet(() -> new SilentGuest(assignment));
    };
  }

  private static PciAddress choose(Kernel kernel) {
    List<PciDevice> all = new Pci(kernel).devices();
    return first(all, device -> device.tsm().isPresent())
        .or(() -> first(all, EduRegs::isEdu))
        .orElseThrow(() ->
            new PreconditionException(
                "looked for a device to assign",
                "no function can be connected to a TSM, and there is no edu device of QEMU",
                "this is real hardware without TEE-IO",
                "iolite tdi assign, with the address of a device; or rehearse on a model: --kernel"
                    + " mock:tdx"));
  }

  private static Optional<PciAddress> first(List<PciDevice> all, Predicate<PciDevice> which) {
    return all.stream().filter(which).findFirst().map(PciDevice::address);
  }
}
