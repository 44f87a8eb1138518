package dev.iolite.mock.core;

/** A file of the real kernel that the caller has opened, which no driver of the model can use. */
public final class CallerFile extends OpenFile {
  private final String name;

  /**
   * One that the caller has.
   *
   * @param name what its link in procfs holds
   */
  public CallerFile(Task task, String name) {
    super(task);
    this.name = name;
  }

  @Override
  public String name() {
    return name;
  }
}
