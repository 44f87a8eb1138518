package dev.iolite.mock.recording;

import dev.iolite.mock.MockKernel;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.kvm.KvmPlatform;
import dev.iolite.mock.pci.Bdf;
import dev.iolite.mock.pci.Machine;
import dev.iolite.mock.pci.Placement;
import dev.iolite.uapi.catalog.UapiCatalog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Makes a model of a host that was recorded. */
public final class Replay {
  private static final String CAPABILITY = "KVM_CAP_";

  private Replay() {}

  /**
   * Describes the host of a file.
   *
   * @throws IOException if it can't be read
   * @throws MalformedRecordingException if it can't be understood, or describes something that no
   *     machine can be; the message has the line and the column
   */
  public static MockKernel.Builder of(Path file) throws IOException {
    return of(RecordingFile.read(file));
  }

  /** Describes a recorded host. */
  public static MockKernel.Builder of(Recording recording) {
    MockKernel.Builder host =
        MockKernel.builder()
            .platform(recording.platform())
            .profile(recording.profile())
            .facts(recording.facts())
            .machine(machine(recording));
    recording
        .capabilities()
        .ifPresent(values ->
            host.kvm(KvmPlatform.recorded(numbered(values), recording.physicalAddressBits())));
    return host;
  }

  private static Machine machine(Recording recording) {
    Machine machine = new Machine();
    recording.iommus().forEach(machine::iommu);
    recording.groups().forEach(group -> machine.group(group.id(), group.type(), group.reserved()));
    // A TSM in software takes devices for what they are not.
    boolean isSoftware = recording.platform().hasSoftwareTsm(recording.profile());
    RecordedShape shapes = new RecordedShape();
    Map<Bdf, RecordedFunction> virtual = new TreeMap<>();
    for (RecordedFunction function : recording.functions()) {
      if (function.physicalFunction().isPresent()) {
        virtual.put(function.address(), function);
      } else {
        DeviceModel model = shapes.model(function);
        machine.function(
            function.address().toString(),
            isSoftware && function.tsm() ? model.takenForTee() : model,
            function.placement());
      }
    }
    recording.functions().forEach(function -> addVirtual(machine, shapes, function, virtual));
    return machine;
  }

  /** The VFs that a function had, and those that it can have besides, which are like the first. */
  private static void addVirtual(
      Machine machine,
      RecordedShape shapes,
      RecordedFunction physical,
      Map<Bdf, RecordedFunction> virtual) {
    if (physical.sriov().isEmpty()) {
      return;
    }
    RecordedFunction.Sriov can = physical.sriov().get();
    List<DeviceModel> models = new ArrayList<>();
    List<Placement> seen = new ArrayList<>();
    for (int i = 0; i < can.total(); i++) {
      RecordedFunction function =
          virtual.get(physical.address().virtual(can.offset(), can.stride(), i));
      if (function != null && seen.size() == i) {
        models.add(shapes.model(function));
        seen.add(function.placement());
      } else {
        models.add(models.isEmpty() ? shapes.virtual(physical) : models.getFirst());
      }
    }
    machine.virtualFunctions(
        physical.address().toString(), can.offset(), can.stride(), models, seen);
  }

  /** Capabilities by their numbers; those of a newer kernel have no name here, but {@code #252}. */
  private static Map<Integer, Integer> numbered(Map<String, Integer> named) {
    Map<Integer, Integer> values = new HashMap<>();
    UapiCatalog.constants().stream()
        .filter(constant -> constant.name().startsWith(CAPABILITY))
        .forEach(constant -> {
          Integer value = named.get(constant.name().substring(CAPABILITY.length()));
          if (value != null) {
            values.put((int) constant.value(), value);
          }
        });
    return values;
  }
}
