package dev.iolite.kernel;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Resources that are closed in the reverse of the order in which they were opened.
 *
 * <p>Every one is closed whatever the others do: the first failure is thrown, the later ones are
 * suppressed onto it. Not safe for use by several threads.
 */
public final class CloseStack implements AutoCloseable {
  /** Undoes one thing. */
  @FunctionalInterface
  public interface Undo {
    /** Undoes it; called once. */
    void run();
  }

  private final Deque<Undo> undos = new ArrayDeque<>();

  /** Adds a resource and returns it. */
  public <T extends AutoCloseable> T push(T resource) {
    undos.push(() -> close(resource));
    return resource;
  }

  /** Adds something to be undone. */
  public void onClose(Undo undo) {
    undos.push(undo);
  }

  /**
   * Hands everything over to a new stack, so that closing this one does nothing. What opens several
   * things opens them onto a stack in a try statement, and ends that with this: a failure on the
   * way closes what was opened until then.
   */
  public CloseStack release() {
    CloseStack released = new CloseStack();
    released.undos.addAll(undos);
    undos.clear();
    return released;
  }

  @Override
  public void close() {
    Throwable first = null;
    while (!undos.isEmpty()) {
      try {
        undos.pop().run();
      } catch (RuntimeException | Error e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    switch (first) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case null, default -> {}
    }
  }

  private static void close(AutoCloseable resource) {
    try {
      resource.close();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("can't close " + resource, e);
    }
  }
}
