package dev.iolite.tdi.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.VfioUser;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.tsmintelrfc2025.TsmIntelRfc2025;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Which profile a model has, found without being told. */
class ProfileProbeTest {
  private static final String DEVICE = "0000:00:07.0";

  static Stream<Arguments> models() {
    return Stream.of(Platform.values())
        .flatMap(platform ->
            Arrays.stream(Profile.values()).map(profile -> Arguments.of(platform, profile)));
  }

  private static ProfileProbe.Found probe(MockKernel model) {
    try (VfioUser user = new VfioUser(model, DEVICE)) {
      return ProfileProbe.probe(user.iommufd(), user.device());
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void everyModelsProfileIsFound(Platform platform, Profile profile) {
    try (MockKernel model = MockKernel.builder().platform(platform).profile(profile).build()) {
      assertThat(probe(model).profile()).hasToString(profile.toString());
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void numbersOfThe73AreNotSentAndNothingSucceeds(Platform platform, Profile profile) {
    MockKernel model = MockKernel.builder().platform(platform).profile(profile).build();
    List<Long> numbers = new ArrayList<>();
    List<Integer> results = new ArrayList<>();
    var noting =
        new ForwardingKernel(model) {
          @Override
          public int ioctl(int fd, long request, long argument) {
            int result = super.ioctl(fd, request, argument);
            numbers.add(request);
            results.add(result);
            return result;
          }
        };
    try (VfioUser user = new VfioUser(noting, DEVICE)) {
      numbers.clear();
      results.clear();
      ProfileProbe.probe(user.iommufd(), user.device());
      assertThat(numbers)
          .isNotEmpty()
          .doesNotContain(
              (long) Iommufd.IOMMU_IOAS_NOIOMMU_GET_PA(), (long) Iommufd.IOMMU_HW_QUEUE_ALLOC())
          .allMatch(number ->
              number > Iommufd.IOMMU_IOAS_NOIOMMU_GET_PA()
                  || number == TsmIntelRfc2025.VFIO_DEVICE_TSM_BIND());
      assertThat(results).allMatch(result -> result < 0);
    }
  }

  @Test
  void theCallsAreTold() {
    try (MockKernel model = MockKernel.plain()) {
      assertThat(probe(model).calls())
          .containsExactly(
              "iommufd 0x3b99 of 0 bytes: ENOTTY",
              "iommufd 0x3b97 of 0 bytes: ENOTTY",
              "iommufd 0x3b96 of 0 bytes: ENOTTY",
              "VFIO device 0x3b7a of 0 bytes: ENOTTY");
    }
  }

  @Test
  void aProfileThatTheKernelDoesNotHaveIsRefused() {
    try (MockKernel model = MockKernel.plain();
        VfioUser user = new VfioUser(model, DEVICE)) {
      ProfileProbe.require(Profile.MAINLINE_7_3, user.iommufd(), user.device());
      assertThatThrownBy(() -> ProfileProbe.require(Profile.ARM_V5, user.iommufd(), user.device()))
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("use the UAPI profile arm-v5: the kernel has mainline-7.3")
          .hasMessageContaining("0x95, by which it binds, is IOMMU_IOAS_NOIOMMU_GET_PA");
      assertThatThrownBy(() -> ProfileProbe.require(Profile.V6, user.iommufd(), user.device()))
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("another revision");
    }
    try (MockKernel model =
            MockKernel.builder().platform(Platform.TDX).profile(Profile.ARM_V5).build();
        VfioUser user = new VfioUser(model, DEVICE)) {
      ProfileProbe.require(Profile.ARM_V5, user.iommufd(), user.device());
    }
  }
}
