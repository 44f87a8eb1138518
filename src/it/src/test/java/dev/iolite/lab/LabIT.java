package dev.iolite.lab;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** The tests that need the lab's devices, on its stock kernel. */
class LabIT {
  @TestFactory
  List<DynamicNode> onTheRealKernel() throws IOException, InterruptedException {
    return GuestRun.on("stock", "standard");
  }
}
