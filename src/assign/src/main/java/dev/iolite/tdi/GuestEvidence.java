package dev.iolite.tdi;

import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.tdi.evidence.Evidence;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tdi.evidence.UntrustedEvidenceException;
import dev.iolite.tdi.guest.Check;
import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.guest.GuestRoom;
import dev.iolite.tdi.profile.TsmOperation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * What a guest reads about its device before it trusts it, in a page that it shares for this
 * purpose.
 */
final class GuestEvidence {
  private final TdiAssignment assignment;
  private final GuestAgent guest;
  private final Consumer<Check> listener;
  private final long gpa;

  /**
   * Prepares to read.
   *
   * @param listener receives each check
   * @param gpa the address of the page
   */
  GuestEvidence(TdiAssignment assignment, GuestAgent guest, Consumer<Check> listener, long gpa) {
    this.assignment = assignment;
    this.guest = guest;
    this.listener = listener;
    this.gpa = gpa;
  }

  /** Whether there is anything to read, with these operations. */
  boolean canRead(Set<TsmOperation> operations) {
    return operations.contains(TsmOperation.READ_REPORT)
        || operations.contains(TsmOperation.READ_MEASUREMENTS);
  }

  /** Reads what there is. */
  void read(Set<TsmOperation> operations) {
    if (operations.contains(TsmOperation.READ_REPORT)) {
      given("read the interface's report", new GuestAsk.ReadReport(gpa, Page.BYTES));
    }
    if (operations.contains(TsmOperation.READ_MEASUREMENTS)) {
      compareMeasurements();
    }
  }

  /** Makes the guest ask; returns the length of what it was given, 0 if it was refused. */
  private int given(String what, GuestAsk ask) {
    long answer = guest.ask(ask);
    boolean isGiven = answer > 0 && answer <= Page.BYTES;
    listener.accept(
        new Check(
            "the VMM grants the guest's wish to " + what,
            isGiven,
            isGiven ? answer + " bytes" : "answer " + answer));
    return isGiven ? (int) answer : 0;
  }

  /**
   * That the device says the same to both proves little; whoever trusts a certificate has the
   * signature verified.
   */
  private void compareMeasurements() {
    GuestRoom room = new GuestRoom(guest, gpa);
    byte[] nonce = Measurements.freshNonce();
    room.write(nonce);
    int bytes =
        given("read the device's measurements", new GuestAsk.ReadMeasurements(gpa, Page.BYTES));
    if (bytes == 0) {
      return;
    }
    Evidence forGuest = Evidence.parse(MemorySegment.ofArray(room.read(bytes)));
    byte[] hostsNonce = Measurements.freshNonce();
    Evidence forHost = forHost(hostsNonce);
    Measurements guests = forGuest.measurements();
    Measurements hosts = forHost.measurements();
    boolean isSame = guests.blocks().equals(hosts.blocks());
    listener.accept(
        new Check(
            "the device measures the same for guest and host",
            isSame,
            isSame ? types(guests) : guests.blocks() + ", " + hosts.blocks()));
    listener.accept(
        new Check(
            "it measured anew for each of them",
            guests.nonce().mismatch(hosts.nonce()) != -1,
            "its nonce for the guest is " + hex(guests.nonce())));
    if (assignment.trust().isEmpty()) {
      assignment
          .options()
          .listener()
          .remark(
              "Nobody said whose signature to trust, so none was verified: that these measurements"
                  + " are the device's is not proved.");
      return;
    }
    verify("the guest", forGuest, nonce);
    verify("the host", forHost, hostsNonce);
  }

  private Evidence forHost(byte[] nonce) {
    return Evidence.parse(MemorySegment.ofArray(assignment.measurements(nonce)));
  }

  /** Verifies what the host reads, if there is no guest that can ask. */
  void verifyHosts() {
    byte[] nonce = Measurements.freshNonce();
    verify("the host", forHost(nonce), nonce);
  }

  private void verify(String who, Evidence evidence, byte[] nonce) {
    boolean isSo = false;
    String seen;
    try {
      seen = assignment.trust().orElseThrow().verify(evidence, Optional.of(nonce)).toString();
      isSo = true;
    } catch (UntrustedEvidenceException | PreconditionException e) {
      seen = String.valueOf(e.getMessage());
    }
    listener.accept(new Check("the trusted device signed the measurements for " + who, isSo, seen));
  }

  private static String types(Measurements measured) {
    return measured.blocks().stream()
        .map(block -> block.type().toString())
        .collect(Collectors.joining(", "));
  }

  private static String hex(MemorySegment bytes) {
    return HexFormat.of().formatHex(bytes.toArray(ValueLayout.JAVA_BYTE));
  }
}
