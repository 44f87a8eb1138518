import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.pitest.classpath.CodeSource;
import org.pitest.coverage.CoverageDatabase;
import org.pitest.coverage.TestInfo;
import org.pitest.mutationtest.build.DefaultTestPrioritiser;
import org.pitest.mutationtest.build.TestPrioritiser;
import org.pitest.mutationtest.build.TestPrioritiserFactory;

/**
 * Gives each change the tests that reach it, but only so many: a change that none of them notices
 * would take all, which are minutes where every assignment comes along. Each method comes first
 * with one of its invocations, then with another, and the fastest first.
 */
public final class FewTests implements TestPrioritiserFactory {
  private static final long MILLISECONDS = 5000;

  @Override
  public String description() {
    return "few tests for each change";
  }

  @Override
  public TestPrioritiser makeTestPrioritiser(
      Properties options, CodeSource code, CoverageDatabase coverage) {
    TestPrioritiser all = new DefaultTestPrioritiser(coverage);
    return change -> few(all.assignTests(change));
  }

  private static List<TestInfo> few(List<TestInfo> tests) {
    Map<String, Integer> seen = new HashMap<>();
    Map<Integer, List<TestInfo>> rounds = new TreeMap<>();
    for (TestInfo test : tests) {
      String method = test.getName().replaceFirst("/\\[test-template-invocation:.*", "");
      rounds.computeIfAbsent(seen.merge(method, 1, Integer::sum), _ -> new ArrayList<>()).add(test);
    }
    List<TestInfo> few = new ArrayList<>();
    long time = 0;
    for (TestInfo test : rounds.values().stream().flatMap(List::stream).toList()) {
      if (few.isEmpty() || time + test.getTime() <= MILLISECONDS) {
        few.add(test);
        time += test.getTime();
      }
    }
    return few;
  }
}
