package dev.iolite.tdi.profile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.Platform;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.trace.TracedCall;
import dev.iolite.trace.TracingKernel;
import dev.iolite.trace.TracingKernel.Scope;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.catalog.Ioctls;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The proposals' calls in a trace, although their numbers are others' too. */
class ProfileTraceTest {
  private final List<TracedCall> calls = new ArrayList<>();

  @ParameterizedTest
  @CsvSource({
    "ARM_V5, IOMMU_VDEVICE_TSM_OP, 'type=1, flags=0, vdevice_id='",
    "V6, IOMMU_VDEVICE_TSM_REQ, 'op=2, tvm_arch=3, req_len=4'",
    "CCA_V7, IOMMU_VDEVICE_TSM_REQ, 'op=2, tvm_arch=3, req_len=4'",
    "INTEL_RFC_2025, VFIO_DEVICE_TSM_BIND, 'flags=0, vdevice_id='",
    "INTEL_RFC_2025, IOMMU_VDEVICE_TSM_GUEST_REQUEST, 'req_len=4, resp_len=0'",
    "SEED_2025, IOMMU_VDEVICE_TSM_OP, 'type=1, flags=0, vdevice_id='",
    "SEED_2025, IOMMU_VDEVICE_TSM_REQ, 'op=6, tvm_arch=3, req_len=0x20, resp_len=0x1000'",
    "ARM_V5, IOMMU_VDEVICE_TSM_REQ, 'scope=0, req_len=0x24, resp_len=0x1000'"
  })
  void theyHaveTheirNamesAndFields(Profile profile, String name, String fields) {
    UapiProfile client = UapiProfile.of(profile, Arch.TDX);
    Ioctls ioctls = Ioctls.ofHeaders().with(client.ioctls());
    try (AssignedTdi at =
            AssignedTdi.on(
                Platform.TDX,
                profile,
                kernel -> new TracingKernel(kernel, Scope.ALL, () -> ioctls, calls::add));
        TdiBinding binding = at.bindAndLock()) {
      if (client.operations().contains(TsmOperation.READ_MEASUREMENTS)) {
        binding.measurements(Measurements.freshNonce());
      }
      at.run(binding);
    }
    assertThat(calls)
        .filteredOn(call -> call.name().equals(name))
        .first()
        .satisfies(call -> assertThat(call.argument()).contains(fields));
    assertThat(calls)
        .as("no call is shown by its number")
        .noneMatch(call -> call.name().startsWith("0x"));
  }
}
