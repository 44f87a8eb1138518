package dev.iolite.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import dev.iolite.iommufd.HwInfo;
import dev.iolite.iommufd.IommuHardware;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.kvm.KvmInfo;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciCapability;
import dev.iolite.pci.PciInfo;
import dev.iolite.pci.PciResource;
import dev.iolite.tdi.PlannedCall;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.ReportedRange;
import dev.iolite.trace.TracedCall;
import dev.iolite.vfio.Capability;
import dev.iolite.vfio.DeviceInfo;
import dev.iolite.vfio.IrqInfo;
import dev.iolite.vfio.RegionInfo;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.ValueSerializer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;

/**
 * Results as JSON. In addition to a record's components, the JSON has what the tables show about
 * the record: methods named {@code is...} by Jackson's own rule, others by a form below.
 *
 * <p>Every {@code long} of the library's records is an unsigned address, size or register, and
 * becomes hexadecimal text: as a number, it would lose digits in many readers or become negative.
 */
public final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .addMixIn(DeviceInfo.class, DeviceForm.class)
          .addMixIn(RegionInfo.class, RegionForm.class)
          .addMixIn(IrqInfo.class, IrqForm.class)
          .addMixIn(HwInfo.class, HwForm.class)
          .addMixIn(KvmInfo.Type.class, VmTypeForm.class)
          .addMixIn(PciInfo.class, PciForm.class)
          .addMixIn(PciResource.class, ResourceForm.class)
          .addMixIn(PciCapability.class, PciCapabilityForm.class)
          .addMixIn(ReportedRange.class, RangeForm.class)
          .addModule(
              new SimpleModule()
                  .addSerializer(Long.TYPE, as(Json::hex))
                  .addSerializer(TracedCall.class, as(TracedCall::toString))
                  .addSerializer(Duration.class, as(Json::millis))
                  .addSerializer(PciAddress.class, as(PciAddress::toString))
                  .addSerializer(IovaRange.class, as(IovaRange::toString))
                  .addSerializer(Capability.class, as(Json::capability))
                  .addSerializer(BarLayout.class, as(Json::bar))
                  .addSerializer(PlannedCall.class, as(Json::planned))
                  .addSerializer(MemorySegment.class, as(Json::hex))
                  .addSerializer(IommuHardware.class, as(Json::hardware)))
          .build();

  private Json() {}

  /** The text of a value. */
  static String of(Object value) {
    return MAPPER.writeValueAsString(value);
  }

  /** The text of a value, on one line. */
  static String line(Object value) {
    return MAPPER.writer().without(SerializationFeature.INDENT_OUTPUT).writeValueAsString(value);
  }

  /** The text of a value, on one line and in ASCII only. */
  static String asciiLine(Object value) {
    return MAPPER
        .writer()
        .without(SerializationFeature.INDENT_OUTPUT)
        .with(JsonWriteFeature.ESCAPE_NON_ASCII)
        .writeValueAsString(value);
  }

  /** The text of a value, in ASCII only. */
  static String ascii(Object value) {
    return MAPPER.writer().with(JsonWriteFeature.ESCAPE_NON_ASCII).writeValueAsString(value);
  }

  /** An object with these members, in this order; names and values are given in turn. */
  public static Map<String, Object> object(Object... namesAndValues) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      map.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return map;
  }

  private interface DeviceForm {
    @JsonProperty("canReset")
    boolean canReset();
  }

  @JsonPropertyOrder({"index", "name"})
  private interface RegionForm {
    @JsonProperty("name")
    String name();

    @JsonProperty("canRead")
    boolean canRead();

    @JsonProperty("canWrite")
    boolean canWrite();

    @JsonProperty("canMap")
    boolean canMap();
  }

  @JsonPropertyOrder({"index", "name"})
  private interface IrqForm {
    @JsonProperty("name")
    String name();

    @JsonProperty("canSignalEventFd")
    boolean canSignalEventFd();

    @JsonProperty("canMask")
    boolean canMask();
  }

  private interface HwForm {
    @JsonProperty("dirtyTracking")
    boolean dirtyTracking();

    @JsonProperty("atsPossible")
    boolean atsPossible();
  }

  private interface VmTypeForm {
    @JsonProperty("works")
    boolean works();
  }

  @JsonPropertyOrder({"address", "id"})
  private interface PciForm {
    @JsonProperty("id")
    String id();
  }

  @JsonPropertyOrder({"index", "name"})
  private interface ResourceForm {
    @JsonProperty("name")
    String name();
  }

  @JsonPropertyOrder({"id", "name"})
  private interface PciCapabilityForm {
    @JsonProperty("name")
    String name();
  }

  private interface RangeForm {
    @JsonProperty("kind")
    Kind kind();
  }

  private static Map<String, Object> bar(BarLayout bar) {
    return object("bar", bar.bar(), "bytes", hex(bar.bytes()), "runs", bar.runs());
  }

  private static Map<String, Object> planned(PlannedCall call) {
    return object(
        "ioctl", call.name(),
        "number", call.command().map(ioctl -> hex(ioctl.number())),
        "on", call.on(),
        "argument", call.argument(),
        "bytes", call.bytes(),
        "makes", call.makes());
  }

  private static Map<String, Object> capability(Capability capability) {
    return switch (capability) {
      case Capability.SparseMmap sparse -> object("kind", "sparse mmap", "areas", sparse.areas());
      case Capability.RegionType type ->
          object("kind", "region type", "type", hex(type.type()), "subtype", hex(type.subtype()));
      case Capability.MsixMappable _ -> object("kind", "MSI-X mappable");
      case Capability.AtomicCompletion atomic ->
          object("kind", "PCI atomic completion", "flags", hex(atomic.flags()));
      case Capability.Unknown unknown ->
          object(
              "kind", "unknown",
              "id", unknown.id(),
              "version", unknown.version(),
              "hex", unknown.hex());
    };
  }

  private static Map<String, Object> hardware(IommuHardware hardware) {
    Map<String, Object> form = object("name", hardware.name());
    form.putAll(
        switch (hardware) {
          case IommuHardware.None _ -> Map.of();
          case IommuHardware.IntelVtd vtd -> vtd(vtd);
          case IommuHardware.AmdVi amd -> object("efr", hex(amd.efr()), "efr2", hex(amd.efr2()));
          case IommuHardware.ArmSmmuV3 smmu ->
              object(
                  "flags", hex(smmu.flags()),
                  "idr", smmu.idr().stream().map(Json::hex).toList(),
                  "iidr", hex(smmu.iidr()),
                  "aidr", hex(smmu.aidr()));
          case IommuHardware.Tegra241Cmdqv queues ->
              object(
                  "version", queues.version(),
                  "log2Queues", queues.log2Queues(),
                  "log2StreamIds", queues.log2StreamIds());
          case IommuHardware.Unknown unknown ->
              object("type", Integer.toUnsignedLong(unknown.type()), "data", unknown.data());
        });
    return form;
  }

  private static Map<String, Object> vtd(IommuHardware.IntelVtd vtd) {
    return object(
        "flags", hex(vtd.flags()),
        "cap", hex(vtd.cap()),
        "ecap", hex(vtd.ecap()),
        "addressBits", vtd.addressBits(),
        "levels", vtd.levels(),
        "pages2M", vtd.pages2M(),
        "pages1G", vtd.pages1G(),
        "cachingMode", vtd.cachingMode(),
        "scalableMode", vtd.scalableMode(),
        "nesting", vtd.nesting(),
        "pasid", vtd.pasid(),
        "pasidBits", vtd.pasidBits(),
        "pageRequests", vtd.pageRequests(),
        "firstStage", vtd.firstStage(),
        "secondStage", vtd.secondStage(),
        "dirtyTracking", vtd.dirtyTracking(),
        "snoopControl", vtd.snoopControl(),
        "interruptRemapping", vtd.interruptRemapping(),
        "deviceTlb", vtd.deviceTlb());
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  private static String hex(MemorySegment bytes) {
    return HexFormat.of().formatHex(bytes.toArray(ValueLayout.JAVA_BYTE));
  }

  private static String hex(int value) {
    return "0x" + Integer.toHexString(value);
  }

  private static double millis(Duration time) {
    return time.toNanos() / 1e6;
  }

  private static <T> ValueSerializer<T> as(Function<? super T, ?> form) {
    return new ValueSerializer<>() {
      @Override
      public void serialize(T value, JsonGenerator json, SerializationContext context) {
        context.writeValue(json, form.apply(value));
      }
    };
  }
}
