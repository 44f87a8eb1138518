package dev.iolite.cli;

import dev.iolite.kernel.ByteSize;
import dev.iolite.tdi.DryRun;
import dev.iolite.tdi.PlannedCall;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.InterfaceReport;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.plan.Abilities;
import dev.iolite.tdi.plan.PlannedDmaBuf;
import dev.iolite.tdi.plan.PlannedSlot;
import dev.iolite.tdi.plan.SlotPlan;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code iolite tdi plan}: shows the calls that would give a guest the MMIO of a layout. */
@Command(
    name = "plan",
    description = {
      "Shows the dma-bufs, memory slots and IOAS maps that give a guest the MMIO of a layout. No"
          + " system call is made, and no device is needed.",
      "The layout is that of a device interface report, or of a file such as",
      "  bars: [{bar: 0, size: 64K, private: [{offset: 0, size: 8K}]}]",
      "in YAML or JSON; what is not private there is shared."
    })
final class TdiPlanCommand extends IoliteCommand implements Callable<Integer> {
  /** The default address of the first BAR: above the RAM of most guests. */
  private static final long FIRST_GPA = 0x100_0000_0000L;

  private static final int SHOWN_RANGES = 4;
  private static final int BYTES_OF_A_LINE = 32;

  @Option(names = "--report", paramLabel = "FILE", description = "a device interface report")
  private Optional<Path> report = Optional.empty();

  @Option(
      names = "--layout",
      paramLabel = "FILE",
      description = "the sizes of the BARs, and which parts of them are private")
  private Optional<Path> layoutFile = Optional.empty();

  @Mixin private final TdiBars bars = new TdiBars();

  @Option(
      names = "--profile",
      paramLabel = "NAME",
      description =
          "which kernel: seed-2025 (the default), intel-rfc-2025, arm-v5, v6, cca-v7, mainline-7.3",
      defaultValue = "seed-2025")
  private Profile profile;

  @Option(
      names = "--gpa",
      paramLabel = "N=ADDRESS",
      description = {
        "the guest address of BAR N, such as 2=0x8000000000; BARs without one are left out",
        "(default: all of them from 0x10000000000 on, each at a multiple of its size)"
      })
  private Map<Integer, String> gpas = new TreeMap<>();

  @Option(
      names = "--slots",
      paramLabel = "COUNT",
      description = "how many memory slots the VM has left (default: ${DEFAULT-VALUE})",
      defaultValue = "32764")
  private int slots;

  @Option(
      names = "--dry-run",
      description = "also show the calls with their arguments, field by field and byte by byte")
  private boolean dryRun;

  @Override
  public Integer call() {
    if (slots < 0) {
      throw usage("--slots is 0 or more, not " + slots);
    }
    List<String> remarks = new ArrayList<>();
    MmioLayout layout = layout(remarks);
    Map<Integer, Long> places = gpas.isEmpty() ? places(layout) : given(layout);
    layout.bars().stream()
        .filter(bar -> !places.containsKey(bar.bar()))
        .forEach(bar ->
            remarks.add(
                "BAR %d has no address in the guest, and is left out.".formatted(bar.bar())));
    UapiProfile uapi = UapiProfile.of(profile, Arch.TDX);
    Abilities abilities = uapi.abilities(slots);
    SlotPlan plan = SlotPlan.of(layout, places, abilities);
    remarks.addAll(plan.remarks());
    List<PlannedCall> calls = dryRun ? DryRun.of(plan, layout, places, uapi) : List.of();
    Output output = output();
    if (output.isJson()) {
      output.json(
          Json.object(
              "profile", profile.toString(),
              "abilities", abilities,
              "layout", layout,
              "remarks", remarks,
              "plan", plan,
              "ioctls", calls));
      return ExitCode.OK;
    }
    output.picture(layout);
    output.line("");
    output.properties(
        "profile", profile.toString(),
        "plan",
            "%d dma-bufs, %d memory slots, %d IOAS maps"
                .formatted(plan.dmaBufs().size(), plan.slots().size(), plan.maps().size()));
    print(output, plan);
    output.notes(remarks);
    calls.forEach(call -> print(output, call));
    return ExitCode.OK;
  }

  private MmioLayout layout(List<String> remarks) {
    if (report.isPresent() == layoutFile.isPresent()) {
      throw usage("give either --report or --layout");
    }
    if (layoutFile.isPresent()) {
      if (bars.areGiven()) {
        throw usage(
            "--bar, --platform, --ranges and --page-size go with --report; a layout file says all"
                + " that");
      }
      return TdiFiles.layout(layoutFile.get());
    }
    InterfaceReport read = TdiFiles.report(report.orElseThrow());
    TdiBars.Placed placed = bars.place(read);
    remarks.addAll(read.remarks());
    remarks.addAll(bars.refusals(read));
    placed.doubt().ifPresent(remarks::add);
    return placed.layout();
  }

  private static Map<Integer, Long> places(MmioLayout layout) {
    Map<Integer, Long> places = new TreeMap<>();
    long free = FIRST_GPA;
    for (BarLayout bar : layout.bars()) {
      long alignment = Math.max(Long.highestOneBit(bar.bytes()), layout.pageBytes());
      long gpa = (free + alignment - 1) & -alignment;
      places.put(bar.bar(), gpa);
      free = gpa + bar.bytes();
    }
    return places;
  }

  private Map<Integer, Long> given(MmioLayout layout) {
    Map<Integer, Long> places = new TreeMap<>();
    gpas.forEach((bar, text) -> {
      if (layout.bar(bar).isEmpty()) {
        throw usage("--gpa %d=%s: the layout has no BAR %d".formatted(bar, text, bar));
      }
      try {
        places.put(bar, ByteSize.parse(text));
      } catch (IllegalArgumentException e) {
        throw usage("--gpa: " + e.getMessage());
      }
    });
    return places;
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec().commandLine(), message);
  }

  private static void print(Output output, SlotPlan plan) {
    List<List<String>> dmaBufs = new ArrayList<>();
    for (PlannedDmaBuf dmaBuf : plan.dmaBufs()) {
      dmaBufs.add(
          List.of(
              "" + dmaBufs.size(),
              "" + dmaBuf.bar(),
              dmaBuf.kind().toString(),
              ByteSize.text(dmaBuf.bytes()),
              ranges(dmaBuf)));
    }
    print(output, List.of("DMA-BUF", "BAR", "KIND", "SIZE", "RANGES"), dmaBufs);
    List<List<String>> slots = new ArrayList<>();
    for (PlannedSlot slot : plan.slots()) {
      slots.add(
          List.of(
              "" + slots.size(),
              hex(slot.gpa()),
              ByteSize.text(slot.bytes()),
              slot.kind().toString(),
              slot.dmaBuf().isPresent()
                  ? "dma-buf %d from %s"
                      .formatted(slot.dmaBuf().getAsInt(), hex(slot.dmaBufOffset()))
                  : "mapping of BAR %d from %s".formatted(slot.bar(), hex(slot.barOffset()))));
    }
    print(output, List.of("SLOT", "GPA", "SIZE", "KIND", "MADE OF"), slots);
    print(
        output,
        List.of("MAP AT IOVA", "SIZE", "MADE OF"),
        plan.maps().stream()
            .map(map ->
                List.of(
                    hex(map.iova()),
                    ByteSize.text(map.bytes()),
                    "dma-buf %d from %s".formatted(map.dmaBuf(), hex(map.start()))))
            .toList());
  }

  private static void print(Output output, List<String> header, List<List<String>> rows) {
    if (!rows.isEmpty()) {
      output.line("");
      output.table(header, rows);
    }
  }

  private static String ranges(PlannedDmaBuf dmaBuf) {
    int count = dmaBuf.ranges().size();
    List<String> words = new ArrayList<>();
    dmaBuf.ranges().stream().limit(SHOWN_RANGES).map(Object::toString).forEach(words::add);
    if (count > SHOWN_RANGES) {
      words.add("%d more".formatted(count - SHOWN_RANGES));
    }
    return String.join(", ", words);
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  private static void print(Output output, PlannedCall call) {
    output.line("");
    output.wrapped(0, call.toString());
    byte[] bytes = call.bytes().toArray(ValueLayout.JAVA_BYTE);
    int perLine = Math.min(BYTES_OF_A_LINE, bytesFitting(output.terminal().textColumns()));
    for (int at = 0; at < bytes.length; at += perLine) {
      int end = Math.min(bytes.length, at + perLine);
      output.verbatim("  " + HexFormat.ofDelimiter(" ").formatHex(bytes, at, end));
    }
  }

  /** The number of bytes that fit, in whole words of 4 bytes; a byte takes three columns. */
  private static int bytesFitting(int columns) {
    return (columns - 1) / 3 & -Integer.BYTES;
  }
}
