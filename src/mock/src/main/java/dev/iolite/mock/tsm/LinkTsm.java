package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.TdiNonces;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.TdiState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The platform's TSM ({@code tsm0}) and its connections, as in drivers/pci/tsm.c. The model knows
 * only the plain case of device security managers: function 0 answers for all functions of its
 * slot.
 */
public final class LinkTsm {
  private final Supplier<Collection<TeeFunction>> functions;
  private final LockRules rules;
  private final Map<String, PciTsm> contexts = new LinkedHashMap<>();
  private final TsmErrors errors = new TsmErrors();
  private final Map<String, byte[]> reports = new HashMap<>();
  private final Consumer<String> log;
  private final List<Consumer<TeeFunction>> listeners = new ArrayList<>();
  private boolean locksMsix;
  private boolean mapsBySlots;

  /**
   * Makes a TSM that is connected to nothing.
   *
   * @param functions the functions that the kernel knows
   * @param rules how it locks interfaces
   * @param log takes what its driver writes to the kernel's log
   */
  public LinkTsm(
      Supplier<Collection<TeeFunction>> functions, LockRules rules, Consumer<String> log) {
    this.functions = functions;
    this.rules = rules;
    this.log = log;
  }

  /**
   * Notifies a listener, from now on, of functions whose interface was bound or unbound or has
   * changed its state.
   */
  public void listen(Consumer<TeeFunction> listener) {
    listeners.add(listener);
  }

  private void changed(TeeFunction function) {
    listeners.forEach(listener -> listener.accept(function));
  }

  /** The function at an address, if the kernel knows it. */
  Optional<TeeFunction> function(String address) {
    return functions.get().stream().filter(f -> f.name().equals(address)).findFirst();
  }

  /** Its name in {@code /sys/class/tsm}. */
  public String name() {
    return "tsm0";
  }

  /** Whether the function's interface is locked or runs, so that its TEE memory is private. */
  boolean isLocked(TeeFunction function) {
    return tdi(function)
        .map(Tdi::state)
        .filter(state -> state == TdiState.CONFIG_LOCKED || state == TdiState.RUN)
        .isPresent();
  }

  /** Makes it lock MSI-X tables too, from now on. */
  void lockMsix() {
    locksMsix = true;
  }

  /**
   * Notes that the kernel has calls with which a VMM maps private MMIO into a VM before the
   * interface runs.
   */
  void mapsBySlots() {
    mapsBySlots = true;
  }

  /** Refuses with this errno, and logs the reason, if the TSM has found a problem. */
  private void require(TeeFunction function, Errno errno, Optional<String> wrong) {
    wrong.ifPresent(reason -> {
      log.accept("%s: %s".formatted(function.name(), reason));
      throw refused(errno);
    });
  }

  /**
   * Locks an interface, and checks what it reports.
   *
   * @throws dev.iolite.mock.core.Refused an error of {@link Tdi#lock}; EIO: the report violates the
   *     platform's rules, and the interface is unlocked again
   */
  private void lock(TeeFunction function, Tdi tdi) {
    tdi.lock(rules.nextReportingOffset(), locksMsix);
    context(function).locked();
    Optional<String> refusal = rules.refusal(function, tdi.report());
    if (refusal.isPresent()) {
      tdi.stop();
      require(function, Errno.EIO, refusal.map(why -> "the interface is not taken: " + why));
    }
  }

  /**
   * Lets an interface run.
   *
   * @throws dev.iolite.mock.core.Refused an error of {@link Tdi#start}; EIO: the guest does not
   *     have all of the interface's TEE memory, where the platform demands that
   */
  private void start(TeeFunction function, Tdi tdi) {
    if (mapsBySlots && tdi.state() == TdiState.CONFIG_LOCKED) {
      require(function, Errno.EIO, rules.startRefusal(function, tdi.vm()));
    }
    tdi.start();
  }

  /** The operations that it is to refuse. */
  public TsmErrors errors() {
    return errors;
  }

  /** Whether it is connected to the function, or answers for it. */
  public boolean isConnected(TeeFunction function) {
    return contexts.containsKey(function.name());
  }

  /** The function's manager, if a TSM is connected. */
  public Optional<TeeFunction> manager(TeeFunction function) {
    return Optional.ofNullable(contexts.get(function.name())).map(PciTsm::manager);
  }

  /** The function's interface, if it is bound. */
  public Optional<Tdi> tdi(TeeFunction function) {
    return Optional.ofNullable(contexts.get(function.name())).flatMap(PciTsm::tdi);
  }

  /**
   * A write to {@code tsm/connect} (drivers/pci/tsm.c:connect_store).
   *
   * @param text what was written
   * @throws dev.iolite.mock.core.Refused EINVAL: not the name of a TSM; EBUSY: already connected;
   *     ENXIO: there is no such TSM; or an error of the TSM
   */
  public void connect(TeeFunction function, String text) {
    int number = number(text);
    refuseIf(isConnected(function), Errno.EBUSY);
    refuseIf(number != 0, Errno.ENXIO);
    errors.check(TsmErrors.Operation.CONNECT);
    contexts.put(function.name(), new PciTsm(function, function));
    if (function.hasTee()) {
      for (TeeFunction other : slotOf(function)) {
        contexts.putIfAbsent(other.name(), new PciTsm(other, function));
      }
    }
  }

  /** What sscanf makes of "tsm%d": it accepts white space and a sign, and ignores what follows. */
  private static int number(String text) {
    var matcher = Pattern.compile("tsm\\s*([+-]?\\d{1,9}).*").matcher(text);
    if (!matcher.matches()) {
      throw refused(Errno.EINVAL);
    }
    return Integer.parseInt(matcher.group(1));
  }

  private List<TeeFunction> slotOf(TeeFunction function) {
    String slot = function.name().substring(0, function.name().indexOf('.') + 1);
    return functions.get().stream().filter(f -> f.name().startsWith(slot)).toList();
  }

  /**
   * A write to {@code tsm/disconnect} (drivers/pci/tsm.c:disconnect_store): unbinds all interfaces
   * that the manager answers for, without asking their VMs.
   *
   * @throws dev.iolite.mock.core.Refused ENXIO: not connected; EINVAL: another TSM's name
   */
  public void disconnect(TeeFunction function, String text) {
    refuseIf(!isConnected(function), Errno.ENXIO);
    refuseIf(!text.equals(name()), Errno.EINVAL);
    drop(function);
  }

  /**
   * Called when the kernel has found a function of a slot that the TSM is connected to
   * (drivers/pci/tsm.c:pci_tsm_init).
   */
  void added(TeeFunction function) {
    if (!function.isManager()) {
      slotOf(function).stream()
          .filter(TeeFunction::isManager)
          .filter(this::isConnected)
          .findFirst()
          .ifPresent(
              manager -> contexts.putIfAbsent(function.name(), new PciTsm(function, manager)));
    }
  }

  /** Called when the function is gone (pci_tsm_destroy). */
  public void drop(TeeFunction function) {
    List<PciTsm> served = behind(function).toList();
    for (PciTsm context : served.reversed()) {
      unbind(context.function());
      contexts.remove(context.function().name());
    }
    unbind(function);
    contexts.remove(function.name());
  }

  /** Binds as the other method does, where only the device may refuse the lock. */
  public void bind(TeeFunction function, Optional<KvmReference> vm, int id, boolean locks) {
    bind(function, vm, id, locks ? Optional.of(_ -> {}) : Optional.empty());
  }

  /**
   * drivers/pci/tsm.c:pci_tsm_bind, and the lock of the interface, which a TDX or SEV TSM makes as
   * part of it.
   *
   * @param vm the VM; empty if the device has none
   * @param id the virtual BDF
   * @param lock whether the bind locks the interface, and what may refuse the lock
   * @throws dev.iolite.mock.core.Refused EINVAL: no VM, or no TSM is connected; EBUSY: bound to
   *     another VM; or an error of the TSM or the device
   */
  public void bind(
      TeeFunction function,
      Optional<KvmReference> vm,
      int id,
      Optional<Consumer<TeeFunction>> lock) {
    refuseIf(vm.isEmpty(), Errno.EINVAL);
    PciTsm context = contexts.get(function.name());
    if (context == null) {
      throw refused(Errno.EINVAL);
    }
    if (context.tdi().isPresent()) {
      refuseIf(!context.tdi().get().vm().equals(vm.get()), Errno.EBUSY);
      return;
    }
    Runnable late = errors.around(TsmErrors.Operation.BIND);
    Tdi tdi = new Tdi(function, vm.get(), id, () -> changed(function));
    if (lock.isPresent()) {
      refuseIf(context.linkLost(), Errno.EIO);
      lock.get().accept(function);
      lock(function, tdi);
    }
    context.setTdi(Optional.of(tdi));
    changed(function);
    late.run();
  }

  /** drivers/pci/tsm.c:pci_tsm_unbind: never fails, and does nothing if it is not bound. */
  public void unbind(TeeFunction function) {
    PciTsm context = contexts.get(function.name());
    if (context != null && context.tdi().isPresent()) {
      context.tdi().get().stop();
      context.setTdi(Optional.empty());
      changed(function);
    }
  }

  /**
   * Checks the interface of a request (drivers/pci/tsm.c:pci_tsm_guest_req).
   *
   * @throws dev.iolite.mock.core.Refused ENXIO: not connected, or not bound
   */
  void requireBound(TeeFunction function) {
    refuseIf(tdi(function).isEmpty(), Errno.ENXIO);
  }

  /**
   * Checks that a guest's request reaches the device.
   *
   * @throws dev.iolite.mock.core.Refused ENXIO: not connected, or not bound; EIO: the link is lost
   */
  void requireReached(TeeFunction function) {
    requireBound(function);
    refuseIf(context(function).linkLost(), Errno.EIO);
  }

  private Tdi bound(TeeFunction function) {
    return tdi(function).orElseThrow(() -> refused(Errno.ENXIO));
  }

  /**
   * Handles a guest's request to change the interface's state.
   *
   * @param to 0 unlocked, 1 locked, 2 run
   * @throws dev.iolite.mock.core.Refused ENXIO: not bound; EINVAL: no such state; EIO or EBUSY: the
   *     device refuses
   */
  public void setState(TeeFunction function, int to) {
    Tdi tdi = bound(function);
    TdiState wanted =
        TdiState.of(to)
            .filter(state -> state != TdiState.ERROR)
            .orElseThrow(() -> refused(Errno.EINVAL));
    Runnable late = errors.around(TsmErrors.Operation.SET_STATE);
    tdi.look();
    switch (wanted) {
      case CONFIG_LOCKED -> lock(function, tdi);
      case RUN -> start(function, tdi);
      case CONFIG_UNLOCKED, ERROR -> tdi.stop();
    }
    late.run();
  }

  /**
   * Handles a guest's request to check its private view of MMIO.
   *
   * @param maps whether the TSM then maps it into the VM, as it does where there are no memory
   *     slots for that
   * @throws dev.iolite.mock.core.Refused ENXIO: not bound; EINVAL: not whole pages, or empty, or
   *     not the interface's TEE memory, or not what the guest and the report say about it; EIO: the
   *     interface is not locked; EEXIST: something is mapped there
   */
  void validateMmio(TeeFunction function, MmioRange range, boolean maps) {
    long gpaBase = range.gpaBase();
    long gpaTop = range.gpaTop();
    long physical = range.physical();
    Tdi tdi = bound(function);
    boolean whole = ((gpaBase | gpaTop | physical) & 0xfff) == 0;
    refuseIf(!whole || Long.compareUnsigned(gpaBase, gpaTop) >= 0, Errno.EINVAL);
    tdi.look();
    refuseIf(tdi.state() != TdiState.CONFIG_LOCKED && tdi.state() != TdiState.RUN, Errno.EIO);
    refuseIf(gpaTop - gpaBase < 0, Errno.EINVAL);
    require(function, Errno.EINVAL, range.wrongId(function));
    require(function, Errno.EINVAL, context(function).staleNonce(range, tdi));
    Memory memory =
        function.trustedMemory(physical, gpaTop - gpaBase).orElseThrow(() -> refused(Errno.EINVAL));
    errors.check(TsmErrors.Operation.VALIDATE_MMIO);
    if (maps) {
      tdi.map(gpaBase, gpaTop - gpaBase, memory);
    }
  }

  /**
   * The interface's report.
   *
   * @throws dev.iolite.mock.core.Refused ENXIO: not bound; EIO: not locked
   */
  public byte[] report(TeeFunction function) {
    return report(function, ReportMessages.MOST_BYTES);
  }

  /**
   * The interface's report, from a TSM that keeps it.
   *
   * @param most the longest report that the TSM has room for, in bytes
   * @throws dev.iolite.mock.core.Refused also EIO: the report is longer
   */
  byte[] report(TeeFunction function, int most) {
    Tdi tdi = bound(function);
    errors.check(TsmErrors.Operation.REPORT);
    byte[] own = tdi.report();
    byte[] report = reports.getOrDefault(function.name(), own);
    require(function, Errno.EIO, ReportMessages.tooLong(report, most));
    return ReportMessages.read(report);
  }

  /**
   * What a realm knows about an interface from its own calls: the numbers of what it has looked at.
   */
  Optional<TdiNonces> nonces(TeeFunction function) {
    return Optional.ofNullable(contexts.get(function.name())).flatMap(PciTsm::nonces);
  }

  /** Makes the report anew, for a realm. */
  void regenerateReport(TeeFunction function) {
    context(function).reportRegenerated();
  }

  /** Makes the device answer with these bytes, from now on, when it is asked for a report. */
  void answerReport(TeeFunction function, byte[] report) {
    reports.put(function.name(), report.clone());
  }

  /**
   * The measurements of the interface's device, made for this request. The TSM asks the manager for
   * them, by SPDM, and not the interface, which may therefore be in any state.
   *
   * @param nonce the request's nonce, 32 bytes
   * @throws dev.iolite.mock.core.Refused ENXIO: not bound; EIO: the link is lost
   */
  public byte[] measurements(TeeFunction function, byte[] nonce) {
    requireReached(function);
    errors.check(TsmErrors.Operation.MEASUREMENTS);
    return manager(function).orElseThrow().measurements(nonce);
  }

  /** Obtains {@link #measurements}, and keeps them while the interface is bound. */
  void keepMeasurements(TeeFunction function, byte[] nonce) {
    context(function).keepMeasurements(measurements(function, nonce));
  }

  /**
   * The measurements that were kept last.
   *
   * @throws dev.iolite.mock.core.Refused ENXIO: not bound; ENODATA: none were kept since the bind
   */
  byte[] keptMeasurements(TeeFunction function) {
    requireBound(function);
    return context(function).measurements().orElseThrow(() -> refused(Errno.ENODATA));
  }

  private PciTsm context(TeeFunction function) {
    return Optional.ofNullable(contexts.get(function.name()))
        .orElseThrow(() -> refused(Errno.ENXIO));
  }

  /** The functions that a device security manager answers for. */
  private Stream<PciTsm> behind(TeeFunction manager) {
    return contexts.values().stream().filter(context -> context.manager().equals(manager));
  }

  /** Sends the device's interfaces to ERROR. */
  void fail(TeeFunction function) {
    behind(function).flatMap(c -> c.tdi().stream()).forEach(Tdi::fail);
  }

  /**
   * Loses the device's link or session: its interfaces go to ERROR, and locks and requests fail
   * until it is connected anew.
   */
  void loseLink(TeeFunction function) {
    behind(function).forEach(PciTsm::loseLink);
    fail(function);
  }
}
