package dev.iolite.cli.held;

import dev.iolite.cli.ExitCode;
import dev.iolite.cli.Output;
import dev.iolite.tdi.TdiAssignment;
import java.time.Duration;
import java.util.Map;

/**
 * Answers those who watch a held assignment. A request has {@code seen}, the number of lines of
 * news that the watcher has; the answer comes when there are more, and has {@code news}, the new
 * {@code seen}, and {@code ended}. It is given by the watcher's own thread and makes no call, so
 * watching keeps no command waiting.
 */
public final class HeldWatch {
  /** The request's command. */
  public static final String COMMAND = "watch";

  /** A watcher that has gone is noticed when it does not take the next answer. */
  private static final Duration LONGEST = Duration.ofSeconds(10);

  private final HeldNews news;
  private final TdiAssignment assignment;

  /** Watches an assignment. */
  public HeldWatch(HeldNews news, TdiAssignment assignment) {
    this.news = news;
    this.assignment = assignment;
  }

  /** Waits for news, adds them to a reply, and returns what the answer has beside it. */
  public Map<String, String> answer(Map<String, String> request, HeldReply reply) {
    long seen = seen(request);
    news.await(seen, LONGEST);
    HeldNews.News told;
    synchronized (assignment) {
      told = news.await(seen, Duration.ZERO);
      show(told, reply);
    }
    return Map.of(
        "news", String.join("\n", told.more()),
        "seen", Long.toString(told.seen()),
        "ended", Boolean.toString(told.isEnded()));
  }

  private void show(HeldNews.News told, HeldReply reply) {
    Output output = reply.output();
    reply.say("news", told.more());
    if (!output.isJson()) {
      told.last().forEach(line -> output.wrapped(0, line));
      output.line("");
    }
    HeldState.show(reply, assignment);
    reply.end(COMMAND, ExitCode.OK, assignment);
  }

  private static long seen(Map<String, String> request) {
    try {
      return Math.max(0, Long.parseLong(request.getOrDefault("seen", "0")));
    } catch (NumberFormatException _) {
      return 0;
    }
  }
}
