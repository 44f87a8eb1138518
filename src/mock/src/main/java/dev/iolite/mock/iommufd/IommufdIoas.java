package dev.iolite.mock.iommufd;

import java.util.ArrayList;
import java.util.List;

/** An I/O address space (struct iommufd_ioas). */
final class IommufdIoas extends ContextObject {
  private final IoPageTable table = new IoPageTable();
  private final List<HwptPaging> hwpts = new ArrayList<>();

  IommufdIoas(IommufdFile context) {
    super(context);
  }

  IoPageTable table() {
    return table;
  }

  /** The page tables that are filled with it, in the order of their creation. */
  List<HwptPaging> hwpts() {
    return hwpts;
  }

  @Override
  String kind() {
    return "IOAS";
  }

  /** ioas.c:iommufd_ioas_destroy. */
  @Override
  void destroy() {
    table.unmap(0, -1);
  }
}
