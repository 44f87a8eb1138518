package dev.iolite.tdi;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.GuestDeadlineException;
import dev.iolite.kvm.GuestStoppedException;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.bars.LearnedLayout;
import dev.iolite.tdi.bars.MmioMaps;
import dev.iolite.tdi.evidence.Trust;
import dev.iolite.tdi.guest.ConfigPorts;
import dev.iolite.tdi.guest.DrivenGuest;
import dev.iolite.tdi.guest.GuestAnswer;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.plan.SlotPlan;
import dev.iolite.tdi.profile.TsmCallException;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.tdi.requests.GuestRequests;
import dev.iolite.vfio.PciRegion;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The assignment of a device interface to a confidential guest, from shared to private and back.
 *
 * <p>The table in {@link Transition} says what leads from one state to the next. Transitions are
 * made of steps, each with its undo. If a step fails, those before it are undone in reverse order
 * and the assignment is in the state that it was in or, if that is impossible, in one in which less
 * is held. If it is unclear whether a failed call of the TSM had an effect, the assignment becomes
 * {@link State#QUARANTINED}.
 *
 * <p>Nothing is converted in place: before a bind, all slots and maps of the BARs are removed and
 * their dma-bufs are closed; after it, new ones are made. What the kernel has revoked never comes
 * back, so it is also closed and opened again.
 *
 * <p>Safe for use by several threads; the guest's own thread is the one that calls {@link
 * #runGuest}. Its vCPU is not taken away while it runs: {@link #unassign} waits for the end of that
 * run, which the deadline in the options limits.
 */
public final class TdiAssignment implements DrivenGuest, AutoCloseable {
  private final AssignmentOptions options;

  /** Held while the guest runs; taken before this object's monitor, which a run may need. */
  private final ReentrantLock guestRun = new ReentrantLock(true);

  private final Lifecycle life;
  private final DeviceControl control;
  private final GuestRequests requests;
  private final ConfigPorts configPorts;

  /** Prepares an assignment; does nothing yet. */
  public TdiAssignment(AssignmentOptions options) {
    this.options = options;
    life = new Lifecycle(options);
    control = new DeviceControl(life);
    requests = new GuestRequests(options, life);
    configPorts = new ConfigPorts(options.virtualBdf(), control);
  }

  /** Its state. */
  public synchronized State state() {
    return life.state();
  }

  /** The device's address. */
  public PciAddress address() {
    return options.address();
  }

  /**
   * What every page of the guest's memory and of the BARs is, and what maps it. The ledger changes
   * with the assignment: while another thread may change the assignment or run the guest, read it
   * in a block that is synchronized on this assignment.
   */
  @Override
  public Ledger ledger() {
    return life.ledger();
  }

  /** The interface that the kernel has for TDIs, while the device is assigned. */
  public synchronized Optional<UapiProfile> usedProfile() {
    return life.usedProfile();
  }

  /** Whether the device is assigned and its interface can be bound on this host. */
  public synchronized boolean canBind() {
    return life.assigned().filter(AssignedInterface::binds).isPresent();
  }

  /**
   * What keeps the interface of an assigned device from being bound, though the kernel has the
   * calls for it: a sentence for each thing.
   */
  public synchronized List<String> obstacles() {
    return life.assigned().map(AssignedInterface::obstacles).orElse(List.of());
  }

  /** Which parts of the BARs are of which kind, while any part of them is mapped. */
  public synchronized Optional<MmioLayout> layout() {
    return life.maps().map(MmioMaps::layout);
  }

  /**
   * Whether anything says which bytes of the BARs are private once the interface is bound: the
   * options, the interface's report, or the kernel. If not, all bytes are taken to be private.
   */
  public synchronized boolean knowsLayout() {
    return LearnedLayout.isKnown(options, life.device().profile().operations());
  }

  /** The plan of what is mapped. */
  public synchronized Optional<SlotPlan> plan() {
    return life.maps().map(MmioMaps::plan);
  }

  /** Where the guest has each BAR, by the BAR's index; empty if no part of them is mapped. */
  public synchronized Map<Integer, Long> barAddresses() {
    return life.maps().map(MmioMaps::addresses).orElse(Map.of());
  }

  /** The interface's report, once it is bound, if the kernel lets a VMM read it. */
  public synchronized Optional<byte[]> report() {
    return life.report().map(byte[]::clone);
  }

  /**
   * Asks the device for new measurements of its firmware and configuration. Only their signature
   * proves that they are new; it is not verified here.
   *
   * @param nonce {@link dev.iolite.tdi.evidence.Measurements#NONCE_BYTES}, never used before
   * @return SPDM's messages, as the TSM gave them, for {@link
   *     dev.iolite.tdi.evidence.Evidence#parse}
   * @throws IllegalArgumentException if the nonce has another length
   * @throws PreconditionException if the interface is not bound, or this kernel has no call for it
   * @throws TsmCallException what the kernel said; if it says that the interface has failed, the
   *     assignment follows, as in {@link #refresh}
   */
  public synchronized byte[] measurements(byte[] nonce) {
    Optional<UapiProfile> profile = life.usedProfile();
    if (profile.isPresent()
        && !profile.get().operations().contains(TsmOperation.READ_MEASUREMENTS)) {
      throw new PreconditionException(
          Event.MEASURE.attempt() + " " + address(),
          "the kernel has no call for it (UAPI profile " + profile.get().name() + ")",
          new Advice(
              "the proposal leaves evidence to another interface, or does not describe it",
              "a kernel with another proposal, or a model of it",
              Remedy.USE_MODEL));
    }
    return life.measurements(nonce);
  }

  /** Who must have signed the device's measurements; empty if the options do not say. */
  public Optional<Trust> trust() {
    return options.trust();
  }

  /** The guest's number for the device: bus, device and function, 16 bits. */
  @Override
  public long virtualBdf() {
    return options.virtualBdf();
  }

  /**
   * The address of a byte of a BAR on the host's bus, as in a report.
   *
   * @param bar the BAR's index, 0 to 5
   * @throws IllegalStateException if no part of the BARs is mapped
   */
  public synchronized long physical(int bar, long offset) {
    if (life.maps().isEmpty()) {
      throw new IllegalStateException("nothing is mapped");
    }
    return life.device().physical(bar, offset);
  }

  /**
   * Reads 32 bits of a BAR as the host does, by pread(2) on the device.
   *
   * @param bar the BAR's index, 0 to 5
   */
  public synchronized GuestAnswer readAsHost(int bar, long offset) {
    try {
      int value = life.device().vfio().region(PciRegion.bar(bar)).read32(offset);
      return new GuestAnswer.Reached(Integer.toUnsignedLong(value));
    } catch (KernelException e) {
      return new GuestAnswer.Refused("pread says " + e.errno());
    }
  }

  @Override
  public AssignedInterface assigned() {
    return life.device();
  }

  Optional<MmioMaps> maps() {
    return life.maps();
  }

  /** Fires an event that does not come from a caller. */
  synchronized void fire(Event event) {
    life.fire(event);
  }

  AssignmentOptions options() {
    return options;
  }

  /**
   * Prepares host and guest and gives the guest the device's BARs, shared: {@link State#SHARED}.
   *
   * @throws PreconditionException if something that it needs is missing
   * @throws KernelException what the kernel said; in either case nothing is held
   */
  public synchronized void assign() {
    life.fire(Event.ASSIGN);
  }

  /**
   * Takes the BARs back, binds and locks the interface, and gives the guest the BARs again, split
   * into shared and private runs: {@link State#SPLIT}. From {@link State#ERROR}, the interface is
   * unbound first.
   *
   * @throws PreconditionException if this kernel has no way to bind, or the guest has switched
   *     memory decode off; the assignment is shared
   * @throws TsmCallException what the kernel said about the bind. Whether it had an effect is its
   *     {@link TsmCallException#outcome}: the assignment is shared again, or quarantined
   * @throws KernelException what the kernel said about anything else; the assignment is shared
   *     again, or unassigned if that fails too
   */
  public synchronized void bind() {
    life.fire(Event.BIND);
  }

  /**
   * Starts the interface, so that the guest's private accesses reach it: {@link State#RUNNING}.
   *
   * @throws TsmCallException what the kernel said; the assignment is as before, or quarantined
   */
  public synchronized void start() {
    life.fire(Event.START);
  }

  /**
   * Stops the interface, takes the BARs back, unbinds it and shares the BARs again: {@link
   * State#SHARED}. The order is the firmware's: private memory can't be unmapped from a guest while
   * the interface runs.
   *
   * @throws TsmCallException if a call of the TSM failed; all others were made nevertheless. The
   *     assignment is shared if the interface is known to be released, else quarantined
   */
  public synchronized void unbind() {
    life.fire(Event.UNBIND);
  }

  /**
   * Proves that a quarantined interface is released, and shares the BARs again: {@link
   * State#SHARED}.
   *
   * @throws PreconditionException if the kernel says that it is still bound; the assignment stays
   *     quarantined
   */
  public synchronized void endQuarantine() {
    life.fire(Event.PROVE_RELEASED);
  }

  /**
   * Gives everything back: {@link State#UNASSIGNED}. If it is not assigned, tries again to give
   * back what could not be given back before.
   *
   * @throws KernelException what the kernel said first; everything else was given back nevertheless
   * @throws PreconditionException if the interface is still bound: the device stays with vfio-pci
   * @throws ScenarioException if something is held that was not held before
   */
  public void unassign() {
    boolean isOurs = awaitGuest();
    try {
      synchronized (this) {
        life.fire(Event.RELEASE);
      }
    } finally {
      if (isOurs) {
        guestRun.unlock();
      }
    }
  }

  /**
   * Takes the lock of the guest's run, and returns whether it did: while it is held, the guest
   * cannot run.
   */
  private boolean awaitGuest() {
    try {
      return guestRun.tryLock(options.deadline().toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Like {@link #unassign}. */
  @Override
  public void close() {
    unassign();
  }

  /**
   * Checks whether the kernel has revoked the device's mappings behind our back, because the
   * interface failed, the TSM's connection was lost or the device was reset, and closes what is
   * revoked. If the interface has failed or is quarantined, tries again to take back what could not
   * be taken back before.
   *
   * <p>That happens only to a bound interface. Everything else that makes the kernel revoke comes
   * through this assignment: a reset, low power and a write to config space come through the
   * device's descriptor, which nobody else has; a reset of the slot or bus comes through the
   * descriptor of a function there with the same iommufd, which nobody else has either: the kernel
   * refuses the reset if one of the functions belongs to another
   * (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_dev_set_hot_reset), and refuses another iommufd or
   * an open group alongside this one. A reset through the host's sysfs revokes nothing.
   *
   * @return where the assignment stands now
   */
  public synchronized State refresh() {
    life.fire(Event.LOOK);
    return life.state();
  }

  /**
   * Resets the device, as the guest requested. Shared BARs are mapped again afterwards; a bound
   * interface fails, {@link State#ERROR}.
   *
   * @return false if the device has no reset
   */
  public synchronized boolean reset() {
    return control.reset();
  }

  /**
   * Resets the device's slot or bus, with all functions there, for a device that cannot be reset on
   * its own. Shared BARs are mapped again afterwards; a bound interface fails, {@link State#ERROR}.
   *
   * @return false if there is no such reset, as on a root bus
   * @throws PreconditionException if a function there is not ours: it is in another IOMMU group or
   *     has another driver. Nothing is done then
   */
  public synchronized boolean hotReset() {
    return control.hotReset();
  }

  /**
   * Lets the kernel suspend the device, as for a guest that has put it to sleep for a long time. No
   * part of its BARs is mapped until {@link #leaveLowPower}; a bound interface fails, {@link
   * State#ERROR}.
   *
   * @return false if the kernel has no such feature
   */
  public synchronized boolean enterLowPower() {
    return control.sleep();
  }

  /** Keeps the device awake again: shared BARs are mapped again. */
  public synchronized void leaveLowPower() {
    control.wake();
  }

  /** What the guest reads from the device's config space: {@code bytes} at an offset. */
  @Override
  public synchronized int readConfig(int offset, int bytes) {
    return control.read(offset, bytes);
  }

  /**
   * Makes a guest's write to the device's config space. Slots and maps follow: while the device
   * does not answer, nothing is mapped, and when it does, the BARs are where the guest has put
   * them. What the kernel revokes at a function-level reset is mapped again. A bound interface
   * fails if it is cut off or reset, or its BARs are moved.
   *
   * @param bytes 1, 2 or 4
   */
  @Override
  public synchronized void writeConfig(int offset, int bytes, int value) {
    control.write(offset, bytes, value);
  }

  /**
   * Runs the guest, and serves what it asks for, until an exit that is the caller's to answer. If
   * the guest cannot reach its memory, the assignment checks whether that is because the interface
   * has failed, like {@link #refresh}.
   *
   * @throws GuestDeadlineException if that takes longer than the options allow
   * @throws GuestStoppedException if the options say that it is to be stopped
   * @throws KernelException what KVM_RUN said
   */
  @Override
  public Exit runGuest() {
    guestRun.lock();
    try {
      return runAndServe();
    } finally {
      guestRun.unlock();
    }
  }

  private Exit runAndServe() {
    Exit exit;
    try {
      exit = life.device().vcpu().run(options.deadline(), options.stop(), this::serve);
    } catch (KernelException e) {
      synchronized (this) {
        life.then(e, Event.LOOK);
      }
      throw e;
    }
    if (exit instanceof Exit.MemoryFault) {
      refresh();
    }
    return exit;
  }

  private synchronized boolean serve(Exit exit) {
    return requests.serve(exit) || configPorts.serve(exit);
  }
}
