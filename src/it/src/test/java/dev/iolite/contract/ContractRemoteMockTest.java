package dev.iolite.contract;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Nested;

/** The part of the contract that is about the caller's memory, on the model behind a socket. */
class ContractRemoteMockTest {
  private static Backend backend() {
    try {
      Path directory = Files.createTempDirectory("contract");
      directory.toFile().deleteOnExit();
      return Backend.remoteMock(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Nested
  class File extends FileContract {
    File() {
      super(backend());
    }
  }

  @Nested
  class IommufdIoas extends IommufdIoasContract {
    IommufdIoas() {
      super(backend());
    }
  }

  @Nested
  class VfioDma extends VfioDmaContract {
    VfioDma() {
      super(backend());
    }
  }

  @Nested
  class KvmVcpu extends KvmVcpuContract {
    KvmVcpu() {
      super(backend());
    }
  }
}
