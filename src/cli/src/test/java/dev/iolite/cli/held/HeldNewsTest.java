package dev.iolite.cli.held;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.cli.held.HeldNews.News;
import dev.iolite.tdi.State;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HeldNewsTest {
  private static final Duration LONG = Duration.ofDays(1);

  private final HeldNews news = new HeldNews();

  @Test
  void aReaderGetsWhatItHasNotSeen() {
    news.state(State.SHARED);
    assertThat(news.await(0, LONG).more()).singleElement().asString().endsWith("  now shared");
    news.remark("odd");
    News second = news.await(1, LONG);
    assertThat(second.more()).singleElement().asString().endsWith("  Note: odd");
    assertThat(second.last()).hasSize(2);
    assertThat(second.seen()).isEqualTo(2);
    assertThat(second.isEnded()).isFalse();
  }

  @Test
  void aReaderThatComesLateGetsTheLastLines() {
    for (int i = 0; i < 1000; i++) {
      news.add("line " + i);
    }
    News all = news.await(0, LONG);
    assertThat(all.more()).hasSize(200).first().asString().endsWith("  line 800");
    assertThat(all.last()).hasSize(8).last().asString().endsWith("  line 999");
    assertThat(all.seen()).isEqualTo(1000);
    assertThat(news.await(999, LONG).more()).hasSize(1);
  }

  @Test
  void aReaderWaitsForALineOrTheEnd() {
    CompletableFuture<News> line = CompletableFuture.supplyAsync(() -> news.await(0, LONG));
    news.add("a");
    assertThat(line.join().more()).hasSize(1);
    CompletableFuture<News> end = CompletableFuture.supplyAsync(() -> news.await(1, LONG));
    news.end();
    assertThat(end.join().isEnded()).isTrue();
    assertThat(end.join().more()).isEmpty();
  }

  @Test
  void waitingEnds() {
    assertThat(news.await(0, Duration.ofMillis(1)).seen()).isZero();
  }
}
