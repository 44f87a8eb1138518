package dev.iolite.examples;

import dev.iolite.mock.Platform;
import dev.iolite.pci.PciAddress;
import dev.iolite.rehearsal.Rehearsal;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tsm.Profile;

/** Assigns a device interface to a confidential guest, on a model of a TDX host. */
public final class AssignInterface {
  private AssignInterface() {}

  /** Takes the interface from shared to private and back, and reads a private page as the guest. */
  public static void main(String[] args) {
    try (Rehearsal host = Rehearsal.of(Platform.TDX, Profile.SEED_2025);
        TdiAssignment tdi =
            new TdiAssignment(
                new AssignmentOptions(host.kernel(), PciAddress.parse("0000:00:07.0"))
                    .withVmType(host.vmType()))) {
      tdi.assign(); // the BARs are mapped, all shared
      tdi.bind(); // bound, and the BARs mapped anew: shared and private
      tdi.start(); // the guest may use it
      System.out.println(tdi.state());

      GuestAgent guest = host.guest(tdi);
      long gpa = tdi.barAddresses().get(0);
      System.out.println(guest.read(gpa, 4, Kind.PRIVATE));
      System.out.println(guest.read(gpa, 4, Kind.SHARED));
      tdi.ledger().rows().forEach(System.out::println);
    } // everything is given back, in reverse
  }
}
