package dev.iolite.vfio;

import dev.iolite.uapi.vfio.Vfio;

/** The state of a device in its migration: enum vfio_device_mig_state. */
public enum MigrationState {
  /** The device has failed and must be reset. It cannot be asked for. */
  ERROR(Vfio.VFIO_DEVICE_STATE_ERROR()),
  /** The device does nothing, and its state does not change. */
  STOP(Vfio.VFIO_DEVICE_STATE_STOP()),
  /** The device runs. */
  RUNNING(Vfio.VFIO_DEVICE_STATE_RUNNING()),
  /** The device is stopped, and its state can be read to the end. */
  STOP_COPY(Vfio.VFIO_DEVICE_STATE_STOP_COPY()),
  /** The device is stopped, and loads a state that is written. */
  RESUMING(Vfio.VFIO_DEVICE_STATE_RESUMING()),
  /** The device runs, but starts no DMA to other devices. */
  RUNNING_P2P(Vfio.VFIO_DEVICE_STATE_RUNNING_P2P()),
  /** The device runs, and what there is of its state can be read. */
  PRE_COPY(Vfio.VFIO_DEVICE_STATE_PRE_COPY()),
  /** {@link #PRE_COPY} without DMA to other devices. */
  PRE_COPY_P2P(Vfio.VFIO_DEVICE_STATE_PRE_COPY_P2P());

  private final int number;

  MigrationState(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  /** Whether the device's state can be read in it. */
  public boolean isSaving() {
    return this == STOP_COPY || this == PRE_COPY || this == PRE_COPY_P2P;
  }

  /**
   * The state of a number.
   *
   * @throws MalformedReplyException if it is none
   */
  static MigrationState of(String call, int number) {
    for (MigrationState state : values()) {
      if (state.number == number) {
        return state;
      }
    }
    throw new MalformedReplyException(call, "there is no migration state " + number);
  }
}
