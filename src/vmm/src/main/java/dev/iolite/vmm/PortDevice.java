package dev.iolite.vmm;

/** What answers at I/O ports. vCPUs call it at the same time. */
interface PortDevice {
  /** A guest that reads where nothing is gets all ones. */
  PortDevice NOTHING =
      new PortDevice() {
        @Override
        public int read(int port, int bytes) {
          return -1;
        }

        @Override
        public void write(int port, int bytes, int value) {}
      };

  /** Reads 1, 2 or 4 bytes. */
  int read(int port, int bytes);

  /** Writes 1, 2 or 4 bytes. */
  void write(int port, int bytes, int value);
}
