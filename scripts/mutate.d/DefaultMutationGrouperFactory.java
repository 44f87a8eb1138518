package org.pitest.mutationtest.build;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import org.pitest.classpath.CodeSource;
import org.pitest.mutationtest.engine.MutationDetails;

/**
 * Gives a JVM the changes of several classes, one after the other. PIT starts one for each class,
 * which then takes longer to warm up than to test. PIT knows no other way to say so: this takes the
 * place of its class of the same name.
 */
public final class DefaultMutationGrouperFactory implements MutationGrouperFactory {
  private static final int MOST = 50;
  private static final int FOR_EACH_THREAD = 3;

  @Override
  public String description() {
    return "large groups of changes";
  }

  @Override
  public MutationGrouper makeFactory(Properties options, CodeSource code, int threads, int size) {
    return (classes, changes) -> groups(changes, threads * FOR_EACH_THREAD);
  }

  private static List<List<MutationDetails>> groups(
      Collection<MutationDetails> changes, int number) {
    List<MutationDetails> all = new ArrayList<>(changes);
    all.sort(Comparator.comparing(MutationDetails::getClassName));
    int size = Math.clamp(all.size() / number, 1, MOST);
    List<List<MutationDetails>> groups = new ArrayList<>();
    for (int i = 0; i < all.size(); i += size) {
      groups.add(List.copyOf(all.subList(i, Math.min(i + size, all.size()))));
    }
    return groups;
  }
}
