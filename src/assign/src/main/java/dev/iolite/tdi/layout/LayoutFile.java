package dev.iolite.tdi.layout;

import dev.iolite.kernel.Page;
import dev.iolite.vfio.ByteRange;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Layouts in YAML or JSON files: the size of each memory BAR and which parts of it are private; the
 * rest is shared.
 *
 * <pre>{@code
 * page-size: 4K                 # of the host; 4K if it is left out
 * bars:
 *   - bar: 0
 *     size: 64K
 *     private:                  # nothing, if it is left out
 *       - {offset: 0, size: 8K}
 *       - {offset: 0x3000, size: 52K}
 *   - {bar: 2, size: 16G}
 * }</pre>
 *
 * <p>Sizes and offsets are in bytes, decimal or hexadecimal, with K, M, G or T for powers of 1024.
 */
public final class LayoutFile {
  /** Far more than is needed for a line for each page range of the largest BARs. */
  private static final int MOST_BYTES = 16 << 20;

  private LayoutFile() {}

  /**
   * Reads a file.
   *
   * @throws IOException if it cannot be read
   * @throws MalformedLayoutException if it describes something that no device can have, or that is
   *     not understood; the message has the line
   * @throws dev.iolite.kernel.PreconditionException if a page would hold both kinds
   */
  public static MmioLayout read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw new MalformedLayoutException("it has more than %d bytes".formatted(MOST_BYTES));
      }
      return parse(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (MalformedLayoutException e) {
      throw new MalformedLayoutException(file + ", " + e.getMessage());
    } catch (MalformedInputException _) {
      throw new MalformedLayoutException(file + " is no text in UTF-8");
    }
  }

  /**
   * Like {@link #read}, for a text.
   *
   * @throws MalformedLayoutException if it describes something that no device can have, or that is
   *     not understood; the message has the line
   * @throws dev.iolite.kernel.PreconditionException if a page would hold both kinds
   */
  public static MmioLayout parse(String text) {
    LayoutNode file = LayoutNode.parse(text);
    file.only("page-size", "bars");
    long pageBytes = file.optional("page-size").map(LayoutNode::bytes).orElse(Page.BYTES);
    if (pageBytes < Page.BYTES || Long.bitCount(pageBytes) != 1) {
      throw file.required("page-size").fault("a page size is a power of two, 4K or more");
    }
    List<BarSize> sizes = new ArrayList<>();
    Map<Integer, List<ByteRange>> ranges = new TreeMap<>();
    for (LayoutNode bar : file.required("bars").list()) {
      bar.only("bar", "size", "private");
      BarSize size = size(bar);
      if (sizes.stream().anyMatch(other -> other.bar() == size.bar())) {
        throw bar.fault("BAR %d is there twice".formatted(size.bar()));
      }
      sizes.add(size);
      List<ByteRange> ofBar = new ArrayList<>();
      long end = 0;
      for (LayoutNode range : bar.optional("private").map(LayoutNode::list).orElse(List.of())) {
        range.only("offset", "size");
        long offset = range.required("offset").bytes();
        long bytes = range.required("size").bytes();
        if (bytes == 0 || offset < end || offset > size.bytes() || bytes > size.bytes() - offset) {
          throw range.fault(
              "a private range of %s is not empty, and lies behind the one before it and in %s"
                  .formatted(bar(size), size));
        }
        end = offset + bytes;
        ofBar.add(new ByteRange(offset, bytes));
      }
      ranges.put(size.bar(), ofBar);
    }
    return MmioLayout.ofPrivate(sizes, ranges, pageBytes);
  }

  private static String bar(BarSize size) {
    return "BAR " + size.bar();
  }

  private static BarSize size(LayoutNode node) {
    long bar = node.required("bar").bytes();
    long bytes = node.required("size").bytes();
    if (bar >= BarSize.BARS) {
      throw node.required("bar").fault("BARs have the numbers 0 to 5");
    }
    if (bytes == 0) {
      throw node.required("size").fault("a BAR has at least one byte");
    }
    return new BarSize((int) bar, bytes);
  }

  /** A layout as the text of such a file, in JSON, which is also YAML. */
  public static String text(MmioLayout layout) {
    StringBuilder text = new StringBuilder();
    text.append("{\"page-size\": ").append(layout.pageBytes()).append(", \"bars\": [");
    String between = "\n";
    for (BarLayout bar : layout.bars()) {
      text.append(between).append(text(bar));
      between = ",\n";
    }
    return text.append("]}\n").toString();
  }

  private static String text(BarLayout bar) {
    StringBuilder text = new StringBuilder();
    text.append("  {\"bar\": %d, \"size\": %d, \"private\": [".formatted(bar.bar(), bar.bytes()));
    String between = "\n";
    for (Run run : bar.runs()) {
      if (run.kind() == Kind.PRIVATE) {
        text.append(between)
            .append("    {\"offset\": \"0x%x\", \"size\": ".formatted(run.offset()))
            .append("\"0x%x\"}".formatted(run.bytes()));
        between = ",\n";
      }
    }
    return text.append("]}").toString();
  }
}
