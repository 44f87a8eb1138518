package dev.iolite.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.device.Edu;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The token that the users of a physical function and its virtual functions share. */
class VfTokenTest {
  private static final String VIRTUAL = "0000:00:02.1";
  private static final String PHYSICAL = "0000:00:02.0";
  private static final Optional<UUID> TOKEN =
      Optional.of(UUID.fromString("bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3"));
  private static final Optional<UUID> OTHER =
      Optional.of(UUID.fromString("bd8d9d2b-5a5f-4f5a-a211-f591514ba1f4"));

  private final MockKernel kernel =
      MockKernel.builder()
          .machine(
              new Machine().function(PHYSICAL, Edu.model()).virtualFunctions(PHYSICAL, Edu.model()))
          .build();
  private Iommufd iommufd;

  @BeforeEach
  void makeFunctions() {
    DriverBinding.bind(device(PHYSICAL), "vfio-pci");
    SysFs sysFs = new SysFs(kernel);
    sysFs.write("/sys/module/vfio_pci/parameters/enable_sriov", "Y");
    sysFs.write(device(PHYSICAL).path() + "/sriov_numvfs", "1");
    iommufd = Iommufd.open(kernel);
  }

  @AfterEach
  void exit() {
    iommufd.close();
    kernel.close();
  }

  private PciDevice device(String address) {
    return new Pci(kernel).device(PciAddress.parse(address));
  }

  private BoundVfioDevice bind(String address, Optional<UUID> token) {
    VfioDevice unbound = VfioDevice.open(kernel, device(address).requireVfioCdev(), address);
    try {
      return unbound.bind(iommufd, token);
    } catch (KernelException e) {
      unbound.close();
      throw e;
    }
  }

  private KernelException refused(String address, Optional<UUID> token) {
    return catchThrowableOfType(KernelException.class, () -> bind(address, token));
  }

  @Test
  void aVirtualFunctionWantsTheTokenOfItsPhysicalOne() {
    // Nobody knows the token that the kernel has made up.
    assertThat(refused(VIRTUAL, TOKEN).errno()).isEqualTo(Errno.EACCES);
    try (BoundVfioDevice _ = bind(PHYSICAL, TOKEN)) {
      assertThat(refused(VIRTUAL, Optional.empty())).hasMessageContaining("no VF token was given");
      assertThat(refused(VIRTUAL, OTHER))
          .hasMessageContaining("the VF token that was given is another");
      bind(VIRTUAL, TOKEN).close();
    }
  }

  @Test
  void aPhysicalFunctionWantsTheTokenWhileAVirtualOneIsInUse() {
    bind(PHYSICAL, TOKEN).close();
    try (BoundVfioDevice _ = bind(VIRTUAL, TOKEN)) {
      assertThat(refused(PHYSICAL, Optional.empty()))
          .hasMessageContaining(
              "EACCES, because virtual functions of the device are in use, and no VF token was"
                  + " given");
      assertThat(refused(PHYSICAL, OTHER).errno()).isEqualTo(Errno.EACCES);
      bind(PHYSICAL, TOKEN).close();
    }
    // Now nobody is in the way of another token, and none changes nothing.
    bind(PHYSICAL, OTHER).close();
    bind(PHYSICAL, Optional.empty()).close();
    bind(VIRTUAL, OTHER).close();
  }
}
