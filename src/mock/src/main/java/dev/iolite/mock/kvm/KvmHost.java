package dev.iolite.mock.kvm;

import dev.iolite.mock.core.DmaBufSlots;
import dev.iolite.mock.core.EventFdFile;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import java.util.HashSet;
import java.util.Set;

/** The state that all VMs of a machine share. */
final class KvmHost {
  private final Task task;
  private final KvmSetup setup;
  private final Set<EventFdFile> irqfds = new HashSet<>();
  private final SevProcessor processor = new SevProcessor();
  private int vms;
  private long inodes;

  KvmHost(Task task, KvmSetup setup) {
    this.task = task;
    this.setup = setup;
  }

  Task task() {
    return task;
  }

  KvmPlatform platform() {
    return setup.platform();
  }

  GuestScripts scripts() {
    return setup.scripts();
  }

  DmaBufSlots dmaBufSlots() {
    return setup.dmaBufSlots();
  }

  SecureFirmware firmware() {
    return setup.firmware();
  }

  /** AMD's secure processor; only a platform with SEV uses it. */
  SevProcessor processor() {
    return processor;
  }

  /** Gives a new file a descriptor; if that fails, releases the file. */
  int install(OpenFile file) {
    try {
      return task.descriptors().install(file);
    } catch (Refused e) {
      file.put();
      throw e;
    }
  }

  /**
   * Claims an eventfd, which can serve only one irqfd of all VMs
   * (add_wait_queue_priority_exclusive).
   *
   * @return whether it did not serve one yet
   */
  boolean claimForIrqfd(EventFdFile eventfd) {
    return irqfds.add(eventfd);
  }

  void releaseFromIrqfd(EventFdFile eventfd) {
    irqfds.remove(eventfd);
  }

  /** The number of a guest_memfd's inode, of which no other has it. */
  long nextInode() {
    return ++inodes;
  }

  /** The number of a VM that is being made; the first is 0. */
  int nextVm() {
    return vms++;
  }
}
