package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.cli.Coverage;
import dev.iolite.cli.Coverage.Ended;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Compares what the coverage claims of a backend with the calls that the contract made there. A run
 * of a part of the contract is not compared. With the parameter {@code iolite.coverage}, the name
 * of a directory, the calls are written into it, and {@code scripts/coverage} makes the claims from
 * it.
 */
final class CoverageCheck implements BeforeAllCallback, AfterAllCallback {
  private static final String DIRECTORY = "iolite.coverage";

  private final Set<Class<?>> ran = new HashSet<>();

  @Override
  public void beforeAll(ExtensionContext context) {
    ran.add(context.getRequiredTestClass());
  }

  @Override
  public void afterAll(ExtensionContext context) throws IOException {
    Class<?> suite = context.getRequiredTestClass();
    Covers covers = suite.getAnnotation(Covers.class);
    if (covers == null || !ran.containsAll(parts(suite))) {
      return;
    }
    Coverage.Backend backend = covers.value();
    Map<String, Ended> seen = CallLog.of(backend).ended();
    Optional<String> directory = context.getConfigurationParameter(DIRECTORY);
    if (directory.isPresent()) {
      Files.write(
          Files.createDirectories(Path.of(directory.orElseThrow())).resolve(backend.name()),
          seen.entrySet().stream().map(e -> e.getKey() + " " + e.getValue()).toList());
      return;
    }
    if (backend == Coverage.Backend.HOST) {
      // What its KVM can do differs from machine to machine.
      return;
    }
    Map<String, Ended> claimed =
        Coverage.read().rows().stream()
            .collect(
                Collectors.toMap(
                    row -> row.descriptor() + " " + row.call(), row -> row.on(backend)));
    assertThat(claimed)
        .as("what the coverage says of %s; scripts/coverage makes it anew", backend)
        .allSatisfy((call, ended) ->
            assertThat(seen.getOrDefault(call, Ended.NO)).as(call).isEqualTo(ended));
  }

  private static Set<Class<?>> parts(Class<?> suite) {
    return Stream.of(suite.getDeclaredClasses())
        .filter(inner -> inner.isAnnotationPresent(Nested.class))
        .collect(Collectors.toSet());
  }
}
