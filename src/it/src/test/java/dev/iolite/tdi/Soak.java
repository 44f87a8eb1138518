package dev.iolite.tdi;

import java.time.Duration;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Resolves a test's {@code Duration} parameter: {@code --config=iolite.minutes=60}. */
final class Soak implements ParameterResolver {
  private static final Duration USUAL = Duration.ofMinutes(1);

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == Duration.class;
  }

  @Override
  public Duration resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return context
        .getConfigurationParameter("iolite.minutes")
        .map(minutes -> Duration.ofMinutes(Long.parseLong(minutes)))
        .orElse(USUAL);
  }
}
