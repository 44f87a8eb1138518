package dev.iolite.mock.device.nvme;

import static dev.iolite.mock.device.nvme.Failed.failIf;

import dev.iolite.mock.core.Memory;
import dev.iolite.mock.device.DeviceHost;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A command's data in the driver's memory, page by page as its PRPs say (hw/nvme/ctrl.c:
 * nvme_map_prp).
 *
 * <p>What the IOMMU does not let through is lost without an error, as in QEMU. Only a list of PRPs
 * that can't be read ends the command.
 */
final class CommandData {
  private final DeviceHost host;
  private final long pageBytes;

  CommandData(DeviceHost host, long pageBytes) {
    this.host = host;
    this.pageBytes = pageBytes;
  }

  /** Moves a piece of the data. */
  @FunctionalInterface
  private interface Move {
    void piece(long address, MemorySegment part);
  }

  /** Fetches data from the driver. */
  MemorySegment fetch(Command command, int bytes) {
    MemorySegment data = MemorySegment.ofArray(new byte[bytes]);
    each(command, data, host::read);
    return data;
  }

  /** Gives data to the driver. */
  void give(Command command, MemorySegment data) {
    each(command, data, host::write);
  }

  private void each(Command command, MemorySegment data, Move move) {
    long first = Math.min(data.byteSize(), pageBytes - command.prp1() % pageBytes);
    Pieces pieces = new Pieces(data);
    pieces.add(command.prp1(), first);
    if (data.byteSize() - first > pageBytes) {
      list(command.prp2(), pieces);
    } else if (data.byteSize() > first) {
      pieces.add(aligned(command.prp2()), data.byteSize() - first);
    }
    pieces.all.forEach(piece -> {
      try {
        move.piece(piece.address, piece.part);
      } catch (Memory.Unreachable e) {
        // Lost.
      }
    });
  }

  private void list(long from, Pieces pieces) {
    long at = from;
    long inPage = (pageBytes - at % pageBytes) / Long.BYTES;
    while (pieces.left() > 0) {
      long entry = entry(at);
      if (inPage == 1 && pieces.left() > pageBytes) {
        at = aligned(entry);
        inPage = pageBytes / Long.BYTES;
        continue;
      }
      pieces.add(aligned(entry), Math.min(pageBytes, pieces.left()));
      at += Long.BYTES;
      inPage--;
    }
  }

  private long entry(long address) {
    MemorySegment entry = MemorySegment.ofArray(new byte[Long.BYTES]);
    try {
      host.read(address, entry);
    } catch (Memory.Unreachable e) {
      throw Failed.with(Failed.DATA_TRANSFER_ERROR);
    }
    return entry.get(Layouts.INT64, 0);
  }

  private long aligned(long prp) {
    failIf(prp % pageBytes != 0, Failed.INVALID_PRP_OFFSET);
    return prp;
  }

  /** All are known before the first is moved: a bad PRP moves nothing. */
  private static final class Pieces {
    private record Piece(long address, MemorySegment part) {}

    private final List<Piece> all = new ArrayList<>();
    private final MemorySegment data;
    private long done;

    Pieces(MemorySegment data) {
      this.data = data;
    }

    long left() {
      return data.byteSize() - done;
    }

    void add(long address, long bytes) {
      all.add(new Piece(address, data.asSlice(done, bytes)));
      done += bytes;
    }
  }
}
