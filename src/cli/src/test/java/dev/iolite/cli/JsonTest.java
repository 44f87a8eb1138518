package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.HwInfo;
import dev.iolite.iommufd.IommuHardware;
import dev.iolite.iommufd.IommuInfo;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.iommufd.IovaRanges;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciCapability;
import dev.iolite.pci.PciInfo;
import dev.iolite.pci.PciResource;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.Capability;
import dev.iolite.vfio.DeviceInfo;
import dev.iolite.vfio.IrqInfo;
import dev.iolite.vfio.RegionInfo;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The JSON of results says all that their tables say, with no digit lost. */
class JsonTest {
  private static JsonNode json(Object value) {
    return JsonMapper.shared().readTree(Json.of(value));
  }

  private static String line(Object value) {
    return json(value).toString();
  }

  @Test
  void aRegionHasItsNameAndUnsignedNumbers() {
    assertThat(
            line(
                new RegionInfo(
                    2, 7, Long.MIN_VALUE, -4096, List.of(new Capability.MsixMappable()))))
        .isEqualTo(
            """
            {"index":2,"name":"BAR2","flags":7,"bytes":"0x8000000000000000",\
            "offset":"0xfffffffffffff000","capabilities":[{"kind":"MSI-X mappable"}],\
            "canMap":true,"canRead":true,"canWrite":true,"msixMappable":true}\
            """);
  }

  @Test
  void everyKindOfVfioCapabilityIsNamed() {
    assertThat(
            line(
                new DeviceInfo(
                    3,
                    9,
                    5,
                    List.of(
                        new Capability.SparseMmap(List.of(new ByteRange(0x1000, -1))),
                        new Capability.RegionType(0x8000_8086, 1),
                        new Capability.AtomicCompletion(3),
                        new Capability.Unknown(77, 2, "00ff")))))
        .isEqualTo(
            """
            {"flags":3,"regions":9,"irqs":5,"capabilities":[\
            {"kind":"sparse mmap","areas":[{"offset":"0x1000","bytes":"0xffffffffffffffff"}]},\
            {"kind":"region type","type":"0x80008086","subtype":"0x1"},\
            {"kind":"PCI atomic completion","flags":"0x3"},\
            {"kind":"unknown","id":77,"version":2,"hex":"00ff"}],\
            "canReset":true,"pci":true}\
            """);
  }

  @Test
  void anInterruptHasItsName() {
    assertThat(line(new IrqInfo(2, 9, 65)))
        .isEqualTo(
            """
            {"index":2,"name":"MSI-X","flags":9,"count":65,\
            "autoMasked":false,"canMask":false,"canSignalEventFd":true,"fixedSize":true}\
            """);
  }

  @Test
  void registersOfVtdAreHexadecimalAndDecoded() {
    JsonNode info =
        json(
            new IommuInfo(
                new HwInfo(
                    new IommuHardware.IntelVtd(1, 0xd2008c222f0606L, 0x8000_0000_0000_0f4aL),
                    1,
                    20),
                new IovaRanges(
                    List.of(new IovaRange(0, 0xfedf_ffffL), new IovaRange(0xfef0_0000L, -1)), 4096),
                true));
    JsonNode vtd = info.at("/hardware/hardware");
    assertThat(vtd.get("name").asString()).isEqualTo("Intel VT-d");
    assertThat(vtd.get("flags").asString()).isEqualTo("0x1");
    assertThat(vtd.get("cap").asString()).isEqualTo("0xd2008c222f0606");
    assertThat(vtd.get("ecap").asString()).isEqualTo("0x8000000000000f4a");
    assertThat(vtd.get("addressBits").asInt()).isEqualTo(48);
    assertThat(vtd.get("scalableMode").asBoolean()).isFalse();
    assertThat(vtd.get("snoopControl").asBoolean()).isFalse();
    assertThat(vtd.get("interruptRemapping").asBoolean()).isTrue();
    assertThat(info.at("/hardware/capabilities").asString()).isEqualTo("0x1");
    assertThat(info.at("/hardware/pasidBits").asInt()).isEqualTo(20);
    assertThat(info.at("/hardware/dirtyTracking").asBoolean()).isTrue();
    assertThat(info.at("/hardware/atsPossible").asBoolean()).isTrue();
    assertThat(info.get("ranges").toString())
        .isEqualTo(
            """
            {"allowed":["0x0-0xfedfffff","0xfef00000-0xffffffffffffffff"],"alignment":"0x1000"}\
            """);
    assertThat(info.get("nesting").asBoolean()).isTrue();
  }

  @Test
  void everyKindOfIommuIsNamed() {
    assertThat(line(new HwInfo(new IommuHardware.AmdVi(-1, 2), 0, 0)))
        .contains("{\"name\":\"AMD-Vi\",\"efr\":\"0xffffffffffffffff\",\"efr2\":\"0x2\"}");
    assertThat(line(new IommuHardware.ArmSmmuV3(1, List.of(-1, 2, 3, 4, 5, 6), -2, 3)))
        .isEqualTo(
            """
            {"name":"Arm SMMUv3","flags":"0x1",\
            "idr":["0xffffffff","0x2","0x3","0x4","0x5","0x6"],"iidr":"0xfffffffe","aidr":"0x3"}\
            """);
    assertThat(line(new IommuHardware.Tegra241Cmdqv(1, 2, 3)))
        .isEqualTo(
            """
            {"name":"NVIDIA Tegra241 CMDQV","version":1,"log2Queues":2,"log2StreamIds":3}\
            """);
    assertThat(line(new IommuHardware.None())).contains("\"name\":\"an IOMMU whose driver");
    assertThat(line(new IommuHardware.Unknown(-1, "0102")))
        .isEqualTo(
            """
            {"name":"an IOMMU of unknown type 4294967295","type":4294967295,"data":"0102"}\
            """);
  }

  @Test
  void aFunctionHasItsIdAndTheNamesOfItsParts() {
    JsonNode info =
        json(
            new PciInfo(
                PciAddress.parse("0000:00:03.0"),
                0x1234,
                0x11e8,
                0,
                0,
                0xff_0000,
                "unclassified",
                Optional.empty(),
                Optional.of("vfio-pci"),
                Optional.empty(),
                true,
                0,
                6,
                List.of(new PciResource(0, -0x1000, 0x1000, 0x14_0200)),
                List.of(new PciCapability(0x10, 0x100, true)),
                false,
                List.of("pm"),
                OptionalInt.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(PciAddress.parse("0000:00:03.1")),
                Optional.empty()));
    assertThat(info.get("address").asString()).isEqualTo("0000:00:03.0");
    assertThat(info.get("id").asString()).isEqualTo("1234:11e8");
    assertThat(info.get("driver").isNull()).isTrue();
    assertThat(info.get("driverOverride").asString()).isEqualTo("vfio-pci");
    assertThat(info.get("resources").toString())
        .isEqualTo(
            """
            [{"index":0,"name":"BAR0","start":"0xfffffffffffff000","bytes":"0x1000",\
            "flags":"0x140200","64Bit":true,"assigned":true,"io":false,"memory":true,"prefetchable":false}]\
            """);
    assertThat(info.get("capabilities").toString())
        .isEqualTo(
            """
            [{"id":16,"name":"SR-IOV","offset":256,"extended":true}]\
            """);
  }
}
