package dev.iolite.uapi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.catalog.UapiCatalog;
import dev.iolite.uapi.catalog.UapiConstant;
import dev.iolite.uapi.catalog.UapiField;
import dev.iolite.uapi.catalog.UapiString;
import dev.iolite.uapi.catalog.UapiStruct;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bindings have the sizes, offsets and values that gcc finds in the kernel's headers. */
class LayoutProofTest {

  @Test
  void everyStructFieldAndConstantIsAsTheKernelHasIt(@TempDir Path directory) throws Exception {
    LayoutProof proof = new LayoutProof(UapiHeaders.orSkip(), directory);
    int structs = 0;
    int fields = 0;
    int constants = 0;
    List<String> results = new ArrayList<>();
    List<String> complete = new ArrayList<>();
    for (String umbrella : UapiHeaders.PACKAGES) {
      String packageName = UapiHeaders.packageOf(umbrella);
      List<UapiStruct> itsStructs = structs(packageName);
      List<UapiConstant> itsConstants =
          UapiCatalog.constants().stream()
              .filter(c -> c.packageName().equals(packageName))
              .toList();
      List<UapiString> itsStrings =
          UapiCatalog.strings().stream().filter(s -> s.packageName().equals(packageName)).toList();
      int itsFields = itsStructs.stream().mapToInt(struct -> struct.fields().size()).sum();
      int rows = itsStructs.size() + 2 * itsFields + itsConstants.size() + itsStrings.size();

      results.addAll(proof.compare(umbrella, itsStructs, itsConstants, itsStrings));
      complete.add(rows + " compared");
      structs += itsStructs.size();
      fields += itsFields;
      constants += itsConstants.size() + itsStrings.size();
    }
    assertThat(results).as("differences, and how much was compared").isEqualTo(complete);
    System.out.printf(
        "Layout proof: %d structs, %d fields (offset and size) and %d constants compared with the"
            + " kernel's headers, no difference%n",
        structs, fields, constants);
    assertThat(structs).isGreaterThan(200);
    assertThat(fields).isGreaterThan(1900);
    assertThat(constants).isGreaterThan(1400);
  }

  @Test
  void aWrongSizeOffsetOrValueIsFound(@TempDir Path directory) throws Exception {
    LayoutProof proof = new LayoutProof(UapiHeaders.orSkip(), directory);
    UapiField flags = new UapiField("flags", 5, 2);
    UapiStruct wrong = new UapiStruct("vfio", "vfio_device_info", false, 25, List.of(flags));
    UapiConstant type = new UapiConstant("vfio", "VFIO_TYPE", '<');
    UapiString api = new UapiString("vfio", "VFIO_DEVICE_API_PCI_STRING", "vfio-pcie");

    assertThat(proof.compare("vfio", List.of(wrong), List.of(type), List.of(api)))
        .containsExactly(
            "sizeof struct vfio_device_info: kernel 24, binding 25",
            "offset of struct vfio_device_info.flags: kernel 4, binding 5",
            "size of struct vfio_device_info.flags: kernel 4, binding 2",
            "VFIO_TYPE: kernel 59, binding 60",
            "VFIO_DEVICE_API_PCI_STRING differs from vfio-pcie: kernel 1, binding 0",
            "5 compared");
  }

  @Test
  void aFlexibleArrayIsNotTakenForAnArrayWithElements(@TempDir Path directory) throws Exception {
    LayoutProof proof = new LayoutProof(UapiHeaders.orSkip(), directory);
    List<UapiField> fields = List.of(new UapiField("data", 20, 0), new UapiField("argsz", 0, 0));
    UapiStruct struct = new UapiStruct("vfio", "vfio_irq_set", false, 20, fields);

    assertThat(proof.compare("vfio", List.of(struct), List.of(), List.of()))
        .containsExactly("size of struct vfio_irq_set.argsz: kernel 4, binding 0", "5 compared");
  }

  private static List<UapiStruct> structs(String packageName) {
    return UapiCatalog.structs().stream()
        .filter(struct -> struct.packageName().equals(packageName))
        .toList();
  }
}
