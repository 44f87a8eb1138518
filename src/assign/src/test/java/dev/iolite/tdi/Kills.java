package dev.iolite.tdi;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Resolves a test's {@code int} parameter: how many processes it kills. Maven takes the number as
 * {@code -Diolite.kills=200}, {@code scripts/lab test} as {@code --config=iolite.kills=100}.
 */
final class Kills implements ParameterResolver {
  private static final int USUAL = 8;

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == int.class;
  }

  @Override
  public Integer resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return context.getConfigurationParameter("iolite.kills").map(Integer::valueOf).orElse(USUAL);
  }
}
