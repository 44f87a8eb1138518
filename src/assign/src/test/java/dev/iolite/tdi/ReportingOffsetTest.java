package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.Platform;
import dev.iolite.tdi.layout.InterfaceReport;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tsm.Profile;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Where a TSM has an interface report its memory is the TSM's affair. */
class ReportingOffsetTest {
  private static final int LOCKS = 16;

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void whateverTheOffsetIsTheLayoutIsTheSame(Platform platform, Profile profile) {
    Set<Optional<MmioLayout>> layouts = new HashSet<>();
    Set<Long> places = new HashSet<>();
    for (int seed = 0; seed < LOCKS; seed++) {
      Life life = Life.ofSeed(platform, profile, seed);
      try (TdiAssignment assignment = life.knowingAssignment()) {
        assignment.assign();
        assignment.bind();
        layouts.add(assignment.layout());
        assignment
            .report()
            .map(bytes -> InterfaceReport.parse(MemorySegment.ofArray(bytes)))
            .ifPresent(report -> places.add(report.ranges().getFirst().firstPage()));
      }
      life.kernel.close();
    }
    assertThat(layouts).hasSize(1);
    if (profile != Profile.V6) {
      // Beyond a host's addresses (2^52) there are the huge and, as unsigned numbers, the negative.
      assertThat(places)
          .hasSizeGreaterThan(LOCKS / 2)
          .anyMatch(page -> page < (1L << 40))
          .anyMatch(page -> page > (1L << 50) && page < (3L << 50))
          .anyMatch(page -> page > (3L << 50));
    }
  }
}
