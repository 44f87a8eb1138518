package dev.iolite.vfio;

import dev.iolite.uapi.vfio.Vfio;

/** What a device's migration can do: the VFIO_MIGRATION_ flags. */
public enum MigrationAbility {
  /** It has the states STOP, STOP_COPY and RESUMING. */
  STOP_COPY(Vfio.VFIO_MIGRATION_STOP_COPY()),
  /** It also has states in which it runs, but starts no DMA to other devices. */
  P2P(Vfio.VFIO_MIGRATION_P2P()),
  /** Its state can be read before it is stopped. */
  PRE_COPY(Vfio.VFIO_MIGRATION_PRE_COPY());

  private final int bit;

  MigrationAbility(int bit) {
    this.bit = bit;
  }

  int bit() {
    return bit;
  }
}
