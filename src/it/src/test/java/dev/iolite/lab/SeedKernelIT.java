package dev.iolite.lab;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** The tests of the private half, on the lab's kernel seed-2025. */
class SeedKernelIT {
  /** The stock kernel runs those tagged lab, and a hundred processes are killed on demand. */
  @TestFactory
  List<DynamicNode> onTheSeedsKernel() throws IOException, InterruptedException {
    return GuestRun.on("seed-2025", "standard", "--exclude-tag=lab", "--config=iolite.kills=3");
  }

  @TestFactory
  List<DynamicNode> withVirtualFunctions() throws IOException, InterruptedException {
    return GuestRun.on("seed-2025", "sriov");
  }
}
