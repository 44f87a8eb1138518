package dev.iolite.cli.report;

import dev.iolite.passthrough.PassthroughStep;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.Step;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What happened in the passthrough of devices. */
public final class PassthroughRecord {
  private final RunClock clock = new RunClock();
  private final Map<String, StageRecord> devices = new LinkedHashMap<>();
  private boolean driven = true;

  /** A step was made. */
  public void step(Step step) {
    devices
        .computeIfAbsent(step.device(), StageRecord::new)
        .add(new StageRecord.Made(step, clock.nanos()));
  }

  /** A device was assigned and taken back, and perhaps driven. */
  public void device(boolean wasDriven) {
    driven &= wasDriven;
  }

  RunClock clock() {
    return clock;
  }

  List<StageRecord> devices() {
    return List.copyOf(devices.values());
  }

  /** The devices' addresses. */
  public List<PciAddress> addresses() {
    return devices.keySet().stream().map(PciAddress::parse).toList();
  }

  /** All steps, in order. */
  public List<Step> steps() {
    return devices.values().stream()
        .flatMap(device -> device.steps().stream())
        .map(StageRecord.Made::step)
        .toList();
  }

  /** The steps that show that a device works or that nothing is left of the run. */
  List<Step> proofs() {
    return steps().stream()
        .filter(Step::succeeded)
        .filter(step -> step.kind() instanceof PassthroughStep kind && kind.isProof())
        .toList();
  }

  /** The verdict on a run that nothing ended before its time. */
  public String success() {
    return driven
        ? "All steps succeeded; all data that moved was right."
        : "All steps succeeded. The device is not known here: its registers were left alone, and"
            + " no data was moved.";
  }
}
