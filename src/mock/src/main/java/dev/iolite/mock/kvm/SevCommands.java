package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.kvm_sev_cmd;
import java.lang.foreign.MemorySegment;

/** What the commands of SEV have in common; arch/x86/kvm/svm/sev.c. */
abstract class SevCommands {
  final KvmVm vm;
  final SevVm sev;

  SevCommands(KvmVm vm, SevVm sev) {
    this.vm = vm;
    this.sev = sev;
  }

  final Task task() {
    return vm.task();
  }

  final SevProcessor processor() {
    return sev.processor();
  }

  /** The guest's handle. */
  final int handle() {
    return sev.context().handle;
  }

  /** sev_guest. */
  final void requireSev() {
    refuseIf(!sev.context().active, Errno.ENOTTY);
  }

  /** Where an address is in its page. */
  static long inPage(long address) {
    return address & Page.BYTES - 1;
  }

  /** The end of sev_launch_start and sev_receive_start: the guest has a handle and an ASID. */
  final void started(MemorySegment command, MemorySegment start, int handle) {
    sev.activate(command, handle);
    sev.giveHandle(kvm_sev_cmd.data(command), start, handle);
    sev.context().handle = handle;
    sev.context().processor = kvm_sev_cmd.sev_fd(command);
  }
}
