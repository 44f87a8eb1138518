package dev.iolite.junit;

import dev.iolite.mock.Platform;
import dev.iolite.tsm.Profile;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Describes the host on which a test runs, or each test of a class. A method's own description
 * replaces that of its class, and a nested class's that of the class around it. Without one, the
 * host is {@code MockKernel.plain()}.
 *
 * <p>A host with devices of your own has no annotation; see {@link MockHostExtension#of}.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Documented
public @interface Host {
  /** The platform, which decides how guests are protected. */
  Platform platform() default Platform.PLAIN;

  /** How TDIs are bound on the host: one profile, or none for the platform's usual one. */
  Profile[] profile() default {};

  /**
   * The file of a recorded machine, as {@code iolite record} prints it, relative to the directory
   * in which the tests run; none by default. Its platform and profile are the recording's.
   */
  String recording() default "";

  /** The seed of the TSM's choices, such as where interfaces report their memory. */
  long seed() default 0;
}
