package dev.iolite.mock.core;

import dev.iolite.uapi.libc.Libc;

/** A fence as a file, already signalled (drivers/dma-buf/sync_file.c). */
final class SyncFile extends OpenFile {
  SyncFile(Task task) {
    super(task);
  }

  /** Whether the descriptor refers to such a file. */
  static boolean is(Task task, int fd) {
    try {
      return task.descriptors().get(fd, SyncFile.class).isPresent();
    } catch (Refused e) {
      return false;
    }
  }

  @Override
  public String name() {
    return "anon_inode:sync_file";
  }

  @Override
  public int poll() {
    return Libc.POLLIN();
  }
}
