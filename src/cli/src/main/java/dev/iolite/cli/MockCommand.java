package dev.iolite.cli;

import dev.iolite.mock.MockKernel;
import dev.iolite.mock.remote.MockHost;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code iolite mock}: models of hosts. */
@Command(
    name = "mock",
    description = "Serves models of hosts to other processes.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {MockCommand.ServeCommand.class, MockRunCommand.class})
final class MockCommand extends CommandGroup {
  /** {@code iolite mock serve}. */
  @Command(
      name = "serve",
      description = {
        "Serves a model of a host until it is ended (Ctrl-C). Other commands use it with --kernel"
            + " mock@SOCKET, one at a time.",
        "When a process that uses it ends, in whatever way, what it had open is closed; drivers and"
            + " TSM connections stay, as on a real host."
      })
  static final class ServeCommand extends IoliteCommand implements Callable<Integer> {
    private static final long LOOK_MILLIS = 100;

    @Parameters(index = "0", paramLabel = "SOCKET", description = "where to listen")
    private Path socket = Path.of("");

    @Parameters(
        index = "1",
        paramLabel = "MODEL",
        converter = ModelConverter.class,
        description =
            "mock:plain, mock:tdx or mock:sev, optionally with a profile, as for --kernel; or the"
                + " file of a recorded machine")
    private KernelChoice choice = KernelChoice.parse("mock:plain");

    @Override
    List<String> unusedOptions() {
      return List.of("--kernel", "--trace");
    }

    @Override
    public Integer call() throws InterruptedException {
      MockKernel.Builder description =
          choice
              .model()
              .orElseThrow(
                  () -> new ParameterException(spec().commandLine(), "only a model can be served"));
      try (MockHost host = MockHost.start(socket, description, text -> error("iolite: " + text))) {
        Output output = output();
        long pid = ProcessHandle.current().pid();
        if (output.isJson()) {
          output.json(Json.object("socket", socket.toString(), "pid", pid));
        } else {
          output.line("process " + pid + " serves; use it with --kernel mock@" + socket);
        }
        output.flush();
        while (!stopRequested().getAsBoolean() && !host.awaitClosed(LOOK_MILLIS)) {
          // It keeps serving.
        }
      }
      return ExitCode.OK;
    }
  }
}
