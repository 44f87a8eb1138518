package dev.iolite.tdi;

import dev.iolite.kernel.Kernel;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.PciAddress;
import dev.iolite.tdi.evidence.Trust;
import dev.iolite.tdi.journal.Journal;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tsm.Profile;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The options of an assignment. Immutable; each {@code with} method returns a new object. */
public final class AssignmentOptions {
  private static final long RAM_BYTES = 4L << 20;
  private static final long VIRTUAL_BDF = 0x10;

  private final Kernel kernel;
  private final PciAddress address;
  private VmType vmType = VmType.DEFAULT;
  private Optional<Profile> profile = Optional.empty();
  private Optional<MmioLayout> layout = Optional.empty();
  private Optional<Trust> trust = Optional.empty();
  private Optional<UUID> vfToken = Optional.empty();
  private long ramBytes = RAM_BYTES;
  private long virtualBdf = VIRTUAL_BDF;
  private Supplier<Journal> journal = Journal::none;
  private AssignmentListener listener = AssignmentListener.none();
  private BooleanSupplier stop = () -> false;
  private boolean traced;
  private Duration deadline = Duration.ofSeconds(20);

  /**
   * An assignment to its own guest.
   *
   * @param kernel the kernel on which it is made
   * @param address which device
   */
  public AssignmentOptions(Kernel kernel, PciAddress address) {
    this.kernel = kernel;
    this.address = address;
  }

  private AssignmentOptions(AssignmentOptions from) {
    this(from.kernel, from.address);
    vmType = from.vmType;
    profile = from.profile;
    layout = from.layout;
    trust = from.trust;
    vfToken = from.vfToken;
    ramBytes = from.ramBytes;
    virtualBdf = from.virtualBdf;
    journal = from.journal;
    listener = from.listener;
    stop = from.stop;
    traced = from.traced;
    deadline = from.deadline;
  }

  private AssignmentOptions with(Consumer<AssignmentOptions> change) {
    AssignmentOptions changed = new AssignmentOptions(this);
    change.accept(changed);
    return changed;
  }

  /** With a VM of this type; a plain one by default. */
  public AssignmentOptions withVmType(VmType type) {
    return with(changed -> changed.vmType = type);
  }

  /** With this UAPI profile; by default, the kernel is probed. */
  public AssignmentOptions withProfile(Profile name) {
    return with(changed -> changed.profile = Optional.of(name));
  }

  /** With this layout of the BARs once bound; by default, the report and the kernel are asked. */
  public AssignmentOptions withLayout(MmioLayout known) {
    return with(changed -> changed.layout = Optional.of(known));
  }

  /** With the key that must have signed the device's measurements; none by default. */
  public AssignmentOptions withTrust(Trust trusted) {
    return with(changed -> changed.trust = Optional.of(trusted));
  }

  /**
   * With this VF token, which a virtual function needs if its physical function is bound to
   * vfio-pci.
   */
  public AssignmentOptions withVfToken(UUID token) {
    return with(changed -> changed.vfToken = Optional.of(token));
  }

  /** With this much memory for the guest, in bytes; 4 MiB by default. */
  public AssignmentOptions withRam(long bytes) {
    return with(changed -> changed.ramBytes = bytes);
  }

  /** With this bus, device and function number for the guest; 00:02.0 by default. */
  public AssignmentOptions withVirtualBdf(long number) {
    return with(changed -> changed.virtualBdf = number);
  }

  /** With a journal, opened when the assignment begins; by default, there is none. */
  public AssignmentOptions withJournal(Supplier<Journal> opener) {
    return with(changed -> changed.journal = opener);
  }

  /** With a listener that follows the progress. */
  public AssignmentOptions withListener(AssignmentListener told) {
    return with(changed -> changed.listener = told);
  }

  /**
   * With a condition that is checked before each step forward and while the guest runs: whether to
   * stop, and to undo what was done.
   */
  public AssignmentOptions withStop(BooleanSupplier asked) {
    return with(changed -> changed.stop = asked);
  }

  /** With the system calls included in each step that the listener receives. */
  public AssignmentOptions traced() {
    return with(changed -> changed.traced = true);
  }

  /** With this much time for each run of the guest; 20 s by default. */
  public AssignmentOptions withDeadline(Duration time) {
    return with(changed -> changed.deadline = time);
  }

  public Kernel kernel() {
    return kernel;
  }

  public PciAddress address() {
    return address;
  }

  public VmType vmType() {
    return vmType;
  }

  public Optional<Profile> profile() {
    return profile;
  }

  public Optional<MmioLayout> layout() {
    return layout;
  }

  public Optional<Trust> trust() {
    return trust;
  }

  public Optional<UUID> vfToken() {
    return vfToken;
  }

  public long ramBytes() {
    return ramBytes;
  }

  public long virtualBdf() {
    return virtualBdf;
  }

  public Supplier<Journal> journal() {
    return journal;
  }

  public AssignmentListener listener() {
    return listener;
  }

  public BooleanSupplier stop() {
    return stop;
  }

  public boolean isTraced() {
    return traced;
  }

  public Duration deadline() {
    return deadline;
  }
}
