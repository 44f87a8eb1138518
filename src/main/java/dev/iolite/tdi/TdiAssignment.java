package dev.iolite.tdi;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.GuestDeadlineException;
import dev.iolite.kvm.Vcpu;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.ScenarioException;
import dev.iolite.steps.Step;
import dev.iolite.steps.StepLog;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.bars.LearnedLayout;
import dev.iolite.tdi.bars.MappedBars;
import dev.iolite.tdi.bars.MmioMaps;
import dev.iolite.tdi.bars.Revocations;
import dev.iolite.tdi.evidence.Trust;
import dev.iolite.tdi.guest.ConfigPorts;
import dev.iolite.tdi.guest.GuestAnswer;
import dev.iolite.tdi.guest.GuestRequests;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.host.ConfigWrite;
import dev.iolite.tdi.host.GuestRam;
import dev.iolite.tdi.journal.Journal;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.plan.SlotPlan;
import dev.iolite.tdi.profile.Outcome;
import dev.iolite.tdi.profile.TdiBinding;
import dev.iolite.tdi.profile.TsmCallException;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.vfio.HotResetInfo;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * A device interface that is given to a confidential guest: from shared to private and back.
 *
 * <p>A change of state is made of steps, each with its undo. If one fails, those before it are
 * undone in reverse and the assignment is where it was, or, if that can't be, where less is held.
 * What a failed call of the TSM leaves unclear leads to {@link State#QUARANTINED}.
 *
 * <p>Nothing is converted in place: before a bind all slots and maps of the BARs go and their
 * dma-bufs are closed, after it new ones are made. What the kernel has revoked never comes back, so
 * that is closed and opened again too.
 *
 * <p>Safe for use by several threads; the guest's own thread is the one that calls {@link
 * #runGuest}. Its vCPU is not taken away while it runs: {@link #unassign} waits for the end of that
 * run, at most as long as the options' deadline lets it take.
 */
public final class TdiAssignment implements AutoCloseable {
  private final AssignmentOptions options;

  /** Held while the guest runs; taken before this object's monitor, since a run may need that. */
  private final ReentrantLock guestRun = new ReentrantLock(true);

  private final StepLog log;
  private final Ledger ledger = new Ledger();
  private final MappedBars bars;
  private final BoundInterface bound;
  private final GuestRequests requests = new GuestRequests(this);
  private final Revocations revocations;
  private final ConfigPorts configPorts = new ConfigPorts(this);
  private State state = State.UNASSIGNED;
  private Journal journal = Journal.none();
  private Optional<Holdings> before = Optional.empty();
  private Optional<AssignedInterface> device = Optional.empty();
  private Optional<Steps> hostSteps = Optional.empty();

  /** Of an assignment that is over: what of its undos has failed is tried again. */
  private Optional<Steps> rest = Optional.empty();

  /** Prepares an assignment; nothing is done yet. */
  public TdiAssignment(AssignmentOptions options) {
    this.options = options;
    String name = options.address().toString();
    log =
        options.isTraced()
            ? StepLog.tracing(name, options.kernel(), this::told, options.stop())
            : StepLog.brief(name, options.kernel(), this::told, options.stop());
    bars = new MappedBars(log, options.listener(), ledger);
    bound = new BoundInterface(log, options);
    revocations = new Revocations(log);
  }

  private void told(Step step) {
    journal.step(step);
    options.listener().step(step);
  }

  private void stage(Stage stage) {
    options.listener().stage(stage);
  }

  private void become(State next) {
    state = next;
    journal.state(next);
    options.listener().state(next);
  }

  /** Where it stands. */
  public synchronized State state() {
    return state;
  }

  /** Which device. */
  public PciAddress address() {
    return options.address();
  }

  /**
   * What every page of the guest's memory and of the BARs is, and in what it is. It changes with
   * the assignment: while another thread may change that, or runs the guest, it is looked at in a
   * block that is synchronized on this assignment.
   */
  public Ledger ledger() {
    return ledger;
  }

  private void require(String tried, State... allowed) {
    if (!Set.of(allowed).contains(state)) {
      throw new PreconditionException(
          tried + " " + address(),
          "the assignment is " + state,
          "that is for an assignment that is "
              + Arrays.stream(allowed).map(State::toString).collect(Collectors.joining(" or ")),
          "iolite tdi show " + address());
    }
    if (state == State.QUARANTINED && device.isEmpty()) {
      throw new PreconditionException(
          tried + " " + address(),
          "all is closed, and the kernel still had the interface bound then, or could not say",
          "the kernel could not unbind it, or sysfs could not be read",
          "dmesg has the TSM's reason; iolite tdi recover " + address());
    }
  }

  private AssignedInterface device() {
    return device.orElseThrow(() -> new IllegalStateException(address() + " is not assigned"));
  }

  private UapiProfile profile() {
    return device().profile();
  }

  /** The interface that the kernel has for TDIs, while the device is assigned. */
  public synchronized Optional<UapiProfile> usedProfile() {
    return device.map(AssignedInterface::profile);
  }

  /** Whether the device is assigned and its interface can be bound on this host. */
  public synchronized boolean canBind() {
    return device.filter(AssignedInterface::binds).isPresent();
  }

  /**
   * What keeps the interface of an assigned device from being bound, though the kernel has the
   * calls for it: a sentence for each thing.
   */
  public synchronized List<String> obstacles() {
    return device.map(AssignedInterface::obstacles).orElse(List.of());
  }

  /** What of the BARs is of which kind, while anything of them is mapped. */
  public synchronized Optional<MmioLayout> layout() {
    return bars.maps().map(MmioMaps::layout);
  }

  /**
   * Whether anything says which bytes of the BARs are private once the interface is bound: the
   * options, the interface's report, or the kernel. If not, all are taken for private.
   */
  public synchronized boolean knowsLayout() {
    return LearnedLayout.isKnown(options, profile().operations());
  }

  /** What is mapped, as it was planned. */
  public synchronized Optional<SlotPlan> plan() {
    return bars.maps().map(MmioMaps::plan);
  }

  /** Where the guest has each BAR, by the BAR's index; empty if nothing of them is mapped. */
  public synchronized Map<Integer, Long> barAddresses() {
    return bars.maps().map(MmioMaps::addresses).orElse(Map.of());
  }

  /** The interface's report, since it was bound, where the kernel lets a VMM read it. */
  public synchronized Optional<byte[]> report() {
    return bound.report().map(byte[]::clone);
  }

  /**
   * Asks the device for measurements of its firmware and configuration, made anew for this. Only
   * their signature proves that they are; nobody looks at it here.
   *
   * @param nonce {@link dev.iolite.tdi.evidence.Measurements#NONCE_BYTES}, never used before
   * @return SPDM's messages, as the TSM gave them, for {@link
   *     dev.iolite.tdi.evidence.Evidence#parse}
   * @throws IllegalArgumentException if the nonce has another length
   * @throws PreconditionException if the interface is not bound, or this kernel has no call for it
   * @throws TsmCallException what the kernel said; if it says that the interface has failed, that
   *     is noticed, as by {@link #refresh}
   */
  public synchronized byte[] measurements(byte[] nonce) {
    String tried = "read the measurements of";
    if (device.isPresent() && !profile().operations().contains(TsmOperation.READ_MEASUREMENTS)) {
      throw new PreconditionException(
          tried + " " + address(),
          "the kernel has no call for it (UAPI profile " + profile().name() + ")",
          "the proposal leaves evidence to another interface, or does not describe it",
          "a kernel with another proposal, or a model of it: --kernel mock:tdx");
    }
    require(tried, State.SPLIT, State.RUNNING, State.ERROR);
    try {
      return bound.measurements(nonce);
    } catch (TsmCallException e) {
      suppress(e, this::refresh);
      throw e;
    }
  }

  /** Who is to have signed the device's measurements; empty: nobody said. */
  public Optional<Trust> trust() {
    return options.trust();
  }

  /** The guest's number of the device: bus, device and function, 16 bits. */
  public long virtualBdf() {
    return options.virtualBdf();
  }

  /** Whether the device is of a kind, by its PCI vendor and device id. */
  boolean isDevice(int vendor, int id) {
    return device().pci().vendor() == vendor && device().pci().device() == id;
  }

  /**
   * Where a byte of a BAR is on the host's bus, as a report has it.
   *
   * @param bar the BAR's index, 0 to 5
   * @throws IllegalStateException if nothing of the BARs is mapped
   */
  public synchronized long physical(int bar, long offset) {
    return bars.maps()
        .orElseThrow(() -> new IllegalStateException("nothing is mapped"))
        .physical(bar, offset);
  }

  /**
   * Reads 32 bits of a BAR as the host does, by pread(2) on the device.
   *
   * @param bar the BAR's index, 0 to 5
   */
  public synchronized GuestAnswer readAsHost(int bar, long offset) {
    try {
      int value = device().vfio().region(bar).read32(offset);
      return new GuestAnswer.Reached(Integer.toUnsignedLong(value));
    } catch (KernelException e) {
      return new GuestAnswer.Refused("pread says " + e.errno());
    }
  }

  /** The guest's memory as the host shares it: offset and GPA are the same. */
  public MemorySegment sharedRam() {
    return device().ram().shared();
  }

  public GuestRam ram() {
    return device().ram();
  }

  public Vcpu vcpu() {
    return device().vcpu();
  }

  public Optional<MmioMaps> maps() {
    return bars.maps();
  }

  public Optional<TdiBinding> binding() {
    return bound.binding();
  }

  public AssignmentOptions options() {
    return options;
  }

  public AssignedInterface assigned() {
    return device();
  }

  /**
   * Makes host and guest ready and gives the guest the device's BARs, shared: {@link State#SHARED}.
   *
   * @throws PreconditionException if something is not there that it takes
   * @throws KernelException what the kernel said; nothing is held then
   */
  public synchronized void assign() {
    require("assign", State.UNASSIGNED);
    releaseRest();
    before = Optional.of(Holdings.of(options.kernel(), address()));
    journal = options.journal().get();
    Steps steps = new Steps(log);
    hostSteps = Optional.of(steps);
    try {
      stage(Stage.PREPARE);
      device = Optional.of(AssignedInterface.make(steps, options, journal, ledger));
      bars.share(device());
    } catch (RuntimeException | Error e) {
      releaseAfter(e);
      throw e;
    }
    become(State.SHARED);
  }

  /** Shares the BARs; if that can't be, nothing is held any more. */
  private void share() {
    try {
      bars.share(device());
    } catch (RuntimeException | Error e) {
      releaseAfter(e);
      throw e;
    }
  }

  private static void suppress(Throwable failure, Runnable cleaning) {
    try {
      cleaning.run();
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  /**
   * Takes the BARs back, binds and locks the interface, and gives the guest the BARs again, split
   * into shared and private runs: {@link State#SPLIT}. From {@link State#ERROR} the interface is
   * unbound first.
   *
   * @throws PreconditionException if this kernel has no way to bind, or the guest has memory decode
   *     switched off; the assignment is shared
   * @throws TsmCallException what the kernel said of the bind. Whether it had an effect is its
   *     {@link TsmCallException#outcome}: the assignment is shared again, or quarantined
   * @throws KernelException what the kernel said of anything else; the assignment is shared again,
   *     or unassigned if that fails too
   */
  public synchronized void bind() {
    require("bind", State.SHARED, State.ERROR);
    requireCalls();
    if (state == State.ERROR) {
      unbind();
    }
    new Steps(log).step(TdiStep.CHECK_LOCKABLE, "it can be", this::requireLockable);
    try {
      stage(Stage.WITHDRAW);
      bars.close();
      new Steps(log).step(TdiStep.CHECK_UNMAPPED, "it does not", device()::requireUnmapped);
      become(State.WITHDRAWN);
      stage(Stage.BIND);
      bound.lock(device());
      become(State.LOCKED);
      stage(Stage.LEARN);
      bars.split(device(), bound.learn(device()));
      become(State.SPLIT);
    } catch (RuntimeException | Error e) {
      backToShared(e);
      throw e;
    }
  }

  private void requireCalls() {
    if (!profile().bindsTdis()) {
      throw new PreconditionException(
          "bind " + address(),
          "the kernel has no call for it (UAPI profile " + profile().name() + ")",
          "no released kernel can bind a TDI yet",
          "a kernel with one of the proposals, or a model of it: --kernel mock:tdx");
    }
  }

  private void requireLockable() {
    if (!device().binds()) {
      throw new PreconditionException(
          "bind " + address(),
          "the kernel has calls for it (UAPI profile %s), but: %s"
              .formatted(profile().name(), withoutStop(String.join(" ", device().obstacles()))),
          "the platform, or its firmware, has nothing for confidential devices, or not for this"
              + " one",
          "iolite doctor; dmesg has the driver's reason");
    }
    device().requireLockable();
  }

  private static String withoutStop(String sentences) {
    return sentences.substring(0, sentences.length() - 1);
  }

  /**
   * Starts the interface, so that the guest's private accesses reach it: {@link State#RUNNING}.
   *
   * @throws TsmCallException what the kernel said; the assignment is as before, or quarantined
   */
  public synchronized void start() {
    require("start", State.SPLIT);
    stage(Stage.RUN);
    try {
      bound.start(device());
    } catch (TsmCallException e) {
      if (e.outcome() == Outcome.MAYBE_DONE || e.operation() == TsmOperation.ENABLE_DMA) {
        quarantine(e);
      }
      throw e;
    }
    become(State.RUNNING);
  }

  /**
   * Stops the interface, takes the BARs back, unbinds it and shares the BARs again: {@link
   * State#SHARED}. The order is the firmware's: private memory can't be unmapped from a guest while
   * the interface runs.
   *
   * @throws TsmCallException if a call of the TSM failed; all others were made all the same. The
   *     assignment is shared if the interface is surely released, else quarantined
   */
  public synchronized void unbind() {
    require("unbind", State.SPLIT, State.RUNNING, State.ERROR);
    Optional<RuntimeException> failure = Optional.empty();
    try {
      releaseBound();
    } catch (RuntimeException e) {
      failure = Optional.of(e);
    }
    if (failure.isPresent()) {
      backToShared(failure.get());
      throw failure.get();
    }
    become(State.WITHDRAWN);
    share();
    become(State.SHARED);
  }

  private void releaseBound() {
    if (device.isPresent()) {
      bound.release(device(), state, bars);
    }
  }

  /** After a failure: less is held, and it is known what. */
  private void backToShared(Throwable failure) {
    boolean unclear = failure instanceof TsmCallException e && e.outcome() == Outcome.MAYBE_DONE;
    suppress(failure, this::releaseBound);
    if (unclear || bound.binding().isPresent()) {
      quarantine(failure);
      return;
    }
    try {
      bars.share(device());
      become(State.SHARED);
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
      releaseAfter(failure);
    }
  }

  /**
   * A validation of private MMIO failed. Where the TSM maps by it, it changes the interface's
   * state, so that nobody knows that if it may have been done; where slots map, it changes nothing.
   */
  public void validationFailed(TsmCallException failure) {
    boolean maps = !profile().operations().contains(TsmOperation.PRIVATE_SLOT);
    if (maps && failure.outcome() == Outcome.MAYBE_DONE) {
      quarantine(failure);
    } else {
      refresh();
    }
  }

  private void quarantine(Throwable failure) {
    suppress(failure, bars::close);
    become(State.QUARANTINED);
    if (bars.hasLeftover()) {
      options
          .listener()
          .remark(
              "Not all of its BARs could be unmapped: that is tried again at whatever follows.");
    }
    options
        .listener()
        .remark(
            "The state of the interface is not known: its BARs stay unmapped until it is proved"
                + " released.");
  }

  /**
   * Proves that a quarantined interface is released, and shares the BARs again: {@link
   * State#SHARED}.
   *
   * @throws PreconditionException if the kernel says that it is still bound; it stays quarantined
   */
  public synchronized void endQuarantine() {
    require("prove the release of", State.QUARANTINED);
    bars.close();
    bound.proveReleased(device());
    become(State.WITHDRAWN);
    share();
    become(State.SHARED);
  }

  /**
   * Gives everything back: {@link State#UNASSIGNED}. If it is not assigned, tries again what could
   * not be given back before.
   *
   * @throws KernelException what the kernel said first; all else was given back all the same
   * @throws PreconditionException if the interface is still bound: the device stays with vfio-pci
   * @throws ScenarioException if something is held that was not before
   */
  public void unassign() {
    boolean isOurs = awaitGuest();
    try {
      giveBack();
    } finally {
      if (isOurs) {
        guestRun.unlock();
      }
    }
  }

  /** Whether the guest does not run, and can't until the lock is given back. */
  private boolean awaitGuest() {
    try {
      return guestRun.tryLock(options.deadline().toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private synchronized void giveBack() {
    if (hostSteps.isEmpty()) {
      releaseRest();
      return;
    }
    Optional<RuntimeException> failure = Optional.empty();
    try {
      release();
    } catch (RuntimeException e) {
      failure = Optional.of(e);
    }
    finish(failure);
  }

  private void releaseAfter(Throwable failure) {
    suppress(failure, this::giveBack);
  }

  private void release() {
    try (Steps back = new Steps(log)) {
      hostSteps.ifPresent(host ->
          back.onClose(() -> {
            stage(Stage.RELEASE);
            host.close();
          }));
      back.onClose(this::releaseBound);
    }
  }

  private void finish(Optional<RuntimeException> failure) {
    rest = hostSteps;
    hostSteps = Optional.empty();
    bound.forget();
    RuntimeException thrown = failure.orElse(null);
    try {
      becomeReleased();
      // An undo, since somebody who wants to stop wants this all the same.
      try (Steps back = new Steps(log)) {
        before.ifPresent(was ->
            back.afterwards(
                TdiStep.CHECK_NOTHING_HELD, "all is as before", () -> requireAsBefore(was)));
      }
      rest = Optional.empty();
      journal.finished();
    } catch (RuntimeException e) {
      if (thrown == null) {
        thrown = e;
      } else {
        thrown.addSuppressed(e);
      }
    } finally {
      device = Optional.empty();
      Journal written = journal;
      journal = Journal.none();
      written.close();
    }
    if (thrown != null) {
      throw thrown;
    }
  }

  /** The kernel unbinds what hangs on a closed descriptor, unless it could not, or can't say. */
  private void becomeReleased() {
    Optional<AssignedInterface> last = device.filter(AssignedInterface::binds);
    AtomicBoolean isReleased = new AtomicBoolean(last.isEmpty());
    try (Steps back = new Steps(log)) {
      last.ifPresent(released ->
          back.afterwards(
              TdiStep.ASK_WHETHER_BOUND,
              "it has answered",
              () -> isReleased.set(!released.isBoundInKernel())));
    } finally {
      device = Optional.empty();
      become(isReleased.get() ? State.UNASSIGNED : State.QUARANTINED);
    }
  }

  /** With the descriptors closed, what could not be taken back before may be now. */
  private void requireAsBefore(Holdings was) {
    if (bars.hasLeftover() || !Holdings.of(options.kernel(), address()).equals(was)) {
      releaseRest();
      Holdings.of(options.kernel(), address()).requireSame(was);
    }
  }

  private void releaseRest() {
    try (CloseStack again = new CloseStack()) {
      rest.ifPresent(again::push);
      again.onClose(bars::close);
    }
    rest = Optional.empty();
  }

  /** As {@link #unassign}. */
  @Override
  public void close() {
    unassign();
  }

  /**
   * Looks whether the kernel has revoked the device's mappings behind our back, since the interface
   * failed, the TSM's connection was lost or the device was reset, and closes what is revoked. Of
   * an interface that has failed or is quarantined, takes back what could not be taken back before.
   *
   * <p>That happens to a bound interface only. All else at which the kernel revokes comes through
   * this assignment: a reset, low power and a write to config space through the device's
   * descriptor, which nobody else has; a reset of the slot or bus through that of a function there
   * with the same iommufd, which nobody else has either: the kernel refuses the reset if one of the
   * functions belongs to another (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_dev_set_hot_reset), and
   * refuses another iommufd or an open group beside this one. A reset by the host's sysfs revokes
   * nothing.
   *
   * @return where the assignment stands now
   */
  public synchronized State refresh() {
    if (state == State.SPLIT || state == State.RUNNING) {
      if (bound.hasFailed(device())) {
        fail();
      }
    } else if (bars.hasLeftover()) {
      settle();
    }
    return state;
  }

  /** The interface is in ERROR: all dma-bufs are closed, and only an unbind leads on. */
  private void fail() {
    stage(Stage.RECOVER);
    become(State.ERROR);
    bars.close();
  }

  /**
   * Resets the device, as the guest asked for it. Shared BARs are mapped again after it; a bound
   * interface fails, {@link State#ERROR}.
   *
   * @return false if the device has no reset
   */
  public synchronized boolean reset() {
    return revoking(TdiStep.RESET, () -> revocations.reset(device()));
  }

  /**
   * Resets the device's slot or bus, with all functions there: the way out where a device has no
   * reset of its own. Shared BARs are mapped again after it; a bound interface fails, {@link
   * State#ERROR}.
   *
   * @return false if there is no such reset, as on a root bus
   * @throws PreconditionException if a function there is not ours, in an IOMMU group of its own or
   *     with another driver; nothing is done then
   */
  public synchronized boolean hotReset() {
    requireAssigned("hot-reset");
    Optional<HotResetInfo> set = Revocations.hotResetSet(device());
    return set.isPresent()
        && revoking(TdiStep.HOT_RESET, () -> revocations.hotReset(device(), set.get()));
  }

  /** Before something that revokes: better nothing is mapped then. */
  private void closeShared() {
    if (state == State.SHARED) {
      stage(Stage.RECOVER);
      bars.close();
    }
  }

  /**
   * Lets the kernel suspend the device, as when the guest has put it to sleep for long. Nothing of
   * its BARs is mapped until {@link #leaveLowPower}; a bound interface fails, {@link State#ERROR}.
   *
   * @return false if the kernel has no such feature
   */
  public synchronized boolean enterLowPower() {
    return revoking(TdiStep.SLEEP, () -> revocations.sleep(device()));
  }

  /** Has the device stay awake: shared BARs are mapped again. */
  public synchronized void leaveLowPower() {
    requireAssigned("wake");
    if (revocations.wake(device()) && state == State.SHARED) {
      settle();
    }
  }

  private void requireAssigned(String tried) {
    require(tried, State.SHARED, State.SPLIT, State.RUNNING, State.ERROR, State.QUARANTINED);
  }

  /** Does what makes the kernel revoke, with nothing mapped where that can be. */
  private boolean revoking(TdiStep kind, BooleanSupplier action) {
    requireAssigned(kind.words().forward());
    boolean done;
    try {
      closeShared();
      done = action.getAsBoolean();
    } catch (RuntimeException e) {
      suppress(e, this::settle);
      throw e;
    }
    if (done || state == State.SHARED) {
      settle();
    }
    return done;
  }

  /** After something that revokes: what is open is closed, and opened again where it may be. */
  private void settle() {
    switch (state) {
      case SHARED -> {
        bars.close();
        share();
      }
      case SPLIT, RUNNING -> fail();
      case ERROR, QUARANTINED -> bars.close();
      case UNASSIGNED, WITHDRAWN, LOCKED -> {}
    }
  }

  /** What the guest reads from the device's config space: {@code bytes} at an offset. */
  public synchronized int readConfig(int offset, int bytes) {
    return device().readConfig(offset, bytes);
  }

  /**
   * Makes a guest's write to the device's config space. Slots and maps follow: while the device
   * does not answer nothing is mapped, and when it does the BARs are where the guest has put them.
   * What the kernel revokes at a function-level reset is mapped anew. A bound interface fails if it
   * is cut off or reset, or its BARs are moved.
   *
   * @param bytes 1, 2 or 4
   */
  public synchronized void writeConfig(int offset, int bytes, int value) {
    ConfigWrite write = new ConfigWrite(device(), offset, bytes, value);
    boolean revokes = write.revokes();
    boolean changed;
    try {
      if (revokes) {
        closeShared();
      }
      write.make();
      changed = revokes || write.hasMoved() || (state.isBound() && write.hasCutOff());
    } catch (RuntimeException e) {
      suppress(e, this::settle);
      throw e;
    }
    if (changed) {
      settle();
    }
  }

  /**
   * Runs the guest, and serves what it asks for, until an exit that is the caller's to answer. If
   * the guest does not get through to its memory, the assignment looks whether that is because the
   * interface has failed, as {@link #refresh}.
   *
   * @throws GuestDeadlineException if that takes longer than the options allow
   * @throws KernelException what KVM_RUN said
   */
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
      exit = vcpu().run(options.deadline(), e -> requests.serve(e) || configPorts.serve(e));
    } catch (KernelException e) {
      suppress(e, this::refresh);
      throw e;
    }
    if (exit instanceof Exit.MemoryFault) {
      refresh();
    }
    return exit;
  }
}
