package dev.iolite.contract;

import dev.iolite.cli.Coverage;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.remote.MockHost;
import dev.iolite.mock.remote.RemoteKernel;
import dev.iolite.tsm.Profile;
import java.nio.file.Path;

/**
 * A kernel that the contract is checked on.
 *
 * @param name how a skipped case calls it
 * @param kernel what answers
 * @param runsRealMode whether its processor runs real mode itself, or KVM must emulate it
 */
record Backend(String name, Kernel kernel, boolean runsRealMode) {
  /** An edu alone in its IOMMU group, without a driver. */
  static final String EDU = "0000:00:02.0";

  /** An NVMe controller alone in its IOMMU group; its driver has it. */
  static final String NVME = "0000:00:03.0";

  /** An edu without a driver whose group has a function that the host uses. */
  static final String GROUPED_EDU = "0000:01:01.0";

  /** Where the lab has an ivshmem, alone in its IOMMU group, without a driver. */
  static final String IVSHMEM = "0000:00:07.0";

  private static Kernel logged(Coverage.Backend backend, Kernel kernel) {
    return CallLog.of(backend).over(kernel);
  }

  /** The lab's real kernel, which this process runs on. */
  static Backend lab() {
    return new Backend("the lab", logged(Coverage.Backend.LAB, new HostKernel()), true);
  }

  /** The kernel of this machine, if it is not the lab: no device of it is touched. */
  static Backend host() {
    return new Backend("this host", logged(Coverage.Backend.HOST, new HostKernel()), false);
  }

  /** The model of the lab under its kernel seed-2025. */
  static Backend seedMock() {
    return new Backend(
        "the mock of seed-2025", MockKernel.builder().profile(Profile.SEED_2025).build(), true);
  }

  /** The model of the lab under its kernel v6. */
  static Backend v6Mock() {
    return new Backend("the mock of v6", MockKernel.builder().profile(Profile.V6).build(), true);
  }

  /** The model in a host that serves other processes over a socket; this one is its caller. */
  static Backend remoteMock(Path directory) {
    MockHost host = MockHost.start(directory.resolve("host"), MockKernel.builder());
    return new Backend("the mock behind a socket", RemoteKernel.connect(host.socket()), true);
  }

  /** The model, with a machine of its own. */
  static Backend mock() {
    return new Backend("the mock", logged(Coverage.Backend.MODEL, MockKernel.plain()), true);
  }
}
