package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.Task;

/** An array of driver-specific structs that a caller has passed (struct iommu_user_data_array). */
public final class UserDataArray {
  private final Task task;
  private final int type;
  private final long address;
  private final int entryBytes;
  private final int entries;
  private int handled;

  /**
   * Makes an array of which nothing has been read or handled.
   *
   * @param entryBytes the distance between its structs, at most a page
   * @param entries how many there are
   */
  UserDataArray(Task task, int type, long address, int entryBytes, int entries) {
    this.task = task;
    this.type = type;
    this.address = address;
    this.entryBytes = entryBytes;
    this.entries = entries;
  }

  /** The type that the caller states for its structs. */
  public int type() {
    return type;
  }

  /** How many structs there are. */
  public int entries() {
    return entries;
  }

  /** A struct of the array, to be read with its type. */
  public UserData entry(int index) {
    return new UserData(task, type, address + (long) index * entryBytes, entryBytes);
  }

  /**
   * How many structs the driver has handled. The caller is told this number even if the next one
   * failed.
   */
  public int handled() {
    return handled;
  }

  /** Sets how many structs the driver has handled. */
  public void setHandled(int count) {
    handled = count;
  }
}
