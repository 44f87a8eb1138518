package dev.iolite.contract;

import dev.iolite.cli.Coverage;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The contract on a backend: once all of it has run, the calls that it made are compared with what
 * the coverage claims.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(CoverageCheck.class)
@interface Covers {
  /** The backend. */
  Coverage.Backend value();
}
