package dev.iolite.tdi.journal;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import dev.iolite.pci.TsmState;
import dev.iolite.steps.StepLog;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.AssignmentListener;
import dev.iolite.tdi.State;
import dev.iolite.tdi.TdiStep;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * Releases what a killed process held of a device. The kernel has closed the process's descriptors;
 * slots, maps, dma-bufs and the binding went with them. The changed driver and the TSM's connection
 * remain. A recovery can be repeated, and may be killed itself.
 */
public final class Recovery {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Kernel kernel;
  private final Path directory;
  private final PciAddress address;
  private final String host;
  private final AssignmentListener listener;

  /**
   * Prepares it, for the kernel that runs this process.
   *
   * @param directory where the journals are
   */
  public Recovery(Kernel kernel, Path directory, PciAddress address, AssignmentListener listener) {
    this(kernel, directory, address, Journal.THIS_HOST, listener);
  }

  /**
   * Prepares it.
   *
   * @param directory where the journals are
   * @param host the kernel's name, as {@link Journal#open(Path, PciAddress, String)} was told
   */
  public Recovery(
      Kernel kernel, Path directory, PciAddress address, String host, AssignmentListener listener) {
    this.kernel = kernel;
    this.directory = directory;
    this.address = address;
    this.host = host;
    this.listener = listener;
  }

  /**
   * What the process had done.
   *
   * @param process its id; 0 if that is not known
   * @param state where the assignment stood, as far as it came to say
   * @param steps the names of its last steps, the newest last
   */
  public record Found(long process, State state, List<String> steps) {
    /** Copies the list. */
    public Found {
      steps = List.copyOf(steps);
    }
  }

  static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException _) {
      return null;
    }
  }

  /**
   * Releases.
   *
   * @return what was found; empty if no process has left anything
   * @throws PreconditionException if the process still runs, the journal is of another kernel's
   *     device, or the interface is still bound; nothing is changed then
   * @throws dev.iolite.kernel.KernelException what the kernel said, of sysfs
   */
  public Optional<Found> run() {
    Path file = Journal.file(directory, address);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      List<Map<String, String>> entries = read(file);
      if (tryLock(channel) == null) {
        throw new PreconditionException(
            "release what is held of " + address,
            "process " + process(entries) + " still has it",
            new Advice(
                "it runs",
                "unbind the interface there, or end that process",
                Remedy.END_ASSIGNMENT,
                List.of(address.toString())));
      }
      requireSameHost(entries);
      release(entries);
      Files.delete(file);
      return entries.isEmpty() ? Optional.empty() : Optional.of(found(entries));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("can't read the journal " + file, e);
    }
  }

  /** The last line may be cut off where the process was killed; what others say stands. */
  private static List<Map<String, String>> read(Path file) throws IOException {
    List<Map<String, String>> entries = new ArrayList<>();
    String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    for (String line : text.lines().toList()) {
      try {
        if (!line.isEmpty()) {
          entries.add(JSON.readValue(line, new TypeReference<Map<String, String>>() {}));
        }
      } catch (JacksonException _) {
        // It says nothing that could be undone.
      }
    }
    return entries;
  }

  private static Optional<Map<String, String>> last(
      List<Map<String, String>> entries, String event) {
    return entries.reversed().stream().filter(e -> event.equals(e.get("event"))).findFirst();
  }

  private static long process(List<Map<String, String>> entries) {
    return last(entries, "begin")
        .map(e -> e.getOrDefault("process", "0"))
        .filter(number -> number.matches("\\d{1,18}"))
        .map(Long::parseLong)
        .orElse(0L);
  }

  /** The same address is another device on another kernel, with a driver that it is to keep. */
  private void requireSameHost(List<Map<String, String>> entries) {
    last(entries, "begin")
        .map(e -> e.getOrDefault("host", Journal.THIS_HOST))
        .filter(of -> !of.equals(host))
        .ifPresent(of -> {
          throw new PreconditionException(
              "release what is held of " + address,
              "the journal is of " + of + ", and this is " + host,
              new Advice(
                  "the process that was killed worked on another kernel",
                  "release it on " + of,
                  Remedy.RECOVER_ELSEWHERE,
                  List.of(of, address.toString())));
        });
  }

  private static Found found(List<Map<String, String>> entries) {
    String state =
        last(entries, "state").map(e -> e.getOrDefault("state", "")).orElse("unassigned");
    return new Found(
        process(entries),
        State.of(state).orElse(State.UNASSIGNED),
        entries.stream()
            .filter(e -> "step".equals(e.get("event")))
            .map(e -> e.getOrDefault("name", ""))
            .toList());
  }

  private void release(List<Map<String, String>> entries) {
    StepLog log = StepLog.tracing(address.toString(), kernel, listener::step, () -> false);
    Steps steps = new Steps(log);
    PciDevice device = new Pci(log.kernel()).device(address);
    Optional<DriverBinding.Before> before =
        last(entries, "driver")
            .filter(e -> isFree(device, Optional.ofNullable(e.get("driver"))))
            .map(e ->
                new DriverBinding.Before(
                    Optional.ofNullable(e.get("driver")), Optional.ofNullable(e.get("override"))));
    steps.step(
        TdiStep.CHECK_RELEASED,
        "it is not",
        () -> {
          requireUnbound(device);
          before.ifPresent(was -> DriverBinding.requireRestorable(device, was));
        });
    last(entries, "connecting")
        .map(e -> e.getOrDefault("tsm", ""))
        .filter(tsm -> device.tsm().flatMap(TsmState::connect).equals(Optional.of(tsm)))
        .ifPresent(tsm ->
            steps.undoNow(
                TdiStep.CONNECT_TSM,
                "from " + tsm,
                () -> new Tsm(log.kernel()).disconnect(device, tsm)));
    before.ifPresent(was ->
        steps.undoNow(
            TdiStep.GIVE_TO_VFIO,
            "with " + was.driver().orElse("no driver") + " again",
            () -> DriverBinding.restore(device, was)));
  }

  /** Whoever has given the device to another driver since wants it there. */
  private boolean isFree(PciDevice device, Optional<String> before) {
    Optional<String> driver = device.driver();
    if (driver.isEmpty() || driver.equals(before) || driver.get().equals("vfio-pci")) {
      return true;
    }
    listener.remark("The device has the driver " + driver.get() + " by now, and keeps it.");
    return false;
  }

  private static void requireUnbound(PciDevice device) {
    device
        .tsm()
        .flatMap(TsmState::bound)
        .ifPresent(tsm -> {
          throw new PreconditionException(
              "release " + device,
              "its interface is still bound by " + tsm,
              new Advice(
                  "another process has the device, or the kernel has not finished to release it",
                  "try again when nothing uses the device",
                  Remedy.SHOW_FUNCTION,
                  List.of(device.address().toString())));
        });
  }
}
