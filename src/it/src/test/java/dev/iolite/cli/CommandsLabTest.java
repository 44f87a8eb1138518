package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_info;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.VfioDevice;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every command on the lab's devices, for people and for programs. */
@Tag("lab")
class CommandsLabTest {
  private static final String EDU = "0000:00:02.0";
  private static final String NVME = "0000:00:03.0";

  private static Cli succeeds(String... arguments) {
    Cli cli = Cli.run(arguments);
    assertThat(cli.code()).as(cli.err()).isZero();
    assertThat(cli.err()).isEmpty();
    return cli;
  }

  private static String table(String command) {
    return succeeds(command.split(" ", -1)).out();
  }

  private static JsonNode json(String command) {
    return JsonMapper.shared()
        .readTree(succeeds(("--output json " + command).split(" ", -1)).out());
  }

  private static JsonNode named(JsonNode list, String key, String name) {
    return list.valueStream()
        .filter(element -> element.get(key).asString().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + name + " in " + list));
  }

  @Test
  void doctor() {
    assertThat(table("doctor")).containsPattern("IOMMU groups +OK").doesNotContain("missing");
    JsonNode findings = json("doctor");
    assertThat(named(findings, "check", "vfio-pci").get("status").asString()).isEqualTo("OK");
    assertThat(named(findings, "check", "kernel").get("observed").asString()).contains("7.3");
  }

  @Test
  void doctorForFleets() {
    Kernel kernel = new HostKernel();
    PciDevice edu = new Pci(kernel).device(PciAddress.parse(EDU));
    try (DriverBinding _ = DriverBinding.bind(edu, "vfio-pci")) {
      assertThat(table("doctor -o nfd").lines())
          .contains(
              "feature.node.kubernetes.io/iolite-ready=true",
              "feature.node.kubernetes.io/iolite-dma-buf-export=true",
              "feature.node.kubernetes.io/iolite-assignable.pci-00ff=1");
      try (Iommufd iommufd = Iommufd.open(kernel);
          BoundVfioDevice _ = VfioDevice.open(kernel, edu.requireVfioCdev(), EDU).bind(iommufd)) {
        assertThat(Metrics.of(table("doctor -o prometheus")))
            .containsEntry("iolite_doctor_finding{check=\"device\",code=\"IOL-0021\"}", "1")
            .containsEntry("iolite_assignable_functions{class=\"00ff\"}", "0")
            .containsEntry("iolite_assigned_functions{class=\"00ff\"}", "1");
      }
    }
  }

  /** What listens for other processes' commands has descriptors of the Java runtime's own. */
  @Test
  void aDeviceThatIsHeldIsGivenBack(@TempDir Path directory) {
    String run = directory.toString();
    Cli cli = Cli.runWith("show\nreset\nquit\n", "tdi", "assign", "--hold", "--run-dir", run, NVME);
    assertThat(cli.err()).isEmpty();
    assertThat(cli.out()).contains("check that nothing is left: all is as before");
    assertThat(cli.code()).isZero();
  }

  @Test
  void pciList() {
    assertThat(table("pci list")).containsPattern(EDU + " +1234:11e8 +\\d+ +- ");
    JsonNode nvme = named(json("pci list"), "address", NVME);
    assertThat(nvme.get("id").asString()).isEqualTo("1b36:0010");
    assertThat(nvme.get("driver").asString()).isEqualTo("nvme");
  }

  @Test
  void pciShow() {
    assertThat(table("pci show " + EDU))
        .contains("1234:11e8")
        .containsPattern("BAR0 +0x\\p{XDigit}+ +0x100000 +memory")
        .containsPattern("0x040 +MSI");
    JsonNode edu = json("pci show " + EDU);
    JsonNode bar = named(edu.get("resources"), "name", "BAR0");
    assertThat(bar.get("bytes").asString()).isEqualTo("0x100000");
    assertThat(bar.get("start").asString()).matches("0x\\p{XDigit}{8,16}");
    assertThat(named(edu.get("capabilities"), "name", "MSI").get("offset").asInt()).isEqualTo(0x40);
  }

  @Test
  void pciBindAndUnbind() {
    assertThat(table("pci bind " + EDU))
        .contains(EDU + ": driver vfio-pci, was none")
        .contains("VFIO device: /dev/vfio/devices/vfio");
    JsonNode unbound = json("pci unbind " + EDU);
    assertThat(unbound.get("driver").isNull()).isTrue();
    assertThat(unbound.get("driverOverride").isNull()).isTrue();
    JsonNode bound = json("pci bind " + EDU);
    assertThat(bound.get("driver").asString()).isEqualTo("vfio-pci");
    assertThat(bound.get("vfioCdev").asString()).startsWith("/dev/vfio/devices/vfio");
    assertThat(table("pci unbind " + EDU)).contains(EDU + ": driver none, was vfio-pci");
  }

  @Test
  void vfioInfo() {
    assertThat(table("vfio info " + EDU))
        .containsPattern("BAR0 +0x100000 +0x0 +read write map")
        .containsPattern("MSI +1 +eventfd")
        .containsPattern("DMA_BUF +supported");
    JsonNode edu = json("vfio info " + EDU);
    assertThat(edu.get("address").asString()).isEqualTo(EDU);
    assertThat(edu.at("/device/pci").asBoolean()).isTrue();
    JsonNode bar = named(edu.get("regions"), "name", "BAR0");
    assertThat(bar.get("bytes").asString()).isEqualTo("0x100000");
    assertThat(bar.get("canMap").asBoolean()).isTrue();
    JsonNode config = named(edu.get("regions"), "name", "CONFIG");
    assertThat(config.get("offset").asString()).isEqualTo("0x70000000000");
    assertThat(named(edu.get("irqs"), "name", "MSI").get("count").asInt()).isEqualTo(1);
    assertThat(edu.at("/features/DMA_BUF").asString()).isEqualTo("SUPPORTED");
  }

  @Test
  void aRegionWithTheMsixTableSaysThatItCanBeMapped() {
    succeeds("pci", "bind", NVME);
    try {
      JsonNode regions = json("vfio info " + NVME).get("regions");
      assertThat(named(regions, "name", "BAR0").at("/capabilities/0/kind").asString())
          .isEqualTo("MSI-X mappable");
    } finally {
      succeeds("pci", "unbind", NVME);
    }
  }

  @Test
  void aReplyThatBreaksTheRulesIsTheKernelsFault() {
    var broken =
        new ForwardingKernel(new HostKernel()) {
          @Override
          public int ioctl(int fd, long request, long argument) {
            int result = super.ioctl(fd, request, argument);
            if (request == Vfio.VFIO_DEVICE_GET_INFO()) {
              vfio_device_info.argsz(
                  MemorySegment.ofAddress(argument).reinterpret(vfio_device_info.sizeof()),
                  Integer.MAX_VALUE);
            }
            return result;
          }
        };
    Cli cli = Cli.runOn(broken, "vfio", "info", EDU);
    assertThat(cli.code()).as(cli.err()).isEqualTo(ExitCode.KERNEL);
    assertThat(cli.err()).contains("VFIO_DEVICE_GET_INFO replied against its own rules");
  }

  @Test
  void iommuInfo() {
    assertThat(table("iommu info " + EDU))
        .containsPattern("IOMMU +Intel VT-d")
        .containsPattern("registers +cap 0x\\p{XDigit}+, ecap 0x\\p{XDigit}+")
        .contains("0x0-0xfedfffff");
    JsonNode info = json("iommu info " + EDU);
    assertThat(info.get("address").asString()).isEqualTo(EDU);
    JsonNode vtd = info.at("/hardware/hardware");
    assertThat(vtd.get("name").asString()).isEqualTo("Intel VT-d");
    assertThat(vtd.get("cap").asString()).matches("0x\\p{XDigit}+");
    assertThat(vtd.get("cachingMode").asBoolean()).isTrue();
    assertThat(info.at("/ranges/allowed/0").asString()).isEqualTo("0x0-0xfedfffff");
    assertThat(info.at("/ranges/alignment").asString()).isEqualTo("0x1000");
  }

  @Test
  void kvmInfo() {
    assertThat(table("kvm info"))
        .containsPattern("API version +12")
        .containsPattern("DEFAULT +yes");
    JsonNode info = json("kvm info");
    assertThat(info.get("apiVersion").asInt()).isEqualTo(12);
    assertThat(named(info.get("types"), "type", "DEFAULT").get("works").asBoolean()).isTrue();
    assertThat(info.at("/capabilities/USER_MEMORY").asInt()).isEqualTo(1);
  }

  @Test
  void kvmHello() {
    String markup = "@|red 100%|@";
    assertThat(succeeds("kvm", "hello", markup).out().lines())
        .containsExactly(markup, "(the guest printed that in 13 exits)");
    JsonNode result = json("kvm hello");
    assertThat(result.get("text").asString()).isEqualTo("hello from a guest");
    assertThat(result.get("exits").asInt()).isEqualTo(19);
  }

  @Test
  void passthrough() {
    String table = table("passthrough " + EDU);
    assertThat(table).contains("All steps succeeded").contains("0x010000ed");
    assertThat(table.lines().filter(line -> line.startsWith("          ")))
        .isNotEmpty()
        .allMatch(line -> line.length() <= 100);
    JsonNode steps = json("passthrough " + EDU);
    assertThat(steps.valueStream()).allMatch(step -> step.get("succeeded").asBoolean());
    List<String> calls =
        steps
            .valueStream()
            .flatMap(step -> step.get("calls").valueStream())
            .map(JsonNode::asString)
            .toList();
    assertThat(calls).anyMatch(call -> call.contains("IOMMU_IOAS_MAP_FILE"));
  }

  @Test
  void uapi() {
    assertThat(table("uapi vfio_device_bind_iommufd")).containsPattern("bind_iommufd +vfio +24 ");
    assertThat(json("uapi iommu_ioas_map").get("structs").size()).isGreaterThan(1);
  }
}
