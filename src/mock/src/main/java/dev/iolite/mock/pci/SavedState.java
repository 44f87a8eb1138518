package dev.iolite.mock.pci;

/**
 * Configuration registers that the kernel saves around a reset (drivers/pci/pci.c:pci_save_state):
 * the header and the PCI Express controls.
 */
public final class SavedState {
  private static final int LAST_DWORD = 15;
  private static final int BARS_FROM = 4;
  private static final int BARS_TO = 9;
  private static final int[] EXPRESS_CONTROLS = {0x08, 0x10, 0x28, 0x30};

  private final PciFunction function;
  private final int[] header = new int[LAST_DWORD + 1];
  private final int[] controls = new int[EXPRESS_CONTROLS.length];

  SavedState(PciFunction function) {
    this.function = function;
    for (int i = 0; i <= LAST_DWORD; i++) {
      header[i] = function.configRead(4 * i, 4);
    }
    int express = function.layout().express();
    for (int i = 0; express != 0 && i < controls.length; i++) {
      controls[i] = function.configRead(express + EXPRESS_CONTROLS[i], 2);
    }
  }

  /** pci_restore_state: the BARs come before the command register. */
  void restore() {
    int express = function.layout().express();
    for (int i = 0; express != 0 && i < controls.length; i++) {
      function.configWrite(express + EXPRESS_CONTROLS[i], 2, controls[i]);
    }
    restore(BARS_TO + 1, LAST_DWORD);
    restore(BARS_FROM, BARS_TO);
    restore(0, BARS_FROM - 1);
  }

  private void restore(int first, int last) {
    for (int i = last; i >= first; i--) {
      if (function.configRead(4 * i, 4) != header[i]) {
        function.configWrite(4 * i, 4, header[i]);
      }
    }
  }
}
