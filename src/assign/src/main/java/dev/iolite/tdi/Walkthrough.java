package dev.iolite.tdi;

import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.pci.EduRegs;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.PciRegs;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.guest.Check;
import dev.iolite.tdi.guest.EduDma;
import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tdi.guest.GuestAnswer;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.Run;
import dev.iolite.tdi.ledger.LedgerProblem;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tdi.profile.UapiProfile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Goes through the whole life of an assignment once, and checks in each state, from the guest's
 * side, what can be reached; on a host that cannot bind, it goes only through the shared half.
 * Nothing is written to an unknown device, and only the first word of each run is read.
 */
public final class Walkthrough {
  private static final int STATE_RUN = 2;
  private static final long ROOM_GPA = 0x2000;
  private static final int WORD = 4;

  private final TdiAssignment assignment;
  private final GuestAgent guest;
  private final Consumer<Check> listener;
  private final ReadChecks reads;
  private final List<Check> failed = new ArrayList<>();

  /**
   * Prepares a walkthrough.
   *
   * @param assignment the assignment, not assigned yet
   * @param guest its guest
   * @param listener receives each check
   */
  public Walkthrough(TdiAssignment assignment, GuestAgent guest, Consumer<Check> listener) {
    this.assignment = assignment;
    this.guest = guest;
    this.listener = listener;
    reads = new ReadChecks(assignment, this::note);
  }

  /**
   * Goes through the assignment's life; at the end, the BARs are shared, as after the assignment.
   *
   * @return whether this host can bind
   * @throws ScenarioException if something was not as it should be
   * @throws KernelException what the kernel said
   * @throws PreconditionException if something that it needs is missing
   */
  public boolean run() {
    assignment.assign();
    Map<Integer, GuestAnswer> words = firstWords();
    words.forEach((bar, read) -> reads.reachesShared("the guest reads BAR" + bar, bar, 0, read));
    checkLedger();
    boolean binds = assignment.canBind();
    checkCanVerify(binds);
    if (binds && !guest.asks()) {
      bindForTheGuest();
    } else if (binds) {
      privateHalf();
    } else {
      sharedHalf(words);
    }
    checkWords("the guest reads the BARs as at first", words);
    reads.settle();
    checkLedger();
    if (!failed.isEmpty()) {
      throw new ScenarioException(
          "%d check(s) failed; the first: %s, but: %s"
              .formatted(failed.size(), failed.getFirst().what(), failed.getFirst().seen()));
    }
    return binds;
  }

  /** A user who trusts a signer wants a signature, and must be told if there can be none. */
  private void checkCanVerify(boolean binds) {
    UapiProfile profile = assignment.usedProfile().orElseThrow();
    boolean canVerify = binds && profile.operations().contains(TsmOperation.READ_MEASUREMENTS);
    if (assignment.trust().isPresent() && !canVerify) {
      check(
          "the device's measurements can be read, to verify their signature",
          false,
          binds
              ? "the kernel has no call for it (UAPI profile %s)".formatted(profile.name())
              : "the interface can't be bound here");
    }
  }

  private void check(String what, boolean isSo, Object seen) {
    note(new Check(what, isSo, seen.toString()));
  }

  private void note(Check check) {
    listener.accept(check);
    if (!check.isSo()) {
      failed.add(check);
    }
  }

  private void checkLedger() {
    List<LedgerProblem> problems = assignment.ledger().problems();
    check(
        "pages, slots, maps and dma-bufs agree",
        problems.isEmpty(),
        problems.isEmpty() ? "no contradiction" : problems);
  }

  private Map<Integer, GuestAnswer> firstWords() {
    Map<Integer, GuestAnswer> words = new TreeMap<>();
    assignment
        .barAddresses()
        .forEach((bar, gpa) -> {
          if (guest.reaches(gpa)) {
            words.put(bar, guest.read(gpa, WORD, Kind.SHARED));
          }
        });
    return words;
  }

  /** Reports nothing about a guest that cannot read. */
  private void checkWords(String what, Map<Integer, GuestAnswer> before) {
    if (!before.isEmpty()) {
      Map<Integer, GuestAnswer> now = firstWords();
      check(what, now.equals(before), now);
    }
  }

  private void granted(String what, GuestAsk ask) {
    long answer = guest.ask(ask);
    check("the VMM grants the guest's wish to " + what, answer == 0, "answer " + answer);
  }

  /** What is done with a run. */
  @FunctionalInterface
  private interface OnRun {
    void take(BarLayout bar, Run run, long gpa);
  }

  /** Visits the runs of BARs that are mapped in the guest: a BAR smaller than a page is not. */
  private void forEachRun(OnRun taker) {
    Map<Integer, Long> places = assignment.barAddresses();
    for (BarLayout bar : assignment.layout().orElseThrow().bars()) {
      Long place = places.get(bar.bar());
      if (place != null) {
        bar.runs().forEach(run -> taker.take(bar, run, place + run.offset()));
      }
    }
  }

  /** The VM's owner binds, starts and unbinds the interface of a guest that can't ask. */
  private void bindForTheGuest() {
    assignment.bind();
    checkLedger();
    Set<TsmOperation> operations = assignment.usedProfile().orElseThrow().operations();
    if (assignment.trust().isPresent() && operations.contains(TsmOperation.READ_MEASUREMENTS)) {
      new GuestEvidence(assignment, guest, this::note, ROOM_GPA).verifyHosts();
    }
    forEachRun((bar, run, _) -> {
      if (run.kind() == Kind.PRIVATE) {
        checkHost(bar, run);
      }
    });
    assignment.start();
    checkLedger();
    assignment.unbind();
  }

  /** The guest asks for the interface to be bound, looks at it, uses it and gives it back. */
  private void privateHalf() {
    granted("bind the interface", new GuestAsk.Bind());
    checkLedger();
    Set<TsmOperation> operations = assignment.usedProfile().orElseThrow().operations();
    GuestEvidence evidence = new GuestEvidence(assignment, guest, this::note, ROOM_GPA);
    if (evidence.canRead(operations)) {
      granted("share a page", new GuestAsk.Convert(ROOM_GPA, Page.BYTES, Kind.SHARED));
      evidence.read(operations);
      granted("take the page back", new GuestAsk.Convert(ROOM_GPA, Page.BYTES, Kind.PRIVATE));
    }
    // Without a layout, nobody here knows what to look for: such a guest learns it by itself.
    boolean isKnown = assignment.knowsLayout();
    if (isKnown && operations.contains(TsmOperation.VALIDATE_MMIO)) {
      forEachRun(this::validate);
    }
    if (isKnown) {
      forEachRun((bar, run, gpa) -> lookAt(bar, run, gpa, false));
    }
    granted("start the interface", new GuestAsk.SetState(STATE_RUN));
    if (isKnown) {
      boolean mapsPrivate =
          operations.contains(TsmOperation.PRIVATE_SLOT)
              || operations.contains(TsmOperation.VALIDATE_MMIO);
      forEachRun((bar, run, gpa) -> lookAt(bar, run, gpa, mapsPrivate));
    }
    checkLedger();
    granted("unbind the interface", new GuestAsk.Unbind());
  }

  private void validate(BarLayout bar, Run run, long gpa) {
    if (run.kind() == Kind.PRIVATE) {
      long physical = assignment.physical(bar.bar(), run.offset());
      granted(
          "validate BAR%d %s".formatted(bar.bar(), run),
          new GuestAsk.ValidateMmio(gpa, gpa + run.bytes(), physical, bar.bar()));
    }
  }

  /** Looks from the guest, by both kinds of access, and from the host. */
  private void lookAt(BarLayout bar, Run run, long gpa, boolean privateReaches) {
    String where = "BAR%d+0x%x (%s)".formatted(bar.bar(), run.offset(), run.kind());
    GuestAnswer asShared = guest.read(gpa, WORD, Kind.SHARED);
    GuestAnswer asPrivate = guest.read(gpa, WORD, Kind.PRIVATE);
    if (run.kind() == Kind.SHARED) {
      String what = "a shared read reaches " + where;
      reads.reachesShared(what, bar.bar(), run.offset(), asShared);
      reads.doesNotReach("a private read does not reach " + where, asPrivate);
      return;
    }
    reads.doesNotReach("a shared read does not reach " + where, asShared);
    if (privateReaches) {
      String what = "a private read reaches " + where;
      reads.reachesPrivate(what, bar.bar(), run.offset(), asPrivate);
    } else {
      reads.doesNotReach("a private read does not reach " + where, asPrivate);
    }
    checkHost(bar, run);
  }

  private void checkHost(BarLayout bar, Run run) {
    reads.doesNotReach(
        "the host does not reach BAR%d+0x%x (private)".formatted(bar.bar(), run.offset()),
        assignment.readAsHost(bar.bar(), run.offset()));
  }

  /** The guest cuts off its device and restores it; the device is reset. */
  private void sharedHalf(Map<Integer, GuestAnswer> words) {
    driveEdu();
    Map<Integer, Long> places = assignment.barAddresses();
    long bdf = assignment.virtualBdf();
    int command = guest.readConfig(bdf, PciRegs.COMMAND);
    guest.writeConfig(bdf, PciRegs.COMMAND, command & ~PciRegs.COMMAND_MEMORY);
    places.forEach((bar, gpa) -> {
      if (guest.reaches(gpa)) {
        GuestAnswer cut = guest.read(gpa, WORD, Kind.SHARED);
        check("without memory decode the guest does not reach BAR" + bar, !cut.reached(), cut);
      }
    });
    checkLedger();
    guest.writeConfig(bdf, PciRegs.COMMAND, command);
    checkWords("with it the guest reads the BARs again", words);
    driveEdu();
    if (assignment.reset()) {
      checkWords("after a reset the guest reads the BARs again", words);
    }
  }

  /** Whether the guest has a shared page for DMA: a device reaches only shared memory. */
  private boolean hasPageForDma() {
    boolean isPrivate = !assignment.assigned().ram().isShared(EduDma.RAM_GPA, Page.BYTES);
    if (isPrivate && guest.asks()) {
      granted(
          "share a page for DMA", new GuestAsk.Convert(EduDma.RAM_GPA, Page.BYTES, Kind.SHARED));
    }
    return assignment.assigned().ram().isShared(EduDma.RAM_GPA, Page.BYTES);
  }

  private boolean isEdu() {
    PciDevice pci = assignment.assigned().pci();
    return pci.vendor() == EduRegs.VENDOR && pci.device() == EduRegs.DEVICE;
  }

  private void driveEdu() {
    Optional<Long> bar =
        Optional.ofNullable(assignment.barAddresses().get(0)).filter(guest::reaches);
    if (bar.isPresent() && isEdu() && hasPageForDma()) {
      note(new EduDma(guest, bar.get()).run());
    }
  }
}
