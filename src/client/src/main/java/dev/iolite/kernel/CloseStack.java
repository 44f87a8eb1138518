package dev.iolite.kernel;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Closes resources in the reverse of the order in which they were opened.
 *
 * <p>Each is closed even if others fail to close. The first failure is thrown, with the later ones
 * added to it as suppressed. Resources that failed to close stay on the stack and are tried again
 * when it is closed again. Not safe for use by several threads.
 */
public final class CloseStack implements AutoCloseable {
  /** Undoes one thing. */
  @FunctionalInterface
  public interface Undo {
    /** Undoes it. Called again until it does not fail. */
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
   * Hands everything over to a new stack, so that closing this one does nothing. Code that opens
   * several things pushes them onto a stack in a try statement, and calls this at its end: a
   * failure on the way closes whatever was opened until then.
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
    List<Undo> failed = new ArrayList<>();
    while (!undos.isEmpty()) {
      Undo next = undos.pop();
      try {
        next.run();
      } catch (RuntimeException | Error e) {
        failed.add(next);
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    undos.addAll(failed);
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
