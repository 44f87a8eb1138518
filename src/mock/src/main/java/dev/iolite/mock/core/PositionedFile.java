package dev.iolite.mock.core;

/** A file with a position: a read or write continues where the last one ended. */
public abstract class PositionedFile extends OpenFile {
  private long position;

  /** Makes a file, positioned at its start. */
  protected PositionedFile(Task task) {
    super(task);
  }

  /** Where the next read or write begins, in bytes. */
  protected final long position() {
    return position;
  }

  /** Moves the position. */
  protected final long moveTo(long offset) {
    position = offset;
    return offset;
  }

  @Override
  public final long read(long address, long bytes) {
    long done = pread(address, bytes, position);
    position += done;
    return done;
  }

  @Override
  public final long write(long address, long bytes) {
    long done = pwrite(address, bytes, position);
    position += done;
    return done;
  }

  @Override
  public abstract long pread(long address, long bytes, long offset);

  @Override
  public abstract long pwrite(long address, long bytes, long offset);
}
