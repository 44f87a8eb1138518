package dev.iolite.uapi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.catalog.Call;
import dev.iolite.uapi.catalog.DmaBufIoctls;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.catalog.SystemCalls;
import dev.iolite.uapi.catalog.VfioIoctls;
import java.io.IOException;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.module.ModuleDescriptor.Version;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Compares what {@code native-headers/calls} says about the ioctls with the kernel's headers. */
class CallTableTest {
  private static final List<String> HEADERS =
      List.of("vfio", "iommufd", "kvm", "dma-buf", "udmabuf");

  /** A macro, or what a comment says of one that is made with plain _IO. */
  private static final Pattern MACRO =
      Pattern.compile(
          "(\\w+)\\s+(?:-\\s+)?_IO(W|R|WR)\\([^,]+,[^,]+,\\s*(?:struct )?(\\w+)\\s*\\)");

  private static final Pattern COMMENT = Pattern.compile("struct (\\w+) - ioctl\\((\\w+)\\)");

  /** Of these the headers name no struct, one of another name, or a number of another type. */
  private static final Set<String> STRUCT_NOT_NAMED =
      Set.of(
          "IOMMU_OPTION",
          "IOMMU_IOAS_CHANGE_PROCESS",
          "KVM_MEMORY_ENCRYPT_OP",
          "KVM_REINJECT_CONTROL",
          "VFIO_DEVICE_QUERY_GFX_PLANE",
          "VFIO_GROUP_SET_CONTAINER",
          "VFIO_IOMMU_GET_INFO",
          "VFIO_IOMMU_MAP_DMA",
          "VFIO_IOMMU_UNMAP_DMA",
          "VFIO_MIG_GET_PRECOPY_INFO");

  /**
   * The kernel reads what it writes according to the headers (arch/x86/kvm/x86.c:kvm_arch_vm_ioctl,
   * drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_dirty_pages).
   */
  private static final Set<String> DIRECTION_WRONG =
      Set.of(
          "KVM_MEMORY_ENCRYPT_REG_REGION",
          "KVM_MEMORY_ENCRYPT_UNREG_REGION",
          "KVM_SET_IRQCHIP",
          "KVM_SET_PIT",
          "VFIO_IOMMU_DIRTY_PAGES");

  private record Said(String struct, String letters) {
    static final Said NOTHING = new Said("", "");

    Set<Call.Direction> directions() {
      return switch (letters) {
        case "R" -> EnumSet.of(Call.Direction.OUT);
        case "W" -> EnumSet.of(Call.Direction.IN);
        case "WR" -> EnumSet.of(Call.Direction.INOUT);
        default -> EnumSet.allOf(Call.Direction.class);
      };
    }
  }

  private static List<Ioctl> ioctls() {
    return Stream.of(VfioIoctls.all(), IommufdIoctls.all(), KvmIoctls.all(), DmaBufIoctls.all())
        .flatMap(List::stream)
        .toList();
  }

  @Test
  void theStructIsTheOneOfTheHeaders() throws IOException {
    Map<String, Said> headers = headers();
    assertThat(ioctls())
        .filteredOn(call -> call.argument().isPresent())
        .filteredOn(call -> !STRUCT_NOT_NAMED.contains(call.name()))
        .filteredOn(call ->
            !struct(call.argument().orElseThrow())
                .equals(headers.getOrDefault(call.name(), Said.NOTHING).struct()))
        .extracting(call -> call.name() + ": " + headers.get(call.name()))
        .isEmpty();
  }

  /** VFIO's structs begin with a size, which the kernel reads whatever the comment says. */
  @Test
  void theKernelReadsAndWritesWhatTheHeadersSay() throws IOException {
    Map<String, Said> headers = headers();
    assertThat(ioctls())
        .filteredOn(call -> !DIRECTION_WRONG.contains(call.name()))
        .filteredOn(call -> size(call) != 0 || call.direction() != Call.Direction.INOUT)
        .filteredOn(call ->
            !headers
                .getOrDefault(call.name(), Said.NOTHING)
                .directions()
                .contains(call.direction()))
        .extracting(call -> call.name() + " " + call.direction())
        .isEmpty();
  }

  @Test
  void theArgumentHasTheSizeThatIsInTheNumber() {
    assertThat(ioctls())
        .filteredOn(call -> size(call) != 0 && call.argument().isPresent())
        .filteredOn(call -> !call.name().equals("KVM_MEMORY_ENCRYPT_OP"))
        .filteredOn(call -> call.argument().orElseThrow().byteSize() != size(call))
        .extracting(Ioctl::name)
        .isEmpty();
  }

  private static long size(Ioctl call) {
    return call.number() >>> 16 & 0x3fff;
  }

  @Test
  void whatHasAStructIsReadOrWritten() {
    assertThat(ioctls())
        .filteredOn(call -> call.argument().isPresent())
        .filteredOn(call -> call.direction() == Call.Direction.NONE)
        .extracting(Ioctl::name)
        .isEmpty();
  }

  @Test
  void noCallIsNewerThanTheHeaders() throws IOException {
    Version headers =
        Version.parse(
            Files.readAllLines(Path.of("bindings/generated/GENERATED.properties")).stream()
                .filter(line -> line.startsWith("headers.version="))
                .map(line -> line.substring(line.indexOf('=') + 1))
                .findFirst()
                .orElseThrow());
    assertThat(Stream.<Call>concat(ioctls().stream(), SystemCalls.all().stream()))
        .filteredOn(call -> Version.parse(call.since().orElseThrow()).compareTo(headers) > 0)
        .extracting(Call::name)
        .isEmpty();
  }

  private static String struct(MemoryLayout layout) {
    return layout instanceof GroupLayout group
        ? group.name().orElseThrow()
        : "__u" + layout.byteSize() * Byte.SIZE;
  }

  private static Map<String, Said> headers() throws IOException {
    UapiHeaders headers = UapiHeaders.orSkip();
    Map<String, Said> said = new HashMap<>();
    for (String header : HEADERS) {
      String text =
          Files.readString(headers.headers().resolve("linux/" + header + ".h"))
              .replaceAll("\\\\?\\n( \\*)?\\s+", " ");
      for (MatchResult found : MACRO.matcher(text).results().toList()) {
        said.putIfAbsent(found.group(1), new Said(found.group(3), found.group(2)));
      }
      for (MatchResult found : COMMENT.matcher(text).results().toList()) {
        said.put(found.group(2), new Said(found.group(1), ""));
      }
    }
    return said;
  }
}
