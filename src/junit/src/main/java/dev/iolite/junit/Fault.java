package dev.iolite.junit;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Faults;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Makes a call of the test fail. The test fails if it does not make that call: it would prove
 * nothing.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Repeatable(Fault.All.class)
@Documented
public @interface Fault {
  /**
   * The call: an ioctl, such as {@code IOMMU_IOAS_MAP}, of the headers or of the host's profile; or
   * a system call, such as {@code mmap}.
   */
  String call();

  /** Which of these calls, counted from 1 at the start of the test. */
  int nth() default 1;

  /** How it fails. */
  Errno errno();

  /** Whether it fails before it had an effect, or after. */
  Faults.When when() default Faults.When.BEFORE;

  /** Several faults of a test. */
  @Target(ElementType.METHOD)
  @Retention(RetentionPolicy.RUNTIME)
  @Documented
  @interface All {
    /** The faults. */
    Fault[] value();
  }
}
