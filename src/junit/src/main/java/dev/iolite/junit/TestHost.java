package dev.iolite.junit;

import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.catalog.Ioctls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;

/** A host, and the test that runs on it. */
final class TestHost implements AutoCloseable {
  private final MockKernel model;
  private final Ioctls ioctls;
  private final Faults plan = Faults.none();
  private final FaultyKernel kernel;
  private Optional<Turn> turn = Optional.empty();

  /**
   * A test's time on the host.
   *
   * @param id the test's unique id
   * @param name what it is called
   * @param before what was held when it began
   */
  private record Turn(String id, String name, List<String> before, List<PlannedFault> faults) {}

  TestHost(MockKernel.Builder description) {
    model = description.build();
    ioctls = Ioctls.ofHeaders().with(model.profile().ioctls());
    kernel = new FaultyKernel(model, ioctls, plan);
  }

  /** The host itself. */
  MockKernel model() {
    return model;
  }

  /** The host as the test's program sees it: calls fail as planned. */
  FaultyKernel kernel() {
    return kernel;
  }

  /**
   * A test begins.
   *
   * @param before what it may leave behind
   */
  synchronized void begin(String id, String name, List<String> before, List<Fault> faults) {
    turn.ifPresent(other -> {
      throw new ExtensionConfigurationException(
          "%s begins on the host that %s still uses, so neither could be told what it leaves behind; run the tests of a class with @SharedHost one after the other, with @Execution(SAME_THREAD)"
              .formatted(name, other.name()));
    });
    List<PlannedFault> planned = new ArrayList<>();
    faults.forEach(fault -> planned.add(PlannedFault.add(fault, ioctls, plan)));
    turn = Optional.of(new Turn(id, name, before, planned));
  }

  /**
   * A test has ended.
   *
   * @return what is wrong: what it has left behind, and the faults that have not happened; nothing
   *     for a test that could not begin
   */
  synchronized List<String> end(String id) {
    Optional<Turn> ended = turn.filter(current -> current.id().equals(id));
    if (ended.isEmpty()) {
      return List.of();
    }
    turn = Optional.empty();
    List<String> left = new ArrayList<>(model.held());
    left.removeAll(ended.get().before());
    return Stream.concat(
            left.stream().map(what -> "left behind: " + what),
            ended.get().faults().stream().flatMap(fault -> fault.end().stream()))
        .toList();
  }

  @Override
  public void close() {
    model.close();
  }
}
