package dev.iolite.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The tests of a class, and those of the classes nested in it, share one host, which
 * {@code @BeforeAll} methods can take, too. What one test changes, such as a device's driver, the
 * next one finds.
 *
 * <p>Each test must then leave what was there before it, and the class nothing. Since it must be
 * clear whose a descriptor is, the tests can't run at the same time.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Documented
public @interface SharedHost {}
