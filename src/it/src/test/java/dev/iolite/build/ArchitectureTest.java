package dev.iolite.build;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.pci.EduRegs;
import dev.iolite.pci.PciRegs;
import dev.iolite.tdi.AssignmentListener;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.Event;
import dev.iolite.tdi.Stage;
import dev.iolite.tdi.State;
import dev.iolite.tdi.TdiStep;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The floors of the house: a package uses only what lies below it. */
class ArchitectureTest {
  private static final JavaClasses CODE =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("dev.iolite");

  @Test
  void nothingReachesUpwards() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("uapi")
        .definedBy("dev.iolite.uapi..")
        .layer("kernel")
        .definedBy("dev.iolite.kernel..")
        .layer("ipc")
        .definedBy("dev.iolite.ipc..")
        .layer("tsm")
        .definedBy("dev.iolite.tsm..")
        .layer("trace")
        .definedBy("dev.iolite.trace..")
        .layer("mock")
        .definedBy("dev.iolite.mock..")
        .layer("junit")
        .definedBy("dev.iolite.junit..")
        .layer("testcontainers")
        .definedBy("dev.iolite.testcontainers..")
        .layer("pci")
        .definedBy("dev.iolite.pci..")
        .layer("descriptors")
        .definedBy(
            "dev.iolite.vfio..", "dev.iolite.iommufd..", "dev.iolite.kvm..", "dev.iolite.dmabuf..")
        .layer("steps")
        .definedBy("dev.iolite.steps..")
        .layer("scenarios")
        .definedBy("dev.iolite.passthrough..", "dev.iolite.doctor..", "dev.iolite.tdi..")
        .layer("rehearsal")
        .definedBy("dev.iolite.rehearsal..")
        .layer("vmm")
        .definedBy("dev.iolite.vmm..")
        .layer("cli")
        .definedBy("dev.iolite.cli..")
        .whereLayer("uapi")
        .mayNotAccessAnyLayer()
        .whereLayer("kernel")
        .mayOnlyAccessLayers("uapi")
        .whereLayer("ipc")
        .mayOnlyAccessLayers("kernel", "uapi")
        .whereLayer("tsm")
        .mayOnlyAccessLayers("uapi")
        .whereLayer("trace")
        .mayOnlyAccessLayers("kernel", "uapi")
        .whereLayer("mock")
        .mayOnlyAccessLayers("tsm", "pci", "ipc", "kernel", "uapi")
        .whereLayer("junit")
        .mayOnlyAccessLayers("mock", "tsm", "kernel", "uapi")
        .whereLayer("testcontainers")
        .mayNotAccessAnyLayer()
        .whereLayer("pci")
        .mayOnlyAccessLayers("kernel", "uapi")
        .whereLayer("descriptors")
        .mayOnlyAccessLayers("pci", "kernel", "uapi")
        .whereLayer("steps")
        .mayOnlyAccessLayers("descriptors", "pci", "trace", "kernel", "uapi")
        .whereLayer("scenarios")
        .mayOnlyAccessLayers("steps", "descriptors", "pci", "trace", "tsm", "ipc", "kernel", "uapi")
        .whereLayer("rehearsal")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("vmm")
        .mayOnlyAccessLayers("descriptors", "pci", "kernel", "uapi")
        .whereLayer("cli")
        .mayNotBeAccessedByAnyLayer()
        .check(CODE);
  }

  /** But a VFIO device is bound to an iommufd, and its configuration space is PCI's. */
  @Test
  void theKindsOfDescriptorDoNotKnowOneAnother() {
    Map<String, List<String>> others =
        Map.of(
            "vfio", List.of("kvm", "dmabuf"),
            "iommufd", List.of("vfio", "kvm", "dmabuf", "pci"),
            "kvm", List.of("vfio", "iommufd", "dmabuf", "pci"),
            "dmabuf", List.of("vfio", "iommufd", "kvm", "pci"),
            "pci", List.of("vfio", "iommufd", "kvm", "dmabuf"));
    others.forEach((room, forbidden) -> checkForbidden("dev.iolite.", room, forbidden));
  }

  private static void checkForbidden(String house, String room, List<String> forbidden) {
    noClasses()
        .that()
        .resideInAPackage(house + room)
        .should()
        .dependOnClassesThat(
            resideInAnyPackage(
                forbidden.stream().map(other -> house + other).toArray(String[]::new)))
        .check(CODE);
  }

  /**
   * What a plan is made of makes no call, nor does evidence: all can be tested without a kernel.
   */
  @Test
  void layoutsPlansAndEvidenceMakeNoCalls() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "dev.iolite.tdi.evidence..",
            "dev.iolite.tdi.layout..",
            "dev.iolite.tdi.ledger..",
            "dev.iolite.tdi.plan..")
        .should()
        .dependOnClassesThat()
        .areAssignableTo(Kernel.class)
        .check(CODE);
  }

  /**
   * The rooms of an assignment know its words, but not what carries it out, and none of them knows
   * one above it.
   */
  @Test
  void theRoomsOfAnAssignmentDoNotKnowIt() {
    List<String> upwards =
        Stream.of("journal", "host", "bars", "guest", "requests")
            .map("dev.iolite.tdi."::concat)
            .toList();
    for (String room : upwards) {
      List<String> above = upwards.subList(upwards.indexOf(room) + 1, upwards.size());
      noClasses()
          .that()
          .resideInAPackage(room)
          .should()
          .dependOnClassesThat(resideInAnyPackage(above.toArray(String[]::new)))
          .check(CODE);
    }
    noClasses()
        .that()
        .resideInAnyPackage(upwards.toArray(String[]::new))
        .should()
        .dependOnClassesThat(
            resideInAPackage("dev.iolite.tdi")
                .and(
                    not(
                        belongToAnyOf(
                            AssignmentListener.class,
                            AssignmentOptions.class,
                            Event.class,
                            Stage.class,
                            State.class,
                            TdiStep.class))))
        .check(CODE);
  }

  /** The calls of a Kernel, and those with which a program is started and its calls answered. */
  @Test
  void onlyHostKernelAndHostSupervisorCallNativeCode() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.iolite.uapi..")
        .and()
        .doNotBelongToAnyOf(HostKernel.class, HostSupervisor.class)
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(Linker.class, SymbolLookup.class, MethodHandle.class)
        .check(CODE);
  }

  @Test
  void onlyMappingTurnsAnAddressIntoMemory() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.iolite.uapi..")
        .and()
        .doNotBelongToAnyOf(Mapping.class)
        .should()
        .callMethodWhere(target(name("reinterpret")))
        .check(CODE);
  }

  @Test
  void everyKernelThatIsNotTheHostIsADecoratorOrAModel() {
    classes()
        .that()
        .implement(Kernel.class)
        .should()
        .resideInAnyPackage("dev.iolite.kernel", "dev.iolite.trace..", "dev.iolite.mock..")
        .check(CODE);
  }

  /** What PCI and QEMU specify is there once; the rest of that room is the client's. */
  @Test
  void theModelTakesRegistersOfPciOnly() {
    noClasses()
        .that()
        .resideInAPackage("dev.iolite.mock..")
        .should()
        .dependOnClassesThat(
            resideInAPackage("dev.iolite.pci..")
                .and(not(belongToAnyOf(PciRegs.class, EduRegs.class))))
        .check(CODE);
  }

  /** Only what a part must know of another is in the core; the hardware is below what drives it. */
  @Test
  void theModelsPartsMeetInItsCore() {
    Map<String, List<String>> others =
        Map.of(
            "core",
                List.of(
                    "iommufd", "kvm", "vfio", "type1", "pci", "device", "tsm", "dmabuf", "door"),
            "door", List.of("iommufd", "kvm", "vfio", "type1", "pci", "device", "tsm", "remote"),
            "dmabuf", List.of("iommufd", "kvm", "vfio", "type1", "pci", "device", "tsm"),
            "iommufd", List.of("dmabuf", "kvm", "vfio", "type1", "pci", "device", "tsm"),
            "kvm", List.of("iommufd", "vfio", "type1", "pci", "device", "tsm"),
            "vfio", List.of("iommufd", "kvm", "tsm"),
            "type1", List.of("iommufd", "kvm", "vfio", "pci", "device", "tsm"),
            "pci", List.of("iommufd", "kvm", "vfio", "type1", "tsm"),
            "device", List.of("iommufd", "kvm", "vfio", "type1", "pci", "tsm"),
            "tsm", List.of("iommufd", "vfio", "type1", "pci", "device"));
    others.forEach((part, forbidden) -> checkForbidden("dev.iolite.mock.", part, forbidden));
  }
}
