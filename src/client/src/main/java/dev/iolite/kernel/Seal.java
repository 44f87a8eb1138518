package dev.iolite.kernel;

import dev.iolite.uapi.libc.Libc;

/** What can no longer be done with a memfd once it is sealed against it (F_SEAL_*). */
public enum Seal {
  /** Adding more seals. */
  SEAL(Libc.F_SEAL_SEAL()),
  /** Making it smaller. */
  SHRINK(Libc.F_SEAL_SHRINK()),
  /** Making it larger. */
  GROW(Libc.F_SEAL_GROW()),
  /** Writing it, by whatever means. */
  WRITE(Libc.F_SEAL_WRITE()),
  /** Writing it, except through mappings that are there already. Since Linux 5.1. */
  FUTURE_WRITE(Libc.F_SEAL_FUTURE_WRITE());

  private final int bit;

  Seal(int bit) {
    this.bit = bit;
  }

  /** Its bit in fcntl(2). */
  int bit() {
    return bit;
  }
}
