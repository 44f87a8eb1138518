package dev.iolite.vfio;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature_mig_data_size;
import dev.iolite.uapi.vfio.vfio_device_feature_mig_state;
import dev.iolite.uapi.vfio.vfio_device_feature_migration;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * The migration of a device, in its second version: a state machine, and a stream of the device's
 * state. Got from {@link OpenVfioDevice#migration}.
 *
 * <p>For use by one thread at a time.
 */
public final class Migration {
  private static final int NO_STREAM = -1;

  private final DeviceFeatures features;
  private final String device;
  private final long flags;

  private Migration(DeviceFeatures features, String device, long flags) {
    this.features = features;
    this.device = device;
    this.flags = flags;
  }

  static Optional<Migration> of(DeviceFeatures features, String device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment flags = vfio_device_feature_migration.allocate(arena);
      return features.get(VfioFeature.MIGRATION, flags)
          ? Optional.of(new Migration(features, device, vfio_device_feature_migration.flags(flags)))
          : Optional.empty();
    }
  }

  /** What the driver can do. */
  public Set<MigrationAbility> abilities() {
    Set<MigrationAbility> abilities = EnumSet.noneOf(MigrationAbility.class);
    for (MigrationAbility ability : MigrationAbility.values()) {
      if ((flags & ability.bit()) != 0) {
        abilities.add(ability);
      }
    }
    return abilities;
  }

  /** The VFIO_MIGRATION_ flags, with those that later kernels may add. */
  public long flags() {
    return flags;
  }

  /**
   * The device's state, by GET of MIG_DEVICE_STATE.
   *
   * @throws KernelException what the driver says
   * @throws MalformedReplyException if there is no such state
   */
  public MigrationState state() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = vfio_device_feature_mig_state.allocate(arena);
      require(features.get(VfioFeature.MIG_DEVICE_STATE, state));
      return MigrationState.of(
          VfioIoctls.VFIO_DEVICE_FEATURE.name(), vfio_device_feature_mig_state.device_state(state));
    }
  }

  /**
   * Takes the device to a state, through all states in between, by SET of MIG_DEVICE_STATE.
   *
   * @return the stream that begins with this change: a {@link MigrationReader} if the state can be
   *     read in the new state and could not before, a {@link MigrationWriter} for RESUMING; empty
   *     if none begins. It is the caller's to close
   * @throws KernelException EINVAL: there is no way to this state, or the driver lacks it;
   *     otherwise what the driver says. The device may then be in any state on the way, or in
   *     ERROR, which only {@link OpenVfioDevice#reset} ends: ask {@link #state}. See
   *     drivers/vfio/vfio_main.c:vfio_ioctl_device_feature_mig_device_state and
   *     vfio_mig_get_next_state
   */
  public Optional<MigrationStream> setState(MigrationState state) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment set = vfio_device_feature_mig_state.allocate(arena);
      vfio_device_feature_mig_state.device_state(set, state.number());
      require(features.exchange(VfioFeature.MIG_DEVICE_STATE, Vfio.VFIO_DEVICE_FEATURE_SET(), set));
      int number = vfio_device_feature_mig_state.data_fd(set);
      if (number == NO_STREAM) {
        return Optional.empty();
      }
      Fd fd = Fd.owned(features.fd().kernel(), FdKind.VFIO_MIGRATION, number, device, device);
      return Optional.of(state.isSaving() ? new MigrationReader(fd) : new MigrationWriter(fd));
    }
  }

  /**
   * How many bytes would be read in STOP_COPY, about, by GET of MIG_DATA_SIZE.
   *
   * @throws KernelException what the driver says
   */
  public long stopCopyBytes() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = vfio_device_feature_mig_data_size.allocate(arena);
      require(features.get(VfioFeature.MIG_DATA_SIZE, size));
      return vfio_device_feature_mig_data_size.stop_copy_length(size);
    }
  }

  /**
   * Has {@link PrecopyInfo#reinitialised} reported until the device is closed, by SET of
   * MIG_PRECOPY_INFOv2.
   *
   * @return false if this kernel does not have it (ENOTTY)
   * @throws KernelException EINVAL: the driver has no PRE_COPY. See
   *     drivers/vfio/vfio_main.c:vfio_ioctl_device_feature_migration_precopy_info_v2
   */
  public boolean enablePrecopyInfoV2() {
    return features.set(VfioFeature.MIG_PRECOPY_INFO_V2, MemorySegment.NULL);
  }

  /** That a device migrates was asked already: it does not forget that. */
  private void require(boolean has) {
    if (!has) {
      throw new MalformedReplyException(
          VfioIoctls.VFIO_DEVICE_FEATURE.name(), device + " does not migrate any more");
    }
  }

  @Override
  public String toString() {
    return "migration of " + device;
  }
}
