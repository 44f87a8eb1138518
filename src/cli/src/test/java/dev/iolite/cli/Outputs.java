package dev.iolite.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.Map;

/** Output for tests of other packages. */
public final class Outputs {
  private Outputs() {}

  /** Lays out what a request asks for as the request describes it, and drops it. */
  public static Output dropped(Map<String, String> request) {
    return new Output(
        new PrintWriter(Writer.nullWriter()),
        Terminal.described(request),
        "json".equals(request.get("format"))
            ? CommonOptions.Format.JSON
            : CommonOptions.Format.TABLE);
  }
}
