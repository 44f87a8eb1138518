package dev.iolite.differential;

import static dev.iolite.differential.Machine.name;

import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.iommu_vdevice_alloc;
import dev.iolite.uapi.iommufd.iommu_viommu_alloc;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_op;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** The calls that reach the TSM: its attributes in sysfs, and the vDEVICE's. */
final class TsmCalls {
  /** Request and response are missing where these bits are set. */
  static final int NO_REQUEST = 1;

  static final int NO_RESPONSE = 2;

  /** What is written to an attribute; the first one is right. */
  static final List<String> TEXTS = List.of("tsm0", "tsm0\n", "tsm1", "tsm", "");

  private static final int REQUEST_BYTES = 0x10001;
  private static final int RESPONSE_BYTES = 4096;
  private static final int WORDS = 3;

  // The report, PCI Express 7.0, 11.3.11.
  private static final int RANGE_COUNT = 12;
  private static final int RANGES = 16;
  private static final int RANGE_BYTES = 16;
  private static final int MOST_RANGES = 16;

  /** The nonce of a MEASUREMENTS message is random. */
  private static final int NONCE_START = 47;

  private static final int NONCE_END = 79;

  private final Machine machine;

  TsmCalls(Machine machine) {
    this.machine = machine;
  }

  /** The program has ended: nothing stays connected. */
  void end() {
    for (int device = 0; device < machine.lab().devices().size(); device++) {
      write(device, "disconnect", TEXTS.getFirst());
    }
  }

  String answer(Op op) {
    return switch (op.kind()) {
      case CONNECT -> name(write((int) op.arg(0), "connect", TEXTS.get((int) op.arg(1))));
      case DISCONNECT -> name(write((int) op.arg(0), "disconnect", TEXTS.get((int) op.arg(1))));
      case BOUND -> read((int) op.arg(0), "connect") + " " + read((int) op.arg(0), "bound");
      case VIOMMU -> viommu(op);
      case VDEVICE -> vdevice(op);
      case TSM_OP -> operate(op);
      case TSM_REQ -> request(op);
      case TSM_FAULT -> fail((int) op.arg(0), op.arg(1) != 0);
      default -> throw new IllegalArgumentException(op.toString());
    };
  }

  private String file(int device, String attribute) {
    return Machine.directory(machine.lab().devices().get(device)) + "tsm/" + attribute;
  }

  /** The result of the write; a kernel without the attribute says so when it is opened. */
  private long write(int device, String attribute, String text) {
    int fd = machine.kernel().open(file(device, attribute), Libc.O_WRONLY() | Libc.O_CLOEXEC());
    if (fd < 0) {
      return fd;
    }
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    MemorySegment from = machine.zeros(8).copyFrom(MemorySegment.ofArray(bytes));
    long result = machine.kernel().write(fd, from.address(), bytes.length);
    machine.kernel().close(fd);
    return result;
  }

  /** What the seed's kernel does through debugfs, the model does through its own interface. */
  private String fail(int device, boolean losesLink) {
    String address = machine.lab().devices().get(device);
    if (!(machine.kernel() instanceof MockKernel model)) {
      String fault = losesLink ? "link_lost" : "error";
      new SysFs(machine.kernel()).write("/sys/kernel/debug/tsm-sim/" + address + "/" + fault, "1");
    } else if (losesLink) {
      model.tsm().loseLink(address);
    } else {
      model.tsm().fail(address);
    }
    return "failed";
  }

  private String read(int device, String attribute) {
    int fd = machine.kernel().open(file(device, attribute), Libc.O_RDONLY() | Libc.O_CLOEXEC());
    if (fd < 0) {
      return name(fd);
    }
    MemorySegment into = machine.zeros(64);
    long result = machine.kernel().read(fd, into.address(), into.byteSize());
    machine.kernel().close(fd);
    return result < 0 ? name(result) : "'" + into.getString(0).strip() + "'";
  }

  private String viommu(Op op) {
    MemorySegment alloc = machine.sized(iommu_viommu_alloc.layout());
    iommu_viommu_alloc.type(alloc, (int) op.arg(0));
    iommu_viommu_alloc.dev_id(alloc, machine.deviceIds().get(op.arg(1)));
    iommu_viommu_alloc.hwpt_id(alloc, machine.hwpts().get(op.arg(2)));
    iommu_viommu_alloc.data_len(alloc, (int) op.arg(3));
    iommu_viommu_alloc.flags(alloc, (int) op.arg(4));
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_VIOMMU_ALLOC, alloc);
    int id = iommu_viommu_alloc.out_viommu_id(alloc);
    if (result == 0) {
      machine.objects().add(id);
      machine.viommus().add(id);
    }
    return name(result) + " " + id;
  }

  private String vdevice(Op op) {
    MemorySegment alloc = machine.sized(iommu_vdevice_alloc.layout());
    iommu_vdevice_alloc.viommu_id(alloc, machine.viommus().get(op.arg(0)));
    iommu_vdevice_alloc.dev_id(alloc, machine.deviceIds().get(op.arg(1)));
    iommu_vdevice_alloc.virt_id(alloc, op.arg(2));
    int result = machine.ioctl(machine.iommufd(), IommufdIoctls.IOMMU_VDEVICE_ALLOC, alloc);
    int id = iommu_vdevice_alloc.out_vdevice_id(alloc);
    if (result == 0) {
      machine.objects().add(id);
      machine.vdevices().add(id);
    }
    return name(result) + " " + id;
  }

  private int ioctl(int request, MemorySegment argument) {
    return machine.kernel().ioctl(machine.iommufd(), request, argument.address());
  }

  private String operate(Op op) {
    MemorySegment asked = machine.sized(iommu_vdevice_tsm_op.layout());
    iommu_vdevice_tsm_op.vdevice_id(asked, machine.vdevices().get(op.arg(0)));
    iommu_vdevice_tsm_op.type(asked, (int) op.arg(1));
    iommu_vdevice_tsm_op.flags(asked, (int) op.arg(2));
    return name(ioctl(TsmSeed2025.IOMMU_VDEVICE_TSM_OP(), asked));
  }

  private String request(Op op) {
    int operation = (int) op.arg(1);
    int missing = (int) op.arg(5);
    MemorySegment response = machine.zeros(RESPONSE_BYTES);
    MemorySegment payload = machine.zeros(REQUEST_BYTES);
    for (int i = 0; i < WORDS; i++) {
      payload.setAtIndex(ValueLayout.JAVA_LONG, i, op.arg(6 + i));
    }
    if (operation == Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO()) {
      long start = machine.memoryStart((int) op.arg(9));
      payload.setAtIndex(ValueLayout.JAVA_LONG, WORDS - 1, start + op.arg(6 + WORDS - 1));
    }
    MemorySegment asked = machine.sized(iommu_vdevice_tsm_req.layout());
    iommu_vdevice_tsm_req.vdevice_id(asked, machine.vdevices().get(op.arg(0)));
    iommu_vdevice_tsm_req.op(asked, operation);
    iommu_vdevice_tsm_req.tvm_arch(asked, (int) op.arg(2));
    iommu_vdevice_tsm_req.req_len(asked, (int) op.arg(3));
    iommu_vdevice_tsm_req.req_uptr(asked, at(payload, missing & NO_REQUEST));
    iommu_vdevice_tsm_req.resp_len(asked, (int) op.arg(4));
    iommu_vdevice_tsm_req.resp_uptr(asked, at(response, missing & NO_RESPONSE));
    iommu_vdevice_tsm_req.tsm_code(asked, -1);
    int result = ioctl(TsmSeed2025.IOMMU_VDEVICE_TSM_REQ(), asked);
    return "%s code %x %s"
        .formatted(
            name(result), iommu_vdevice_tsm_req.tsm_code(asked), told(operation, result, response));
  }

  private long at(MemorySegment memory, int isMissing) {
    return isMissing == 0 ? memory.address() : machine.address(-1);
  }

  private String told(int operation, int result, MemorySegment response) {
    if (result >= 0 && operation == TsmSeed2025.IOMMU_VDEVICE_TSM_READ_REPORT()) {
      return report(response);
    }
    if (operation == TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS()) {
      response.asSlice(NONCE_START, NONCE_END - NONCE_START).fill((byte) 0);
    }
    byte[] bytes = response.toArray(ValueLayout.JAVA_BYTE);
    int length = bytes.length;
    while (length > 0 && bytes[length - 1] == 0) {
      length--;
    }
    return HexFormat.of().formatHex(bytes, 0, length);
  }

  /** Where a BAR is, is the machine's affair: its ranges are told from the first one on. */
  private static String report(MemorySegment report) {
    StringBuilder text = new StringBuilder("report");
    text.append(' ').append(Integer.toHexString(report.get(ValueLayout.JAVA_INT, 0)));
    int count = Math.min(report.get(ValueLayout.JAVA_INT, RANGE_COUNT), MOST_RANGES);
    Map<Integer, Long> starts = new HashMap<>();
    for (int i = 0; i < count; i++) {
      MemorySegment range = report.asSlice(RANGES + (long) i * RANGE_BYTES, RANGE_BYTES);
      long first = range.get(ValueLayout.JAVA_LONG, 0);
      int attributes = range.get(ValueLayout.JAVA_INT, 12);
      long start = starts.computeIfAbsent(attributes >>> Short.SIZE, _ -> first);
      int pages = range.get(ValueLayout.JAVA_INT, 8);
      text.append(" %x+%x:%x".formatted(first - start, pages, attributes));
    }
    return text.toString();
  }
}
