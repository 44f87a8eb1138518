package dev.iolite.fuzz;

import dev.iolite.cli.CommandModel;
import dev.iolite.cli.held.AnyRequest;
import dev.iolite.differential.AnyProgram;
import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.device.ShapeFile;
import dev.iolite.mock.recording.MalformedRecordingException;
import dev.iolite.mock.recording.Recording;
import dev.iolite.mock.recording.RecordingFile;
import dev.iolite.mock.recording.Replay;
import dev.iolite.mock.remote.AnyMessage;
import dev.iolite.pci.ConfigSpace;
import dev.iolite.tdi.evidence.Evidence;
import dev.iolite.tdi.evidence.MalformedMeasurementsException;
import dev.iolite.tdi.evidence.Trust;
import dev.iolite.tdi.journal.AnyJournal;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.InterfaceReport;
import dev.iolite.tdi.layout.LayoutFile;
import dev.iolite.tdi.layout.MalformedLayoutException;
import dev.iolite.tdi.layout.MalformedReportException;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.layout.RangeScheme;
import dev.iolite.vfio.AnyReply;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A parser of ours, and what it makes of any bytes: it understands them, or refuses them in the way
 * that it documents. Anything else that it throws is a fault.
 */
enum Parser {
  /** A device's interface report, and the layout of its BARs. */
  REPORT(Parser::report),
  /** SPDM's messages. */
  EVIDENCE(Parser::evidence),
  /** Certificates that are trusted. */
  CERTIFICATES(Parser::certificates),
  /** A file with a layout. */
  LAYOUT(Parser::layout),
  /** A file with a device's shape. */
  SHAPE(Parser::shape),
  /** A file with a machine, and the model that is made from it. */
  RECORDING(Parser::recording),
  /** The capability chain of VFIO's replies. */
  REPLY(AnyReply::decode),
  /** A function's configuration space. */
  CONFIG_SPACE(Parser::configSpace),
  /** The command line: words with a zero byte between them. */
  ARGUMENTS(Parser::arguments),
  /** The journal of a process that was killed. */
  JOURNAL(AnyJournal::read),
  /** A request to a process that holds a device. */
  HOLD(new AnyRequest()::answer),
  /** A request to a modelled host, and its answer. */
  MOCK(AnyMessage::read),
  /** A file with programs of scripts/differential. */
  PROGRAM(bytes -> AnyProgram.read(text(bytes)));

  private static final List<BarSize> SIZES =
      List.of(new BarSize(0, 64 << 10), new BarSize(2, 1L << 40), new BarSize(4, 4096));

  @SuppressWarnings("ImmutableEnumChecker") // each is a method
  private final Consumer<byte[]> parse;

  Parser(Consumer<byte[]> parse) {
    this.parse = parse;
  }

  /** Has it read these bytes. */
  void read(byte[] bytes) {
    parse.accept(bytes);
  }

  /** What scripts/fuzz starts with, and what it has found: the inputs of the corpus, in files. */
  List<Path> corpus() throws IOException {
    Path directory = Path.of("src", "it", "src", "test", "fuzz", name().toLowerCase(Locale.ROOT));
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  private static void report(byte[] bytes) {
    InterfaceReport report;
    try {
      report = InterfaceReport.parse(MemorySegment.ofArray(bytes));
    } catch (MalformedReportException _) {
      return;
    }
    for (RangeScheme scheme : RangeScheme.values()) {
      try {
        MmioLayout.of(report, SIZES, Page.BYTES, scheme);
      } catch (MalformedReportException _) {
        // It does not fit the device.
      }
    }
  }

  private static void evidence(byte[] bytes) {
    try {
      Evidence.parse(MemorySegment.ofArray(bytes)).measurements();
    } catch (MalformedMeasurementsException _) {
      // Refused.
    }
  }

  private static void certificates(byte[] bytes) {
    try {
      Trust.of(bytes, "file");
    } catch (PreconditionException _) {
      // Refused.
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static void layout(byte[] bytes) {
    try {
      LayoutFile.text(LayoutFile.parse(text(bytes)));
    } catch (MalformedLayoutException | PreconditionException _) {
      // Refused.
    }
  }

  /** Its only way to refuse; a subclass of that would be somebody else's. */
  private static void shape(byte[] bytes) {
    try {
      ShapeFile.parse(text(bytes));
    } catch (IllegalArgumentException e) {
      if (e.getClass() != IllegalArgumentException.class) {
        throw e;
      }
    }
  }

  private static void recording(byte[] bytes) {
    Recording recording;
    try {
      recording = RecordingFile.parse(text(bytes));
    } catch (MalformedRecordingException _) {
      return;
    }
    Replay.of(recording).build().close();
  }

  private static void configSpace(byte[] bytes) {
    if (bytes.length < ConfigSpace.HEADER) {
      return;
    }
    ConfigSpace space = new ConfigSpace(bytes);
    space.hidesCapabilities();
    space.hasMemoryDecode();
    space.capabilities();
  }

  private static void arguments(byte[] bytes) {
    CommandModel.parse(text(bytes).split("\0", -1));
  }
}
