package dev.iolite.steps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.MemFd;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciDevice;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What counts as held, on this machine's own kernel. */
class HoldingsTest {
  private final Kernel kernel = new HostKernel();

  private Holdings now() {
    List<PciDevice> devices = new Pci(kernel).devices();
    assumeFalse(devices.isEmpty(), "this machine has no PCI device");
    return Holdings.of(kernel, devices.getFirst().address());
  }

  @Test
  void whatTheRuntimeOpensForItselfIsNot(@TempDir Path directory)
      throws IOException, InterruptedException {
    Holdings before = now();
    var address = UnixDomainSocketAddress.of(directory.resolve("socket"));
    try (Selector selector = Selector.open();
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(address);
      Thread waits = Thread.ofVirtual().start(() -> acceptOne(server));
      try (SocketChannel client = SocketChannel.open(address)) {
        waits.join();
        assertThat(selector.isOpen() && client.isConnected()).isTrue();
        assertThat(now()).isEqualTo(before);
      }
    }
  }

  private static void acceptOne(ServerSocketChannel server) {
    try {
      server.accept().close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void whatIsOpenedHereIs() {
    Holdings before = now();
    try (EventFd event = EventFd.create(kernel);
        MemFd memory = MemFd.create(kernel, "held", 4096)) {
      assertThat(List.of(event.fd(), memory.fd())).hasSize(2);
      assertThat(now().descriptors())
          .hasSize(before.descriptors().size() + 2)
          .contains("anon_inode:[eventfd]");
    }
    assertThat(now()).isEqualTo(before);
  }
}
