package dev.iolite.mock.device;

/** An extended capability that a device may have in addition to IDE. All are off at power-on. */
public enum ExtendedCapability {
  /** Address Translation Services, which TDISP only notes. */
  ATS(0x0f, 0x08),
  /** Single Root I/O Virtualization. */
  SRIOV(0x10, 0x40),
  /** Page Request Interface. */
  PRI(0x13, 0x10),
  /** Process Address Space IDs. */
  PASID(0x1b, 0x08);

  private final int id;
  private final int bytes;

  ExtendedCapability(int id, int bytes) {
    this.id = id;
    this.bytes = bytes;
  }

  /** Its id in configuration space. */
  public int id() {
    return id;
  }

  /** Its length, in bytes. */
  public int bytes() {
    return bytes;
  }
}
