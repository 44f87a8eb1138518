package dev.iolite.steps;

import java.util.Optional;

/**
 * The kinds of steps of {@link HostSteps}; the words of each say what it does and what undoes it.
 */
public enum HostStep implements StepKind {
  OPEN_KVM("open KVM", "close KVM"),
  OPEN_IOMMUFD("open iommufd", "close iommufd"),
  MAKE_MEMORY("make the guest's memory", "free the guest's memory"),
  MAP_MEMORY("map the guest's memory here", "unmap the guest's memory here"),
  OPEN_DEVICE("open the device", "close the device"),
  TELL_KVM("tell KVM of the device, before the bind", "take the device from KVM"),
  BIND_DEVICE("bind the device to iommufd");

  private final String forward;
  private final Optional<String> undo;

  HostStep(String forward) {
    this.forward = forward;
    this.undo = Optional.empty();
  }

  HostStep(String forward, String undo) {
    this.forward = forward;
    this.undo = Optional.of(undo);
  }

  @Override
  public StepWords words() {
    return new StepWords(forward, undo);
  }
}
