package dev.iolite.tdi.profile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kvm.Exit;
import dev.iolite.mock.Platform;
import dev.iolite.mock.core.TdiNonces;
import dev.iolite.mock.kvm.GuestScript;
import dev.iolite.mock.kvm.TsmExits;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What scripted guests ask for, decoded from their exits, and that the answers reach them. */
class GuestRequestTest {
  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final long BDF = AssignedTdi.VIRTUAL_BDF;

  private final List<Long> answers = new ArrayList<>();
  private final List<String> requests = new ArrayList<>();

  static Stream<Arguments> models() {
    return Arrays.stream(Profile.values())
        .flatMap(profile ->
            Stream.of(Arguments.of(Platform.TDX, profile), Arguments.of(Platform.SEV, profile)));
  }

  /** Notes the request and answers with how many there were. */
  private boolean serve(UapiProfile profile, Exit exit) {
    return profile
        .request(exit)
        .map(request -> {
          requests.add(text(request));
          request.respond(-requests.size());
          return true;
        })
        .orElse(false);
  }

  private static String text(GuestRequest request) {
    return switch (request) {
      case GuestRequest.Bind(long bdf, _) -> "bind 0x%x".formatted(bdf);
      case GuestRequest.Unbind(long bdf, _) -> "unbind 0x%x".formatted(bdf);
      case GuestRequest.ValidateMmio(long bdf, long base, long top, long physical, int id, _) ->
          "validate 0x%x 0x%x 0x%x 0x%x %d".formatted(bdf, base, top, physical, id);
      case GuestRequest.SetState state ->
          "state 0x%x %d %s".formatted(state.virtualBdf(), state.number(), state.state());
      case GuestRequest.ReadReport(long bdf, long gpa, long bytes, _) ->
          "report 0x%x 0x%x 0x%x".formatted(bdf, gpa, bytes);
      case GuestRequest.ReadMeasurements(long bdf, long gpa, long bytes, _) ->
          "measurements 0x%x 0x%x 0x%x".formatted(bdf, gpa, bytes);
      case GuestRequest.MapGpa(long gpa, long bytes, boolean isPrivate, _) ->
          "map 0x%x 0x%x %s".formatted(gpa, bytes, isPrivate);
    };
  }

  @ParameterizedTest
  @MethodSource("models")
  void hypercallsAreDecodedAndAnswered(Platform platform, Profile profile) {
    GuestScript script =
        GuestScript.builder()
            .leave(TsmExits.bind(BDF, answers::add))
            .leave(TsmExits.validateMmio(BDF, 0x1000, 0x3000, 0x5000, 2, answers::add))
            .leave(TsmExits.setState(BDF, 2, answers::add))
            .leave(TsmExits.setState(BDF, 3, answers::add))
            .leave(TsmExits.readReport(BDF, 0x7000, 0x800, answers::add))
            .leave(TsmExits.readMeasurements(BDF, 0x8000, -1, answers::add))
            .leave(TsmExits.unbind(0xffff_ffffL, answers::add))
            .out(0x80, 1, 0)
            .build();
    try (AssignedTdi at = AssignedTdi.on(platform, profile, script)) {
      at.launch.finish();
      Exit last = at.launch.vcpu().run(DEADLINE, exit -> serve(at.profile, exit));
      assertThat(last).isInstanceOf(Exit.IoOut.class);
      assertThat(requests)
          .containsExactly(
              "bind 0x10",
              "validate 0x10 0x1000 0x3000 0x5000 2",
              "state 0x10 2 Optional[RUN]",
              "state 0x10 3 Optional.empty",
              "report 0x10 0x7000 0x800",
              "measurements 0x10 0x8000 0xffffffffffffffff",
              "unbind 0xffffffff");
      assertThat(answers).containsExactly(-1L, -2L, -3L, -4L, -5L, -6L, -7L);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void memoryIsMadePrivateAndShared(Platform platform) {
    GuestScript script =
        GuestScript.builder()
            .mapGpa(0x10_0000, 0x2000, true, answers::add)
            .mapGpa(0x10_0000, 0x1000, false, answers::add)
            .out(0x80, 1, 0)
            .build();
    try (AssignedTdi at = AssignedTdi.on(platform, Profile.SEED_2025, script)) {
      at.launch.finish();
      Exit last =
          at.launch
              .vcpu()
              .run(
                  DEADLINE,
                  exit ->
                      at.profile
                          .request(exit)
                          .map(request -> {
                            requests.add(text(request));
                            request.respond(0);
                            return true;
                          })
                          .orElse(false));
      assertThat(last).isInstanceOf(Exit.IoOut.class);
      assertThat(requests).containsExactly("map 0x100000 0x2000 true", "map 0x100000 0x1000 false");
      assertThat(answers).containsExactly(0L, 0L);
    }
  }

  @Test
  void aRealmsExitIsCcaV7sAlone() {
    GuestScript script =
        GuestScript.builder()
            .leave(
                TsmExits.validateMapping(
                    BDF, 0x1000, 0x3000, 0x5000, new TdiNonces(0, 0, 0), answers::add))
            .out(0x80, 1, 0)
            .build();
    try (AssignedTdi at = AssignedTdi.on(Platform.TDX, Profile.CCA_V7, script)) {
      at.launch.finish();
      Exit tio = at.launch.vcpu().run(DEADLINE);
      assertThat(tio).isInstanceOf(Exit.Other.class);
      assertThat(UapiProfile.of(Profile.V6, Arch.TDX).request(tio)).isEmpty();
      assertThat(serve(at.profile, tio)).isTrue();
      assertThat(requests).containsExactly("validate 0x10 0x1000 0x3000 0x5000 0");
      assertThat(at.launch.vcpu().run(DEADLINE)).isInstanceOf(Exit.IoOut.class);
      assertThat(answers).containsExactly(-1L);
    }
  }

  @Test
  void otherExitsAreTheCallers() {
    GuestScript script = GuestScript.builder().out(0x80, 1, 7).build();
    try (AssignedTdi at = AssignedTdi.on(Platform.SEV, Profile.SEED_2025, script)) {
      at.launch.finish();
      assertThat(at.profile.request(at.launch.vcpu().run(DEADLINE))).isEmpty();
    }
  }
}
