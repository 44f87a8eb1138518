package dev.iolite.passthrough;

import dev.iolite.steps.StepKind;
import dev.iolite.steps.StepWords;
import java.util.Optional;

/** The kinds of steps that make up the scenario; the words of each say what it does. */
public enum PassthroughStep implements StepKind {
  GIVE_TO_VFIO("give the device to vfio-pci", "give the device back to its driver"),
  MAKE_VM("make a virtual machine", "close the virtual machine"),
  MAKE_KVM_DEVICE("make its VFIO device"),
  MAKE_IOAS("make an address space", "destroy the address space"),
  ATTACH("attach the device to it", "detach the device"),
  SWITCH_DECODE_ON("switch memory decode on"),
  MAP_MEMORY_FOR_DMA("map the guest's memory for DMA", "unmap the guest's memory for DMA"),
  EXPORT_DMA_BUF("export %s as a dma-buf", "close the dma-buf of %s"),
  MAP_DMA_BUF_FOR_DMA("map the dma-buf for DMA", "unmap the dma-buf for DMA"),
  MAP_BAR("map %s here", "unmap %s here"),
  CHECK_NO_SLOT("check that the guest has no memory slot"),
  ADD_MEMORY_SLOT("give the guest its memory", "delete the slot of the guest's memory"),
  ADD_BAR_SLOT("give the guest %s", "delete the slot of %s"),
  SWITCH_MASTER_ON("switch bus mastering on", "switch bus mastering off"),
  SWITCH_ON_AGAIN("switch memory decode and bus mastering on again"),
  UNMAP_REVOKED("unmap the dma-buf that the reset revoked"),
  MAP_AGAIN("map it for DMA again"),
  MAKE_EVENTFD("make an eventfd", "close the eventfd"),
  CONNECT_MSI("connect the device's MSI to it", "disconnect the MSI"),
  READ_IDENTIFICATION("read the identification register"),
  INTERRUPT("let the device interrupt"),
  COPY_BY_DMA("copy a page into the device and back by DMA"),
  RUN_GUEST("let the guest read the identification register, and write another one"),
  RESET("reset the device"),
  ENABLE_CONTROLLER("give the controller an admin queue and enable it", "disable the controller"),
  IDENTIFY("send Identify"),
  CHECK_NOTHING_HELD("check that nothing is left");

  private final String forward;
  private final Optional<String> undo;

  PassthroughStep(String forward) {
    this.forward = forward;
    this.undo = Optional.empty();
  }

  PassthroughStep(String forward, String undo) {
    this.forward = forward;
    this.undo = Optional.of(undo);
  }

  /** Whether it shows that the device works, or that nothing is left of the run. */
  public boolean isProof() {
    return switch (this) {
      case READ_IDENTIFICATION, INTERRUPT, COPY_BY_DMA, RUN_GUEST, IDENTIFY, CHECK_NOTHING_HELD ->
          true;
      default -> false;
    };
  }

  @Override
  public StepWords words() {
    return new StepWords(forward, undo);
  }
}
