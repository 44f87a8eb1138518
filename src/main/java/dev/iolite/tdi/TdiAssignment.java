package dev.iolite.tdi;

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
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.plan.SlotPlan;
import dev.iolite.tdi.profile.Outcome;
import dev.iolite.tdi.profile.TdiBinding;
import dev.iolite.tdi.profile.TdiState;
import dev.iolite.tdi.profile.TsmCallException;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tdi.profile.UapiProfile;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
 * #runGuest}.
 */
public final class TdiAssignment implements AutoCloseable {
  private final AssignmentOptions options;
  private final StepLog log;
  private final Ledger ledger = new Ledger();
  private final GuestRequests requests = new GuestRequests(this);
  private final ConfigPorts configPorts = new ConfigPorts(this);
  private State state = State.UNASSIGNED;
  private Journal journal = Journal.none();
  private Optional<Holdings> before = Optional.empty();
  private Optional<AssignedInterface> device = Optional.empty();
  private Optional<Steps> hostSteps = Optional.empty();
  private Optional<MmioMaps> maps = Optional.empty();
  private Optional<TdiBinding> binding = Optional.empty();
  private Optional<byte[]> report = Optional.empty();

  /** Prepares an assignment; nothing is done yet. */
  public TdiAssignment(AssignmentOptions options) {
    this.options = options;
    String name = options.address().toString();
    log =
        options.isTraced()
            ? StepLog.tracing(name, options.kernel(), this::told, options.stop())
            : StepLog.brief(name, options.kernel(), this::told, options.stop());
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

  /** What every page of the guest's memory and of the BARs is, and in what it is. */
  public Ledger ledger() {
    return ledger;
  }

  private void require(String tried, State... allowed) {
    if (!Set.of(allowed).contains(state)) {
      throw new PreconditionException(
          tried + " " + address(),
          "the assignment is " + state,
          "it is to be "
              + List.of(allowed).toString().replaceAll("[\\[\\]]", "").replace(", ", " or ")
              + " for that",
          "iolite tdi show " + address());
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

  /** What of the BARs is of which kind, while anything of them is mapped. */
  public synchronized Optional<MmioLayout> layout() {
    return maps.map(MmioMaps::layout);
  }

  /** What is mapped, as it was planned. */
  public synchronized Optional<SlotPlan> plan() {
    return maps.map(MmioMaps::plan);
  }

  /** Where the guest has each BAR, by the BAR's index; empty if nothing of them is mapped. */
  public synchronized Map<Integer, Long> barAddresses() {
    return maps.map(MmioMaps::addresses).orElse(Map.of());
  }

  /** The interface's report, since it was bound, where the kernel lets a VMM read it. */
  public synchronized Optional<byte[]> report() {
    return report.map(byte[]::clone);
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
    return maps.orElseThrow(() -> new IllegalStateException("nothing is mapped"))
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
  MemorySegment sharedRam() {
    return device().ram().shared();
  }

  GuestRam ram() {
    return device().ram();
  }

  Vcpu vcpu() {
    return device().vcpu();
  }

  Optional<MmioMaps> maps() {
    return maps;
  }

  Optional<TdiBinding> binding() {
    return binding;
  }

  AssignmentOptions options() {
    return options;
  }

  AssignedInterface assigned() {
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
    before = Optional.of(Holdings.of(options.kernel(), address()));
    journal = options.journal().get();
    Steps steps = new Steps(log);
    hostSteps = Optional.of(steps);
    try {
      stage(Stage.PREPARE);
      device = Optional.of(AssignedInterface.make(steps, options, journal, ledger));
      share();
    } catch (RuntimeException | Error e) {
      releaseAfter(e);
      throw e;
    }
    become(State.SHARED);
  }

  /** Step 1, and the end of step 7. */
  private void share() {
    Steps steps = new Steps(log);
    boolean decodes =
        steps.step(
            "look whether the device decodes memory",
            () -> device().vfio().config().hasMemoryDecode(),
            on -> on ? "it does" : "it does not: its BARs can't be reached");
    if (decodes) {
      stage(Stage.SHARE);
      MmioMaps opened =
          newMaps(MmioLayout.allShared(device().places().barSizes(), MmioLayout.PAGE));
      orTakeBack(
          opened,
          () -> {
            opened.openDmaBufs();
            opened.mapShared();
          });
    }
  }

  private MmioMaps newMaps(MmioLayout layout) {
    MmioMaps planned =
        new Steps(log)
            .step(
                "plan dma-bufs, slots and maps",
                () -> {
                  Map<Integer, Long> addresses = device().places().addresses();
                  SlotPlan plan =
                      SlotPlan.of(
                          layout,
                          addresses,
                          profile().abilities(device().slotsLeft()),
                          device().ioas().ranges());
                  return new MmioMaps(
                      device(), profile(), layout, addresses, plan, ledger, new Steps(log));
                },
                made ->
                    "%d dma-buf(s), %d memory slot(s), %d map(s)"
                        .formatted(
                            made.plan().dmaBufs().size(),
                            made.plan().slots().size(),
                            made.plan().maps().size()));
    planned.plan().remarks().forEach(options.listener()::remark);
    return planned;
  }

  private void orTakeBack(MmioMaps opened, Runnable opening) {
    try {
      opening.run();
    } catch (RuntimeException | Error e) {
      suppress(e, opened::close);
      throw e;
    }
    maps = Optional.of(opened);
  }

  private static void suppress(Throwable failure, Runnable cleaning) {
    try {
      cleaning.run();
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private void closeMaps() {
    Optional<MmioMaps> open = maps;
    maps = Optional.empty();
    open.ifPresent(MmioMaps::close);
  }

  /**
   * Takes the BARs back, binds and locks the interface, and gives the guest the BARs again, split
   * into shared and private runs: {@link State#SPLIT}. From {@link State#ERROR} the interface is
   * unbound first.
   *
   * @throws PreconditionException if this kernel has no way to bind
   * @throws TsmCallException what the kernel said of the bind. Whether it had an effect is its
   *     {@link TsmCallException#outcome}: the assignment is shared again, or quarantined
   * @throws KernelException what the kernel said of anything else; the assignment is shared again,
   *     or unassigned if that fails too
   */
  public synchronized void bind() {
    require("bind", State.SHARED, State.ERROR);
    if (!profile().bindsTdis()) {
      throw new PreconditionException(
          "bind " + address(),
          "the kernel has no call for it (UAPI profile " + profile().name() + ")",
          "no released kernel can bind a TDI yet",
          "a kernel with one of the proposals, or a model of it: --kernel mock:tdx");
    }
    if (state == State.ERROR) {
      unbind();
    }
    try {
      stage(Stage.WITHDRAW);
      closeMaps();
      become(State.WITHDRAWN);
      stage(Stage.BIND);
      lock();
      become(State.LOCKED);
      split();
      become(State.SPLIT);
    } catch (RuntimeException | Error e) {
      backToShared(e);
      throw e;
    }
  }

  private void lock() {
    Steps steps = new Steps(log);
    TdiBinding bound =
        steps.step(
            "bind the interface to the guest",
            () -> profile().bind(device().target()),
            b -> b.isLockedByBind() ? "bound and locked" : "bound");
    binding = Optional.of(bound);
    if (!bound.isLockedByBind()) {
      steps.step("lock the interface", "locked", () -> bound.setState(TdiState.LOCKED));
    }
  }

  /** Steps 4 to 6. */
  private void split() {
    stage(Stage.LEARN);
    Steps steps = new Steps(log);
    MmioLayout layout = learn(steps);
    MmioMaps opened = newMaps(layout);
    orTakeBack(
        opened,
        () -> {
          opened.openDmaBufs();
          opened.checkRuns();
          stage(Stage.MAP_SHARED);
          opened.mapShared();
          stage(Stage.MAP_PRIVATE);
          opened.mapPrivate();
        });
  }

  private MmioLayout learn(Steps steps) {
    if (profile().operations().contains(TsmOperation.READ_REPORT)) {
      report =
          Optional.of(
              steps.step(
                  "read the interface's report",
                  () -> binding.orElseThrow().report(),
                  bytes -> bytes.length + " bytes"));
    }
    return steps.step(
        "learn which bytes are private",
        () -> LearnedLayout.of(device(), options.layout(), report),
        layout ->
            layout.bars().stream().map(BarLayout::toString).collect(Collectors.joining("; ")));
  }

  /**
   * Starts the interface, so that the guest's private accesses reach it: {@link State#RUNNING}.
   *
   * @throws TsmCallException what the kernel said; the assignment is as before, or quarantined
   */
  public synchronized void start() {
    require("start", State.SPLIT);
    stage(Stage.RUN);
    Steps steps = new Steps(log);
    TdiBinding bound = binding.orElseThrow();
    try {
      steps.step("start the interface", "it runs", () -> bound.setState(TdiState.RUN));
      if (profile().operations().contains(TsmOperation.ENABLE_DMA)) {
        steps.step("let its DMA through the IOMMU", "on", bound::enableDma);
      }
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
      releaseBinding();
    } catch (RuntimeException e) {
      failure = Optional.of(e);
    }
    if (failure.isPresent()) {
      backToShared(failure.get());
      throw failure.get();
    }
    become(State.WITHDRAWN);
    try {
      share();
    } catch (RuntimeException | Error e) {
      releaseAfter(e);
      throw e;
    }
    become(State.SHARED);
  }

  /** All of it is tried, whatever a part of it does. */
  private void releaseBinding() {
    if (binding.isEmpty()) {
      closeMaps();
      return;
    }
    stage(Stage.UNBIND);
    TdiBinding bound = binding.get();
    try (Steps back = new Steps(log)) {
      back.undo("unbind the interface", "unbound", () -> close(bound));
      back.onClose(this::closeMaps);
      if (state == State.RUNNING || state == State.ERROR || state == State.SPLIT) {
        back.undo("stop the interface", "unlocked", () -> bound.setState(TdiState.UNLOCKED));
      }
      if (state == State.RUNNING && profile().operations().contains(TsmOperation.DISABLE_DMA)) {
        back.undo("stop its DMA at the IOMMU", "off", bound::disableDma);
      }
    }
  }

  private void close(TdiBinding bound) {
    try {
      bound.close();
    } finally {
      if (bound.isReleased()) {
        binding = Optional.empty();
        report = Optional.empty();
      }
    }
  }

  /** After a failure: less is held, and it is known what. */
  private void backToShared(Throwable failure) {
    boolean unclear = failure instanceof TsmCallException e && e.outcome() == Outcome.MAYBE_DONE;
    suppress(failure, this::releaseBinding);
    if (unclear || binding.isPresent()) {
      quarantine(failure);
      return;
    }
    try {
      share();
      become(State.SHARED);
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
      releaseAfter(failure);
    }
  }

  private void quarantine(Throwable failure) {
    suppress(failure, this::closeMaps);
    become(State.QUARANTINED);
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
    stage(Stage.UNBIND);
    Steps steps = new Steps(log);
    binding.ifPresent(bound -> steps.step("unbind the interface", "unbound", () -> close(bound)));
    steps.step("check that the interface is not bound", "it is not", device()::requireReleased);
    become(State.WITHDRAWN);
    try {
      share();
    } catch (RuntimeException | Error e) {
      releaseAfter(e);
      throw e;
    }
    become(State.SHARED);
  }

  /**
   * Gives everything back: {@link State#UNASSIGNED}. Does nothing if it is not assigned.
   *
   * @throws KernelException what the kernel said first; all else was given back all the same
   * @throws PreconditionException if the interface is still bound: the device stays with vfio-pci
   * @throws ScenarioException if something is held that was not before
   */
  public synchronized void unassign() {
    if (hostSteps.isEmpty()) {
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
    suppress(failure, this::unassign);
  }

  private void release() {
    try (Steps back = new Steps(log)) {
      hostSteps.ifPresent(host ->
          back.onClose(() -> {
            stage(Stage.RELEASE);
            host.close();
          }));
      back.onClose(this::releaseBinding);
    }
  }

  private void finish(Optional<RuntimeException> failure) {
    hostSteps = Optional.empty();
    binding = Optional.empty();
    maps = Optional.empty();
    report = Optional.empty();
    boolean isReleased = device.map(d -> !d.isBoundInKernel()).orElse(true);
    device = Optional.empty();
    become(isReleased ? State.UNASSIGNED : State.QUARANTINED);
    RuntimeException thrown = failure.orElse(null);
    try {
      before.ifPresent(was ->
          new Steps(log)
              .step(
                  "check that nothing is left",
                  "all is as before",
                  () -> Holdings.of(options.kernel(), address()).requireSame(was)));
      journal.finished();
    } catch (RuntimeException e) {
      if (thrown == null) {
        thrown = e;
      } else {
        thrown.addSuppressed(e);
      }
    } finally {
      journal.close();
      journal = Journal.none();
    }
    if (thrown != null) {
      throw thrown;
    }
  }

  /** As {@link #unassign}. */
  @Override
  public void close() {
    unassign();
  }

  /**
   * Looks whether the kernel has revoked the device's mappings behind our back, since the interface
   * failed, the TSM's connection was lost or the device was reset, and closes what is revoked.
   *
   * @return where the assignment stands now
   */
  public synchronized State refresh() {
    if (state == State.SPLIT || state == State.RUNNING) {
      if (!device().isBoundInKernel() || hasFailed()) {
        fail();
      }
    }
    return state;
  }

  private boolean hasFailed() {
    if (!profile().operations().contains(TsmOperation.READ_REPORT)) {
      return false;
    }
    try {
      binding.orElseThrow().report();
      return false;
    } catch (TsmCallException e) {
      return true;
    }
  }

  /** The interface is in ERROR: all dma-bufs are closed, and only an unbind leads on. */
  private void fail() {
    stage(Stage.RECOVER);
    become(State.ERROR);
    closeMaps();
  }

  /**
   * Resets the device, as the guest asked for it. Shared BARs are mapped again after it; a bound
   * interface fails, {@link State#ERROR}.
   *
   * @return false if the device has no reset
   */
  public synchronized boolean reset() {
    require("reset", State.SHARED, State.SPLIT, State.RUNNING, State.ERROR, State.QUARANTINED);
    if (state == State.SHARED) {
      stage(Stage.RECOVER);
      closeMaps();
    }
    int command = device().vfio().config().command();
    Steps steps = new Steps(log);
    boolean done =
        steps.step(
            "reset the device",
            () -> device().vfio().reset(),
            reset -> reset ? "it was reset" : "it has no reset");
    device().setCommand(command);
    settle();
    return done;
  }

  /** After something that revokes: what is open is closed, and opened again where it may be. */
  private void settle() {
    switch (state) {
      case SHARED -> {
        closeMaps();
        try {
          share();
        } catch (RuntimeException | Error e) {
          releaseAfter(e);
          throw e;
        }
      }
      case SPLIT, RUNNING -> fail();
      case UNASSIGNED, WITHDRAWN, LOCKED, ERROR, QUARANTINED -> {}
    }
  }

  /** What the guest reads from the device's config space: {@code bytes} at an offset. */
  public synchronized int readConfig(int offset, int bytes) {
    return device().readConfig(offset, bytes);
  }

  /**
   * Makes a guest's write to the device's config space. Slots and maps follow: without memory
   * decode nothing is mapped, and with it the BARs are where the guest has put them. A bound
   * interface fails if it is cut off or its BARs are moved.
   *
   * @param bytes 1, 2 or 4
   */
  public synchronized void writeConfig(int offset, int bytes, int value) {
    boolean couldDecode = device().vfio().config().hasMemoryDecode();
    boolean wasMaster = device().vfio().config().hasBusMaster();
    Map<Integer, Long> places = device().places().addresses();
    boolean clearsDecode = couldDecode && AssignedInterface.clearsDecode(offset, bytes, value);
    if (state == State.SHARED && clearsDecode) {
      stage(Stage.RECOVER);
      closeMaps();
    }
    device().writeConfig(offset, bytes, value);
    boolean decodes = device().vfio().config().hasMemoryDecode();
    boolean lost =
        clearsDecode || (wasMaster && !device().vfio().config().hasBusMaster() && state.isBound());
    boolean moved = decodes && !places.equals(device().places().addresses());
    if (lost || moved || (decodes && !couldDecode)) {
      settle();
    }
  }

  /**
   * Runs the guest, and serves what it asks for, until an exit that is the caller's to answer.
   *
   * @throws GuestDeadlineException if that takes longer than the options allow
   * @throws KernelException what KVM_RUN said
   */
  public Exit runGuest() {
    return vcpu().run(options.deadline(), exit -> requests.serve(exit) || configPorts.serve(exit));
  }
}
