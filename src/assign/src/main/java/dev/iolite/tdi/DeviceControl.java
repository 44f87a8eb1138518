package dev.iolite.tdi;

import dev.iolite.tdi.bars.Revocations;
import dev.iolite.tdi.guest.ConfigPorts;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.host.ConfigWrite;
import dev.iolite.vfio.HotResetInfo;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Operations on the device itself that may make the kernel revoke its mappings. Slots and maps
 * follow.
 */
final class DeviceControl implements ConfigPorts.ConfigSpace {
  private final Lifecycle life;
  private final Revocations revocations;

  DeviceControl(Lifecycle life) {
    this.life = life;
    revocations = new Revocations(life.log());
  }

  boolean reset() {
    return revoking(Event.RESET, revocations::reset);
  }

  boolean hotReset() {
    life.allow(Event.HOT_RESET);
    Optional<HotResetInfo> set = Revocations.hotResetSet(life.device());
    return set.isPresent()
        && revoking(Event.HOT_RESET, device -> revocations.hotReset(device, set.get()));
  }

  boolean sleep() {
    return revoking(Event.SLEEP, revocations::sleep);
  }

  void wake() {
    life.allow(Event.WAKE);
    if (revocations.wake(life.device()) && life.state() == State.SHARED) {
      life.fire(Event.REVOKED);
    }
  }

  /**
   * Does something that makes the kernel revoke mappings. Where possible, nothing is mapped while
   * it does so.
   */
  private boolean revoking(Event event, Predicate<AssignedInterface> action) {
    life.allow(event);
    boolean done;
    try {
      life.fire(event);
      done = action.test(life.device());
    } catch (RuntimeException e) {
      life.then(e, Event.REVOKED);
      throw e;
    }
    if (done || life.state() == State.SHARED) {
      life.fire(Event.REVOKED);
    }
    return done;
  }

  @Override
  public int read(int offset, int bytes) {
    return life.device().readConfig(offset, bytes);
  }

  @Override
  public void write(int offset, int bytes, int value) {
    life.allow(Event.WRITE_CONFIG);
    ConfigWrite write = new ConfigWrite(life.device(), offset, bytes, value);
    boolean revokes = write.revokes();
    boolean changed;
    try {
      if (revokes) {
        life.fire(Event.WRITE_CONFIG);
      }
      write.make();
      changed = revokes || write.hasMoved() || (life.state().isBound() && write.hasCutOff());
    } catch (RuntimeException e) {
      life.then(e, Event.REVOKED);
      throw e;
    }
    if (changed) {
      life.fire(Event.REVOKED);
    }
  }
}
