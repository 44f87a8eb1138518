package dev.iolite.junit;

import dev.iolite.kernel.Kernel;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.recording.Replay;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * Gives tests a model of Linux as a parameter, and fails a test that leaves something behind on it.
 *
 * <pre>{@code
 * @ExtendWith(MockHostExtension.class)
 * class MyDriverTest {
 *   @Test
 *   void theDeviceIsReset(Kernel kernel) { ... }
 * }
 * }</pre>
 *
 * <p>A parameter, of a test, of {@code @BeforeEach} and {@code @AfterEach} methods, or of the
 * constructor, is one of these:
 *
 * <ul>
 *   <li>{@link Kernel}, for the program that is tested; calls on it fail as each {@link Fault} says
 *   <li>{@link FaultyKernel}: the same, which also tells what has failed
 *   <li>{@link MockKernel}: the host below it, for driving devices and the TSM from outside
 * </ul>
 *
 * <p>Each test has a host of its own, as {@link Host} describes it, unless its class has {@link
 * SharedHost}. After the test and its {@code @AfterEach} methods, no descriptor may be open,
 * nothing may be mapped, and there may be no object: {@link MockKernel#held()} names what is left.
 * To test a program that is killed, call {@link MockKernel#exit()}, which closes what it held.
 */
public final class MockHostExtension
    implements ParameterResolver, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
  private static final String HOST = "host";

  private final Optional<Supplier<MockKernel.Builder>> description;
  private final Namespace namespace = Namespace.create(MockHostExtension.class, this);

  /** Gives tests the host that {@link Host} describes. JUnit calls this. */
  public MockHostExtension() {
    description = Optional.empty();
  }

  private MockHostExtension(Supplier<MockKernel.Builder> description) {
    this.description = Optional.of(description);
  }

  /**
   * Gives tests a host that no annotation can describe, such as one with devices of your own:
   *
   * <pre>{@code
   * @RegisterExtension
   * static final MockHostExtension HOST =
   *     MockHostExtension.of(() -> MockKernel.builder().machine(machine()));
   * }</pre>
   *
   * @param description describes a host; called for each one
   */
  public static MockHostExtension of(Supplier<MockKernel.Builder> description) {
    return new MockHostExtension(description);
  }

  @Override
  public ExtensionContextScope getTestInstantiationExtensionContextScope(
      ExtensionContext rootContext) {
    return ExtensionContextScope.TEST_METHOD;
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == Kernel.class || type == FaultyKernel.class || type == MockKernel.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    TestHost host = host(context);
    return parameter.getParameter().getType() == MockKernel.class ? host.model() : host.kernel();
  }

  private TestHost host(ExtensionContext context) {
    Optional<ExtensionContext> shared = sharing(context);
    if (shared.isPresent()) {
      return stored(shared.get());
    }
    if (context.getTestMethod().isEmpty()) {
      throw new ParameterResolutionException(
          "each test of %s has a host of its own, so there is none before a test begins; put @SharedHost on the class, or take the host in the test or in @BeforeEach"
              .formatted(context.getDisplayName()));
    }
    return stored(context);
  }

  private TestHost stored(ExtensionContext owner) {
    return owner
        .getStore(namespace)
        .getOrComputeIfAbsent(HOST, _ -> new TestHost(description(owner)), TestHost.class);
  }

  /** The outermost class around a test whose tests share a host; empty if none do. */
  private static Optional<ExtensionContext> sharing(ExtensionContext context) {
    Optional<ExtensionContext> found = Optional.empty();
    for (Optional<ExtensionContext> at = Optional.of(context);
        at.isPresent();
        at = at.get().getParent()) {
      ExtensionContext here = at.get();
      boolean isShared =
          here.getTestMethod().isEmpty()
              && AnnotationSupport.isAnnotated(here.getTestClass(), SharedHost.class);
      found = isShared ? at : found;
    }
    return found;
  }

  private MockKernel.Builder description(ExtensionContext owner) {
    Optional<Host> annotation = annotation(owner);
    if (description.isEmpty()) {
      return annotation.map(MockHostExtension::described).orElseGet(MockKernel::builder);
    }
    if (annotation.isPresent()) {
      throw new ExtensionConfigurationException(
          "%s has @Host and an extension that describes a host itself; remove one of them"
              .formatted(owner.getDisplayName()));
    }
    return description.get().get();
  }

  /** The description that is nearest to a test. */
  private static Optional<Host> annotation(ExtensionContext owner) {
    for (Optional<ExtensionContext> at = Optional.of(owner);
        at.isPresent();
        at = at.get().getParent()) {
      Optional<Host> found = AnnotationSupport.findAnnotation(at.get().getElement(), Host.class);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static MockKernel.Builder described(Host host) {
    if (!host.recording().isEmpty()) {
      if (host.profile().length > 0 || host.platform() != Platform.PLAIN) {
        throw new ExtensionConfigurationException(
            "@Host names a recording, which has a platform and a profile, and another one");
      }
      return recorded(Path.of(host.recording())).seed(host.seed());
    }
    MockKernel.Builder builder = MockKernel.builder().platform(host.platform()).seed(host.seed());
    return switch (host.profile().length) {
      case 0 -> builder;
      case 1 -> builder.profile(host.profile()[0]);
      default ->
          throw new ExtensionConfigurationException(
              "@Host names %d profiles; a host has one".formatted(host.profile().length));
    };
  }

  private static MockKernel.Builder recorded(Path file) {
    try {
      return Replay.of(file);
    } catch (IOException e) {
      throw new ExtensionConfigurationException(
          "the recording %s can't be read; the tests run in %s"
              .formatted(file, Path.of("").toAbsolutePath()),
          e);
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    List<Fault> faults =
        AnnotationSupport.findRepeatableAnnotations(context.getElement(), Fault.class);
    TestHost host = host(context);
    List<String> before = sharing(context).isPresent() ? host.model().held() : List.of();
    host.begin(context.getUniqueId(), context.getDisplayName(), before, faults);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    require(host(context).end(context.getUniqueId()), context);
  }

  @Override
  public void afterAll(ExtensionContext context) {
    if (sharing(context).filter(context::equals).isPresent()) {
      List<String> left = host(context).model().held();
      require(left.stream().map(what -> "left behind: " + what).toList(), context);
    }
  }

  private static void require(List<String> problems, ExtensionContext context) {
    if (!problems.isEmpty()) {
      throw new AssertionError(context.getDisplayName() + ":\n  " + String.join("\n  ", problems));
    }
  }
}
