package dev.iolite.mock.door;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * Signals that are sent to this process and meant for the program. Java has no public interface for
 * them; this is that of jdk.unsupported, by reflection because javac warns about each use, and
 * can't be told not to.
 */
final class PassedSignals implements AutoCloseable {
  /** SIGUSR2 is the JVM's own. One that was ignored when the JVM started stays so, as by nohup. */
  private static final List<String> NAMES = List.of("TERM", "HUP", "USR1");

  private final Class<?> signal;
  private final Method handle;
  private final Map<Object, Object> before = new HashMap<>();

  /**
   * Takes them from now on.
   *
   * @param pass takes the number of one; called in a thread of its own
   */
  PassedSignals(IntConsumer pass) {
    try {
      signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      handle = signal.getMethod("handle", signal, handler);
      Method number = signal.getMethod("getNumber");
      Object passing =
          Proxy.newProxyInstance(
              handler.getClassLoader(),
              new Class<?>[] {handler},
              (_, _, arguments) -> {
                pass.accept((int) number.invoke(arguments[0]));
                return null;
              });
      for (String name : NAMES) {
        Object each = signal.getConstructor(String.class).newInstance(name);
        before.put(each, handle.invoke(null, each, passing));
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("signals can't be taken", e);
    }
  }

  /** They do again what they did before. */
  @Override
  public void close() {
    before.forEach((each, handler) -> {
      try {
        handle.invoke(null, each, handler);
      } catch (IllegalAccessException | InvocationTargetException e) {
        throw new IllegalStateException("signals can't be given back", e);
      }
    });
    before.clear();
  }
}
