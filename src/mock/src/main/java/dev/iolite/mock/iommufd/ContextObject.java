package dev.iolite.mock.iommufd;

/**
 * Something in a context that has an id (struct iommufd_object).
 *
 * <p>The table of ids counts as one of its users; an object can be destroyed while that is the only
 * one. Its operations are those of drivers/iommu/iommufd/main.c:iommufd_object_ops.
 */
abstract class ContextObject {
  private final IommufdFile context;
  private int id;
  private int users = 1;

  /** Makes an object without an id. */
  ContextObject(IommufdFile context) {
    this.context = context;
  }

  final IommufdFile context() {
    return context;
  }

  /** Its id; 0 before it has one. */
  public final int id() {
    return id;
  }

  final void setId(int id) {
    this.id = id;
  }

  /** Adds a user (refcount_inc of users). */
  final void get() {
    users++;
  }

  /** Removes a user; destroys nothing. */
  final void put() {
    users--;
  }

  /** Whether only the table of ids refers to it. */
  final boolean isUnused() {
    return users == 1;
  }

  /** What it is, in iommufd's words. */
  abstract String kind();

  /** For example {@code IOAS 2}. */
  @Override
  public final String toString() {
    return kind() + " " + id;
  }

  /** Undoes its creation, after its id is gone. */
  abstract void destroy();
}
