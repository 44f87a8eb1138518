package dev.iolite.passthrough;

import dev.iolite.mock.Faults;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.remote.MockHost;
import dev.iolite.mock.remote.RemoteKernel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** The scenario, unchanged, on a model that is served over a socket. */
class PassthroughRemoteTest extends PassthroughSuite {
  private final MockHost host;
  private final RemoteKernel process;

  PassthroughRemoteTest(@TempDir Path directory) {
    MockHost started = MockHost.start(directory.resolve("host"), MockKernel.builder());
    RemoteKernel connected = RemoteKernel.connect(started.socket());
    super(connected, List.of(Faults.When.values()));
    host = started;
    process = connected;
  }

  @AfterEach
  void end() {
    process.close();
    host.close();
  }
}
