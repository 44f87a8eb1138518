package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The objects of a context by id (the xarray of struct iommufd_ctx): the lowest free id from 1 on
 * is used first. An id can be taken without an object: while an object is being made, and
 * permanently where a device took its vDEVICE with it.
 */
final class ObjectTable {
  private static final int FIRST = 1;

  private @Nullable ContextObject[] objects = new ContextObject[16];
  private final BitSet taken = new BitSet();
  private int lowestFree = FIRST;

  /** Takes an id for an object that can't be found yet (main.c:_iommufd_object_alloc). */
  void allocate(ContextObject object) {
    int id = taken.nextClearBit(lowestFree);
    refuseIf(id == Integer.MAX_VALUE, Errno.EBUSY);
    taken.set(id);
    lowestFree = id + 1;
    object.setId(id);
  }

  /** Makes an object available to lookups (main.c:iommufd_object_finalize). */
  void publish(ContextObject object) {
    if (object.id() >= objects.length) {
      objects = Arrays.copyOf(objects, Math.max(object.id() + 1, 2 * objects.length));
    }
    objects[object.id()] = object;
  }

  /** Frees the id of an object that was not published (main.c:iommufd_object_abort). */
  void abort(ContextObject object) {
    free(object.id());
  }

  private void free(int id) {
    taken.clear(id);
    lowestFree = Math.min(lowestFree, id);
  }

  /** The objects that can be found, by id. */
  List<ContextObject> all() {
    return Arrays.stream(objects).flatMap(Stream::ofNullable).toList();
  }

  /** Whether no id is taken (xa_empty). */
  boolean isEmpty() {
    return taken.isEmpty();
  }

  /** The end of the ids: one more than the highest. */
  int end() {
    return objects.length;
  }

  /** The object with an id; null if there is none. */
  @Nullable ContextObject find(int id) {
    return id > 0 && id < objects.length ? objects[id] : null;
  }

  /**
   * The object with an id, of a kind (main.c:iommufd_get_object).
   *
   * @throws dev.iolite.mock.core.Refused ENOENT
   */
  <T extends ContextObject> T get(int id, Class<T> kind) {
    ContextObject object = find(id);
    if (!kind.isInstance(object)) {
      throw refused(Errno.ENOENT);
    }
    return kind.cast(object);
  }

  /**
   * Destroys the object if nothing refers to it (main.c:iommufd_object_remove).
   *
   * @throws dev.iolite.mock.core.Refused ENOENT, EBUSY
   */
  void destroy(int id) {
    ContextObject object = find(id);
    if (object == null) {
      throw refused(Errno.ENOENT);
    }
    refuseIf(!object.isUnused(), Errno.EBUSY);
    remove(object, false);
  }

  /** Destroys the object if nothing else refers to it (iommufd_object_put_and_try_destroy). */
  void putAndTryDestroy(ContextObject object) {
    object.put();
    if (object.isUnused()) {
      remove(object, false);
    }
  }

  /** Destroys an object whose last user is the caller (iommufd_object_destroy_user). */
  void destroyUser(ContextObject object) {
    object.put();
    remove(object, false);
  }

  /** Destroys the object and never reuses its id (iommufd_object_tombstone_user). */
  void tombstone(ContextObject object) {
    remove(object, true);
  }

  private void remove(ContextObject object, boolean keepId) {
    objects[object.id()] = null;
    if (!keepId) {
      free(object.id());
    }
    object.destroy();
  }

  /** Destroys everything, leaves first (main.c:iommufd_fops_release). */
  void destroyAll() {
    boolean again = true;
    while (again) {
      again = false;
      for (int id = FIRST; id < objects.length; id++) {
        ContextObject object = objects[id];
        if (object != null && object.isUnused()) {
          remove(object, false);
          again = true;
        }
      }
    }
  }
}
