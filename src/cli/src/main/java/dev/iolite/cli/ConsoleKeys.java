package dev.iolite.cli;

import dev.iolite.vmm.VirtualMachine;

/** The keys for a guest's console, of which Ctrl-A is not for the guest. */
final class ConsoleKeys {
  /** How many bytes are passed on at once. */
  static final int AT_ONCE = 256;

  private static final byte ESCAPE = 1;

  private final VirtualMachine machine;
  private boolean isEscaped;

  ConsoleKeys(VirtualMachine machine) {
    this.machine = machine;
  }

  /** Takes keys: Ctrl-A x stops the guest, Ctrl-A twice is one for the guest. */
  void typed(byte[] keys, int count) {
    byte[] forGuest = new byte[count];
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (isEscaped && keys[i] == 'x') {
        machine.stop();
      } else if (isEscaped || keys[i] != ESCAPE) {
        forGuest[kept++] = keys[i];
      }
      isEscaped = !isEscaped && keys[i] == ESCAPE;
    }
    machine.type(forGuest, kept);
  }
}
