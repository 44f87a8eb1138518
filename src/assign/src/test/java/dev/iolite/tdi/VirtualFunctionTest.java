package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.nvme.Nvme;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import dev.iolite.tsm.Profile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An interface that is a virtual function: its PF has the connection to the TSM. */
class VirtualFunctionTest {
  private static final PciAddress PF = PciAddress.parse("0000:00:08.0");
  private static final String TSM = "tsm0";

  private final MockKernel kernel =
      MockKernel.builder()
          .platform(Platform.PLAIN)
          .profile(Profile.SEED_2025)
          .machine(
              new Machine()
                  .function(PF.toString(), Nvme.withVirtualFunctions("PF").takenForTee())
                  .driver(PF.toString(), "nvme")
                  .virtualFunctions(PF.toString(), virtualFunction()))
          .build();

  private final PciDevice pf = new Pci(kernel).device(PF);
  private final PciAddress vf = makeVirtualFunction();

  private static DeviceModel virtualFunction() {
    return DeviceModel.memory(
            DeviceShape.builder(0x1b36, 0x0010)
                .classCode(0x01_0802)
                .withoutInterruptPin()
                .bar(Bar.memory64(0, 16 << 10))
                .build())
        .takenForTee();
  }

  private PciAddress makeVirtualFunction() {
    new SysFs(kernel).write(pf.path() + "/sriov_numvfs", "1");
    return pf.virtualFunctions().getFirst().address();
  }

  private TdiAssignment assignment() {
    return new TdiAssignment(
        new AssignmentOptions(kernel, vf)
            .withVmType(VmType.SW_PROTECTED)
            .withProfile(Profile.SEED_2025));
  }

  @AfterEach
  void close() {
    kernel.close();
  }

  @Test
  void itIsBoundByTheConnectionOfItsPfWhichStays() {
    new Tsm(kernel).connect(pf, TSM);
    try (TdiAssignment assignment = assignment()) {
      assignment.assign();
      assertThat(assignment.obstacles()).isEmpty();
      assignment.bind();
      assignment.start();
      assertThat(assignment.state()).isEqualTo(State.RUNNING);
    }
    assertThat(pf.tsm().orElseThrow().connect()).contains(TSM);
  }

  @Test
  void beforeThatTheSharedHalfIsDone() {
    try (TdiAssignment assignment = assignment()) {
      assignment.assign();
      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertThat(assignment.obstacles())
          .containsExactly(vf + " has no tsm/ in sysfs before a TSM is connected to " + PF + ".");
    }
  }
}
