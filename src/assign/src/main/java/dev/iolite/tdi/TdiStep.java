package dev.iolite.tdi;

import dev.iolite.steps.StepKind;
import dev.iolite.steps.StepWords;
import java.util.Optional;

/**
 * The kinds of steps that make up an assignment, in addition to those of {@link
 * dev.iolite.steps.HostStep}. The words of each say what it does and what undoes it.
 */
public enum TdiStep implements StepKind {
  FIND_DEVICE("look for the device"),
  LOOK_FOR_DRIVER("look which driver has it"),
  GIVE_TO_VFIO("give the device to vfio-pci", "give the device back to its driver"),
  MAKE_VM("make a virtual machine with a vCPU", "close the virtual machine"),
  MAKE_KVM_DEVICE("make KVM's VFIO device"),
  FIND_PROFILE("find out how this kernel binds TDIs"),
  LET_REQUESTS_LEAVE("let the guest's requests leave it"),
  LOOK_FOR_CONNECTION("look whether a TSM is connected"),
  FIND_TSM("look for the host's TSM"),
  CONNECT_TSM("connect the TSM to the device", "disconnect the TSM"),
  MAKE_IOAS("make an address space", "destroy the address space"),
  MAKE_HWPT("make a page table that a vIOMMU can be made of", "destroy the page table"),
  MAKE_VIOMMU("make a vIOMMU", "destroy the vIOMMU"),
  ATTACH("attach the device", "detach the device"),
  PLACE_BARS("place the BARs in the guest"),
  FIND_REACH("look for what takes the BARs away"),
  MAKE_PRIVATE_MEMORY("make the guest's private memory", "free the guest's private memory"),
  ADD_MEMORY_SLOT("give the guest its memory", "delete the slot of the guest's memory"),
  MAP_MEMORY_FOR_DMA("map the guest's memory for DMA", "unmap the guest's memory for DMA"),
  UNMAP_SHARED_MEMORY("unmap the guest's shared memory for DMA"),
  MAKE_MEMORY_PRIVATE("make all of it private"),
  FINISH_LAUNCH("finish the launch of the guest"),
  SWITCH_ON(
      "switch memory decode and bus mastering on", "switch memory decode and bus mastering back"),
  LOOK_FOR_DEVICE("look whether the device answers at its BARs"),
  PLAN("plan dma-bufs, slots and maps"),
  CHECK_NOTHING_MAPPED("check that nothing of the BARs is left"),
  OPEN_DMA_BUF("open the %s", "close the %s"),
  MAP_FOR_DMA("map the shared runs for DMA", "unmap the shared runs for DMA"),
  MARK_PRIVATE("mark the private runs as private for KVM", "mark them as shared again"),
  ADD_SLOTS("give the guest the %s", "delete the slots of the %s"),
  COMPARE_RUNS("compare with what the kernel says that they have"),
  CHECK_LOCKABLE("check that the device can be locked"),
  CHECK_UNMAPPED("check that this process maps nothing of the BARs"),
  BIND("bind the interface to the guest", "unbind the interface"),
  LOCK("lock the interface"),
  READ_REPORT("read the interface's report"),
  LEARN_LAYOUT("learn which bytes are private"),
  READ_MEASUREMENTS("read the device's measurements"),
  START("start the interface"),
  STOP("stop the interface"),
  ENABLE_DMA("let its DMA through the IOMMU", "stop its DMA at the IOMMU"),
  CHECK_RELEASED("check that the interface is not bound"),
  ASK_WHETHER_BOUND("ask the kernel whether the interface is bound"),
  RESET("reset the device"),
  HOT_RESET("reset the device's slot or bus"),
  SLEEP("let the kernel suspend the device"),
  WAKE("have the device stay awake"),
  CHECK_NOTHING_HELD("check that nothing is left");

  private final String forward;
  private final Optional<String> undo;

  TdiStep(String forward) {
    this.forward = forward;
    this.undo = Optional.empty();
  }

  TdiStep(String forward, String undo) {
    this.forward = forward;
    this.undo = Optional.of(undo);
  }

  @Override
  public StepWords words() {
    return new StepWords(forward, undo);
  }
}
