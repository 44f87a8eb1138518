package dev.iolite.mock.tsm;

import static dev.iolite.mock.tsm.AssignedEndpoint.no;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.DeviceMeasurements;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The measurements of the endpoint's device, as the seed flow's request gives them. */
class MeasurementsTest {
  private static final int NONCE_BYTES = 32;

  private static AssignedEndpoint bound() {
    AssignedEndpoint made = AssignedEndpoint.on(Platform.TDX, Profile.SEED_2025);
    assertThat(SeedCalls.bind(made)).isZero();
    return made;
  }

  private static MemorySegment nonce(AssignedEndpoint at, int fill) {
    return at.struct(NONCE_BYTES).fill((byte) fill);
  }

  private static byte[] message(int fill) {
    byte[] nonce = new byte[NONCE_BYTES];
    Arrays.fill(nonce, (byte) fill);
    return DeviceMeasurements.usual().message(nonce);
  }

  @Test
  void theMessageIsTheDevicesMadeForTheNonce() {
    try (AssignedEndpoint at = bound()) {
      byte[] expected = message(7);
      MemorySegment room = at.struct(expected.length + 8);
      assertThat(SeedCalls.measurements(at, nonce(at, 7), room)).as("the room left").isEqualTo(8);
      assertThat(room.asSlice(0, expected.length).toArray(ValueLayout.JAVA_BYTE))
          .isEqualTo(expected);
      assertThat(SeedCalls.measurements(at, nonce(at, 8), room)).isEqualTo(8);
      assertThat(room.asSlice(0, expected.length).toArray(ValueLayout.JAVA_BYTE))
          .isEqualTo(message(8))
          .isNotEqualTo(expected);
    }
  }

  @Test
  void theyNeedABoundInterfaceInWhateverState() {
    try (AssignedEndpoint at = AssignedEndpoint.on(Platform.TDX, Profile.SEED_2025)) {
      MemorySegment room = at.struct(message(0).length);
      assertThat(SeedCalls.measurements(at, nonce(at, 1), room)).isEqualTo(no(Errno.ENXIO));
      assertThat(SeedCalls.bind(at)).isZero();
      assertThat(SeedCalls.run(at)).isZero();
      assertThat(SeedCalls.measurements(at, nonce(at, 1), room)).as("runs").isZero();
      assertThat(SeedCalls.setState(at, TdiState.CONFIG_UNLOCKED)).isZero();
      assertThat(SeedCalls.measurements(at, nonce(at, 1), room)).as("unlocked").isZero();
      assertThat(SeedCalls.unbind(at)).isZero();
      assertThat(SeedCalls.measurements(at, nonce(at, 1), room)).isEqualTo(no(Errno.ENXIO));
    }
  }

  @Test
  void theBuffersAreCheckedInOrder() {
    try (AssignedEndpoint at = bound()) {
      int bytes = message(0).length;
      MemorySegment room = at.struct(bytes);
      MemorySegment nowhere = MemorySegment.ofAddress(8).reinterpret(bytes);
      MemorySegment little = at.struct(bytes - 1);
      assertThat(SeedCalls.measurements(at, at.struct(NONCE_BYTES - 1), nowhere))
          .isEqualTo(no(Errno.EINVAL));
      assertThat(SeedCalls.measurements(at, nowhere, little)).isEqualTo(no(Errno.EFAULT));
      assertThat(SeedCalls.measurements(at, nonce(at, 1), little)).isEqualTo(no(Errno.ENOSPC));
      assertThat(SeedCalls.measurements(at, nonce(at, 1), nowhere)).isEqualTo(no(Errno.EFAULT));
      assertThat(SeedCalls.measurements(at, nonce(at, 1), room)).isZero();
    }
  }

  @Test
  void theTsmCanRefuse() {
    try (AssignedEndpoint at = bound()) {
      MemorySegment room = at.struct(message(0).length);
      at.kernel.tsm().failNext(TsmErrors.Operation.MEASUREMENTS, Errno.EIO, false);
      assertThat(SeedCalls.measurements(at, nonce(at, 1), room)).isEqualTo(no(Errno.EIO));
      assertThat(at.state()).isEqualTo(TdiState.CONFIG_LOCKED);
      assertThat(SeedCalls.measurements(at, nonce(at, 1), room)).isZero();
    }
  }
}
