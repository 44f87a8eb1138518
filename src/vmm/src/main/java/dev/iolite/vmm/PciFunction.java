package dev.iolite.vmm;

/** A function on the PCI bus. The bus calls it under its lock. */
interface PciFunction {
  /** Reads 1, 2 or 4 bytes of configuration space, at a multiple of their number. */
  int readConfig(int offset, int bytes);

  /** Writes 1, 2 or 4 bytes of configuration space, at a multiple of their number. */
  void writeConfig(int offset, int bytes, int value);

  /** Whether memory that it does not map is at an address. */
  boolean hasMemory(long gpa);

  /** Reads memory that it does not map. */
  long readMemory(long gpa, int bytes);

  /** Writes memory that it does not map. */
  void writeMemory(long gpa, int bytes, long value);

  /** Whether it has an I/O port. */
  boolean hasPort(int port);

  /** Reads an I/O port. */
  int readPort(int port, int bytes);

  /** Writes an I/O port. */
  void writePort(int port, int bytes, int value);
}
