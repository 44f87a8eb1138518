package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_SET_IRQS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_irq_set;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What a driver in user space meets at the lab's NVMe controller. The kernel has no part in it but
 * for the IOMMU and the interrupts: the model is held against QEMU's hw/nvme/ctrl.c.
 */
abstract class NvmeContract extends VfioContract {
  private static final long IOVA = 0x10_0000;
  private static final long MEMORY_PAGES = 32;
  private static final int ENTRIES = 8;
  private static final int QUEUE = 5;
  private static final int BLOCK = 512;
  private static final long BLOCKS = (64 << 20) / BLOCK;

  private static final int DELETE_SUBMISSION = 0x00;
  private static final int CREATE_SUBMISSION = 0x01;
  private static final int GET_LOG = 0x02;
  private static final int DELETE_COMPLETION = 0x04;
  private static final int CREATE_COMPLETION = 0x05;
  private static final int IDENTIFY = 0x06;
  private static final int ABORT = 0x08;
  private static final int SET_FEATURES = 0x09;
  private static final int GET_FEATURES = 0x0a;
  private static final int WRITE = 0x01;
  private static final int READ_BLOCKS = 0x02;
  private static final int COMPARE = 0x05;
  private static final int WRITE_ZEROES = 0x08;
  private static final int MANAGE = 0x09;

  private static final int INVALID_OPCODE = 0x4001;
  private static final int INVALID_FIELD = 0x4002;
  private static final int INVALID_NAMESPACE = 0x400b;
  private static final int OUT_OF_RANGE = 0x4080;

  private static final long CC = 0x14;
  private static final long CSTS = 0x1c;
  private static final long AQA = 0x24;
  private static final long ASQ = 0x28;
  private static final long ACQ = 0x30;
  private static final long DOORBELLS = 0x1000;
  private static final int ENABLED = 0x46_0001;
  private static final int READY = 1;
  private static final int FATAL = 2;

  private int device = NO_FD;
  private int ioas;
  private MemorySegment ram = MemorySegment.NULL;
  private final Ring admin = new Ring(0, 0, 1);
  private final Ring blocks = new Ring(QUEUE, 2, 3);

  /** A pair of queues, each in a page of its own. */
  private static final class Ring {
    private final int id;
    private final int submissionPage;
    private final int completionPage;
    private int tail;
    private int head;
    private boolean phase = true;

    Ring(int id, int submissionPage, int completionPage) {
      this.id = id;
      this.submissionPage = submissionPage;
      this.completionPage = completionPage;
    }

    void clear() {
      tail = 0;
      head = 0;
      phase = true;
    }
  }

  /** How a command ended. */
  private record Ended(int status, int result) {
    private static final Ended WELL = new Ended(0, 0);
  }

  /** A command that is being made. */
  private static final class Command {
    private final MemorySegment bytes = MemorySegment.ofArray(new byte[64]);

    Command(int opcode) {
      bytes.set(ValueLayout.JAVA_BYTE, 0, (byte) opcode);
    }

    Command namespace(int namespace) {
      bytes.set(ValueLayout.JAVA_INT_UNALIGNED, 4, namespace);
      return this;
    }

    Command data(long first, long second) {
      bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, 24, first);
      bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, 32, second);
      return this;
    }

    Command word(int number, int value) {
      bytes.set(ValueLayout.JAVA_INT_UNALIGNED, 4L * number, value);
      return this;
    }

    Command range(long first, int count) {
      bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, 40, first);
      return word(12, count - 1);
    }
  }

  NvmeContract(Backend backend) {
    super(backend, Backend.NVME);
  }

  @BeforeEach
  void start() {
    device = enabledDevice();
    ioas = ioas();
    attached(device, ioas);
    long address = ram(MEMORY_PAGES * PAGE);
    succeeds(map(ioas, USUAL, address, MEMORY_PAGES * PAGE, IOVA));
    ram = at(address, MEMORY_PAGES * PAGE);
    write(device, CONFIG, 4, 2, read(device, CONFIG, 4, 2) | 6);
    enable();
    atEnd(() -> write(device, BAR0, CC, 4, 0));
  }

  private void enable() {
    write(device, BAR0, CC, 4, 0);
    write(device, BAR0, AQA, 4, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    write(device, BAR0, ASQ, 8, page(0));
    write(device, BAR0, ACQ, 8, page(1));
    write(device, BAR0, CC, 4, ENABLED);
    assertThat(read(device, BAR0, CSTS, 4)).isEqualTo(READY);
    ram.fill((byte) 0);
    admin.clear();
    blocks.clear();
  }

  private static long page(long number) {
    return IOVA + number * PAGE;
  }

  private MemorySegment pageHere(long number) {
    return ram.asSlice(number * PAGE, PAGE);
  }

  private Ended run(Ring ring, Command command) {
    long entry = ring.submissionPage * PAGE + ring.tail * 64L;
    MemorySegment.copy(command.bytes, 0, ram, entry, 64);
    ring.tail = (ring.tail + 1) % ENTRIES;
    write(device, BAR0, DOORBELLS + 8L * ring.id, 4, ring.tail);
    return next(ring);
  }

  private Ended next(Ring ring) {
    long entry = ring.completionPage * PAGE + ring.head * 16L;
    awaitedPhase(entry, ring.phase);
    int status = ram.get(ValueLayout.JAVA_INT, entry + 12) >>> 16;
    ring.head = (ring.head + 1) % ENTRIES;
    ring.phase ^= ring.head == 0;
    write(device, BAR0, DOORBELLS + 8L * ring.id + 4, 4, ring.head);
    return new Ended(status >>> 1, ram.get(ValueLayout.JAVA_INT, entry));
  }

  private int status(Ring ring, Command command) {
    return run(ring, command).status;
  }

  private static Command createCompletion(int id, int entries, int words) {
    return new Command(CREATE_COMPLETION)
        .data(page(3), 0)
        .word(10, (entries - 1) << 16 | id)
        .word(11, words);
  }

  private static Command createSubmission(int id, int entries, int words) {
    return new Command(CREATE_SUBMISSION)
        .data(page(2), 0)
        .word(10, (entries - 1) << 16 | id)
        .word(11, words);
  }

  private void makeQueues() {
    assertThat(run(admin, createCompletion(QUEUE, ENTRIES, 1))).isEqualTo(Ended.WELL);
    assertThat(run(admin, createSubmission(QUEUE, ENTRIES, QUEUE << 16 | 1))).isEqualTo(Ended.WELL);
  }

  private static Command move(int opcode, long first, int count, long prp1, long prp2) {
    return new Command(opcode).namespace(1).range(first, count).data(prp1, prp2);
  }

  @Test
  void theControllerSaysWhatItIs() {
    Command identify = new Command(IDENTIFY).data(page(4), 0).word(10, 1);
    assertThat(run(admin, identify)).isEqualTo(Ended.WELL);
    MemorySegment identity = pageHere(4);
    assertThat(text(identity, 4, 20)).isEqualTo("IOLITE-LAB-1");
    assertThat(text(identity, 24, 40)).isEqualTo("QEMU NVMe Ctrl");
    assertThat(identity.get(ValueLayout.JAVA_BYTE, 77)).as("MDTS").isEqualTo((byte) 7);
    assertThat(identity.get(ValueLayout.JAVA_SHORT, 512)).as("entries").isEqualTo((short) 0x4466);
    assertThat(identity.get(ValueLayout.JAVA_INT, 516)).as("namespaces").isEqualTo(256);
  }

  private static String text(MemorySegment from, long at, long bytes) {
    byte[] text = from.asSlice(at, bytes).toArray(ValueLayout.JAVA_BYTE);
    return new String(text, StandardCharsets.US_ASCII).strip();
  }

  @Test
  void itHasOneNamespaceOf64MebibytesInBlocksOf512() {
    Command identify = new Command(IDENTIFY).namespace(1).data(page(4), 0);
    assertThat(run(admin, identify)).isEqualTo(Ended.WELL);
    MemorySegment disk = pageHere(4);
    assertThat(disk.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(BLOCKS);
    int format = disk.get(ValueLayout.JAVA_BYTE, 26) & 15;
    assertThat(disk.get(ValueLayout.JAVA_BYTE, 130 + 4L * format)).isEqualTo((byte) 9);
    Command list = new Command(IDENTIFY).data(page(5), 0).word(10, 2);
    assertThat(run(admin, list)).isEqualTo(Ended.WELL);
    assertThat(pageHere(5).get(ValueLayout.JAVA_INT, 0)).isEqualTo(1);
    assertThat(pageHere(5).get(ValueLayout.JAVA_INT, 4)).isZero();
    assertThat(status(admin, list.namespace(1))).isZero();
    assertThat(pageHere(5).get(ValueLayout.JAVA_INT, 0)).isZero();
    assertThat(status(admin, list.namespace(-2))).isEqualTo(INVALID_NAMESPACE);
  }

  @Test
  void namespacesThatDoNotExistAreEmptyOrInvalid() {
    Command identify = new Command(IDENTIFY).data(page(4), 0);
    assertThat(status(admin, identify)).isEqualTo(INVALID_NAMESPACE);
    assertThat(status(admin, identify.namespace(-1))).isEqualTo(INVALID_NAMESPACE);
    assertThat(status(admin, identify.namespace(257))).isEqualTo(INVALID_NAMESPACE);
    pageHere(4).fill((byte) 1);
    assertThat(status(admin, identify.namespace(256))).isZero();
    assertThat(pageHere(4).get(ValueLayout.JAVA_LONG, 0)).isZero();
    assertThat(status(admin, identify.namespace(2).word(10, 3))).isEqualTo(INVALID_FIELD);
    assertThat(status(admin, identify.namespace(1).word(10, 3))).isZero();
    assertThat(status(admin, identify.word(10, 0x77))).isEqualTo(INVALID_FIELD);
  }

  @Test
  void itOffersManyQueuesUntilSomeAreMade() {
    int pairs = 63 << 16 | 63;
    Command get = new Command(GET_FEATURES).word(10, 7);
    Command set = new Command(SET_FEATURES).word(10, 7).word(11, 1 << 16 | 1);
    assertThat(run(admin, get)).isEqualTo(new Ended(0, pairs));
    assertThat(run(admin, set)).isEqualTo(new Ended(0, pairs));
    assertThat(status(admin, set.word(11, 0xffff))).isEqualTo(INVALID_FIELD);
    makeQueues();
    assertThat(status(admin, set.word(11, 0))).as("sequence error").isEqualTo(0x400c);
  }

  @Test
  void featuresAreReadAndSomeAreSet() {
    Command get = new Command(GET_FEATURES);
    assertThat(status(admin, get.word(10, 0x7f))).isEqualTo(INVALID_FIELD);
    assertThat(run(admin, get.word(10, 4))).as("temperature").isEqualTo(new Ended(0, 343));
    assertThat(run(admin, get.word(11, 1 << 20))).as("under").isEqualTo(Ended.WELL);
    assertThat(status(admin, get.word(11, 2 << 20))).isEqualTo(INVALID_FIELD);
    assertThat(run(admin, get.word(11, 1 << 16))).as("sensor 1").isEqualTo(Ended.WELL);
    get.word(11, 0);
    Command set = new Command(SET_FEATURES).word(10, 4).word(11, 350);
    assertThat(run(admin, set)).isEqualTo(Ended.WELL);
    assertThat(run(admin, get.word(10, 4))).isEqualTo(new Ended(0, 350));
    assertThat(run(admin, get.word(10, 1 << 8 | 4))).as("initial").isEqualTo(new Ended(0, 343));
    assertThat(run(admin, get.word(10, 3 << 8 | 4))).as("able").isEqualTo(new Ended(0, 4));
    assertThat(status(admin, set.word(10, 1 << 31 | 4))).as("saved").isEqualTo(0x410d);
    assertThat(status(admin, set.word(10, 1))).as("arbitration").isEqualTo(0x410e);
    assertThat(status(admin, set.word(10, 4).namespace(1))).as("of one").isEqualTo(0x410f);
    assertThat(run(admin, get.word(10, 9).word(11, 0))).isEqualTo(new Ended(0, 1 << 16));
    assertThat(run(admin, get.word(11, 64))).isEqualTo(new Ended(0, 64));
    assertThat(status(admin, get.word(11, 65))).isEqualTo(INVALID_FIELD);
  }

  @Test
  void aQueueIsCheckedBeforeItIsMade() {
    assertThat(status(admin, createCompletion(0, ENTRIES, 1))).isEqualTo(0x4101);
    assertThat(status(admin, createCompletion(65, ENTRIES, 1))).isEqualTo(0x4101);
    assertThat(status(admin, createCompletion(QUEUE, 1, 1))).isEqualTo(0x4102);
    assertThat(status(admin, createCompletion(QUEUE, 2049, 1))).isEqualTo(0x4102);
    Command shifted = createCompletion(QUEUE, ENTRIES, 1).data(page(3) + 8, 0);
    assertThat(status(admin, shifted)).isEqualTo(0x4013);
    assertThat(status(admin, createCompletion(QUEUE, ENTRIES, 1 << 16 | 1)))
        .as("a vector without MSI-X")
        .isEqualTo(0x4108);
    assertThat(status(admin, createCompletion(QUEUE, ENTRIES, 0))).isEqualTo(INVALID_FIELD);
    int words = QUEUE << 16 | 1;
    assertThat(status(admin, createSubmission(QUEUE, ENTRIES, words))).isEqualTo(0x4100);
    assertThat(status(admin, createSubmission(QUEUE, ENTRIES, 1))).isEqualTo(0x4100);
    makeQueues();
    assertThat(status(admin, createCompletion(QUEUE, ENTRIES, 1))).isEqualTo(0x4101);
    assertThat(status(admin, createSubmission(QUEUE, ENTRIES, words))).isEqualTo(0x4101);
    assertThat(status(admin, createSubmission(0, ENTRIES, words))).isEqualTo(0x4101);
    assertThat(status(admin, createSubmission(6, 1, words))).isEqualTo(0x4102);
    assertThat(status(admin, createSubmission(6, ENTRIES, words - 1))).isEqualTo(INVALID_FIELD);
  }

  @Test
  void aCompletionQueueIsDeletedLast() {
    makeQueues();
    Command submission = new Command(DELETE_SUBMISSION).word(10, QUEUE);
    Command completion = new Command(DELETE_COMPLETION).word(10, QUEUE);
    assertThat(status(admin, completion)).isEqualTo(0x10c);
    assertThat(status(admin, submission)).isZero();
    assertThat(status(admin, submission)).isEqualTo(0x4101);
    assertThat(status(admin, completion)).isZero();
    assertThat(status(admin, completion)).isEqualTo(0x4100);
    assertThat(status(admin, new Command(DELETE_SUBMISSION))).isEqualTo(0x4101);
    assertThat(status(admin, new Command(DELETE_COMPLETION))).isEqualTo(0x4100);
  }

  @Test
  void aFullCompletionQueueMakesCommandsWait() {
    // hw/nvme/ctrl.c:nvme_post_cqes, nvme_process_db
    assertThat(run(admin, createCompletion(QUEUE, 2, 1))).isEqualTo(Ended.WELL);
    assertThat(run(admin, createSubmission(QUEUE, ENTRIES, QUEUE << 16 | 1))).isEqualTo(Ended.WELL);
    for (int i = 0; i < 3; i++) {
      Command read = move(READ_BLOCKS, 0, 1, page(4 + i), 0);
      read.bytes.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2, (short) (100 + i));
      MemorySegment.copy(read.bytes, 0, ram, 2 * PAGE + i * 64L, 64);
    }
    write(device, BAR0, DOORBELLS + 8L * QUEUE, 4, 3);
    List<Short> ended = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      ended.add(awaitedPhase(3 * PAGE + i % 2 * 16L, i / 2 == 0));
      write(device, BAR0, DOORBELLS + 8L * QUEUE + 4, 4, (i + 1) % 2);
    }
    assertThat(ended)
        .as("reads end in any order")
        .containsExactlyInAnyOrder((short) 100, (short) 101, (short) 102);
  }

  /** The command that an entry is about, once it has this phase. */
  private short awaitedPhase(long entry, boolean phase) {
    long deadline = System.nanoTime() + 20_000_000_000L;
    while ((ram.get(ValueLayout.JAVA_INT, entry + 12) >>> 16 & 1) == 1 != phase) {
      assertThat(System.nanoTime()).as("the entry comes").isLessThan(deadline);
      LockSupport.parkNanos(10_000);
    }
    return ram.get(ValueLayout.JAVA_SHORT, entry + 12);
  }

  @Test
  void whatIsWrittenIsReadAgain() {
    makeQueues();
    long first = 1000;
    for (long i = 0; i < PAGE; i += 8) {
      pageHere(4).set(ValueLayout.JAVA_LONG, i, i * 0x1_0001);
    }
    assertThat(status(blocks, move(WRITE, first, 8, page(4), 0))).isZero();
    assertThat(status(blocks, move(READ_BLOCKS, first, 8, page(5), 0))).isZero();
    assertThat(pageHere(5).mismatch(pageHere(4))).isEqualTo(-1);
    assertThat(status(blocks, move(COMPARE, first, 8, page(4), 0))).isZero();
    pageHere(4).set(ValueLayout.JAVA_BYTE, 9, (byte) 99);
    assertThat(status(blocks, move(COMPARE, first, 8, page(4), 0))).isEqualTo(0x285);
    assertThat(status(blocks, new Command(0).namespace(1))).as("flush").isZero();
    assertThat(status(blocks, new Command(0).namespace(-1))).as("flush all").isZero();
    assertThat(status(blocks, move(WRITE_ZEROES, first + 1, 2, 0, 0))).isZero();
    assertThat(status(blocks, move(READ_BLOCKS, first, 8, page(6), 0))).isZero();
    pageHere(5).asSlice(BLOCK, 2 * BLOCK).fill((byte) 0);
    assertThat(pageHere(6).mismatch(pageHere(5))).isEqualTo(-1);
  }

  @Test
  void blocksThatAreGivenBackReadAsZeros() {
    makeQueues();
    long first = 2048;
    pageHere(4).fill((byte) 7);
    assertThat(status(blocks, move(WRITE, first, 8, page(4), 0))).isZero();
    MemorySegment range = pageHere(5);
    range.set(ValueLayout.JAVA_INT, 4, 8);
    range.set(ValueLayout.JAVA_LONG, 8, first);
    Command manage = new Command(MANAGE).namespace(1).data(page(5), 0);
    assertThat(status(blocks, manage.word(11, 4))).isZero();
    assertThat(status(blocks, move(READ_BLOCKS, first, 8, page(4), 0))).isZero();
    assertThat(pageHere(4).mismatch(pageHere(6))).isEqualTo(-1);
  }

  @Test
  void dataGoesToThePagesThatThePrpsName() {
    makeQueues();
    // From the middle of page 4, then to pages 9, 7 and 5, by a list in page 6.
    long first = 4096;
    long offset = 0x800;
    for (int i = 0; i < 4; i++) {
      pageHere(10 + i).fill((byte) (i + 1));
    }
    pageHere(14).set(ValueLayout.JAVA_LONG, 0, page(11));
    pageHere(14).set(ValueLayout.JAVA_LONG, 8, page(12));
    pageHere(14).set(ValueLayout.JAVA_LONG, 16, page(13));
    assertThat(status(blocks, move(WRITE, first, 28, page(10) + offset, page(14)))).isZero();
    pageHere(6).set(ValueLayout.JAVA_LONG, 0x100, page(9));
    pageHere(6).set(ValueLayout.JAVA_LONG, 0x108, page(7));
    pageHere(6).set(ValueLayout.JAVA_LONG, 0x110, page(5));
    Command read = move(READ_BLOCKS, first, 28, page(4) + offset, page(6) + 0x100);
    assertThat(status(blocks, read)).isZero();
    assertThat(pageHere(4).get(ValueLayout.JAVA_BYTE, offset - 1)).isZero();
    assertThat(pageHere(4).get(ValueLayout.JAVA_BYTE, offset)).isEqualTo((byte) 1);
    assertThat(pageHere(9).mismatch(pageHere(11))).isEqualTo(-1);
    assertThat(pageHere(7).mismatch(pageHere(12))).isEqualTo(-1);
    assertThat(pageHere(5).mismatch(pageHere(13))).isEqualTo(-1);

    pageHere(6).set(ValueLayout.JAVA_LONG, 0x108, page(7) + 8);
    assertThat(status(blocks, read)).as("an entry inside a page").isEqualTo(0x4013);
    Command two = move(READ_BLOCKS, first, 16, page(4), page(5) + 8);
    assertThat(status(blocks, two)).as("a second PRP inside a page").isEqualTo(0x4013);
  }

  @Test
  void aLongListGoesOnInAnotherPage() {
    makeQueues();
    // Three entries to the end of page 6, the last of which names the next list.
    pageHere(6).set(ValueLayout.JAVA_LONG, PAGE - 24, page(20));
    pageHere(6).set(ValueLayout.JAVA_LONG, PAGE - 16, page(21));
    pageHere(6).set(ValueLayout.JAVA_LONG, PAGE - 8, page(7));
    pageHere(7).set(ValueLayout.JAVA_LONG, 0, page(22));
    pageHere(7).set(ValueLayout.JAVA_LONG, 8, page(23));
    for (int i = 20; i < 24; i++) {
      pageHere(i).fill((byte) i);
    }
    Command write = move(WRITE, 8192, 40, page(19), page(6) + PAGE - 24);
    assertThat(status(blocks, write)).isZero();
    assertThat(status(blocks, move(READ_BLOCKS, 8192 + 32, 8, page(4), 0))).isZero();
    assertThat(pageHere(4).mismatch(pageHere(23))).isEqualTo(-1);
  }

  @Test
  void whatIsNotMappedIsLost() {
    makeQueues();
    long nowhere = IOVA + MEMORY_PAGES * PAGE;
    assertThat(status(blocks, move(READ_BLOCKS, 0, 1, nowhere, 0))).isZero();
    assertThat(status(blocks, move(READ_BLOCKS, 0, 24, page(4), nowhere)))
        .as("a list that can't be read")
        .isEqualTo(0x4004);
    assertThat(status(admin, new Command(IDENTIFY).data(nowhere, 0).word(10, 1))).isZero();
  }

  @Test
  void blocksBeyondTheDiskAreRefused() {
    makeQueues();
    assertThat(status(blocks, move(READ_BLOCKS, BLOCKS - 1, 1, page(4), 0))).isZero();
    assertThat(status(blocks, move(READ_BLOCKS, BLOCKS, 1, page(4), 0))).isEqualTo(OUT_OF_RANGE);
    assertThat(status(blocks, move(WRITE, BLOCKS - 1, 2, page(4), 0))).isEqualTo(OUT_OF_RANGE);
    assertThat(status(blocks, move(WRITE_ZEROES, -1, 2, page(4), 0))).isEqualTo(OUT_OF_RANGE);
    assertThat(status(blocks, move(READ_BLOCKS, 0, 1025, page(4), page(5))))
        .as("more than MDTS")
        .isEqualTo(INVALID_FIELD);
  }

  @Test
  void commandsThatDoNotExistAreRefused() {
    makeQueues();
    assertThat(status(admin, new Command(0x7f))).isEqualTo(INVALID_OPCODE);
    assertThat(status(blocks, new Command(0x7f).namespace(1))).isEqualTo(INVALID_OPCODE);
    assertThat(status(blocks, new Command(0x7f))).isEqualTo(INVALID_NAMESPACE);
    assertThat(status(blocks, new Command(READ_BLOCKS).namespace(2))).isEqualTo(INVALID_FIELD);
    assertThat(status(blocks, new Command(0).namespace(2))).isEqualTo(INVALID_FIELD);
    assertThat(run(admin, new Command(ABORT))).isEqualTo(new Ended(0, 1));
    assertThat(status(admin, new Command(ABORT).word(10, 9))).isEqualTo(INVALID_FIELD);
  }

  @Test
  void logsAreReadInParts() {
    Command log = new Command(GET_LOG).namespace(-1).data(page(4), 0);
    pageHere(4).fill((byte) 0x5a);
    assertThat(status(admin, log.word(10, 127 << 16 | 2))).isZero();
    assertThat(pageHere(4).get(ValueLayout.JAVA_SHORT_UNALIGNED, 1)).isEqualTo((short) 323);
    pageHere(5).fill((byte) 0x5a);
    log.data(page(5), 0);
    assertThat(status(admin, log.word(10, 127 << 16 | 3).word(12, 8))).isZero();
    assertThat(text(pageHere(5), 0, 8)).isEqualTo("1.0");
    assertThat(pageHere(5).get(ValueLayout.JAVA_BYTE, 504)).isEqualTo((byte) 0x5a);
    assertThat(status(admin, log.word(12, 512))).as("behind its end").isEqualTo(INVALID_FIELD);
    assertThat(status(admin, log.word(12, 2))).isEqualTo(INVALID_FIELD);
    assertThat(status(admin, log.word(12, 0).word(10, 0x70))).isEqualTo(INVALID_FIELD);
    assertThat(status(admin, log.word(10, 2).namespace(2))).isEqualTo(INVALID_NAMESPACE);
  }

  @Test
  void eachQueueHasItsVector() {
    int[] events = {eventfd(), eventfd(), eventfd()};
    MemorySegment set = sized(20 + 4L * events.length);
    vfio_irq_set.flags(set, Vfio.VFIO_IRQ_SET_DATA_EVENTFD() | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER());
    vfio_irq_set.index(set, Vfio.VFIO_PCI_MSIX_IRQ_INDEX());
    vfio_irq_set.count(set, events.length);
    for (int i = 0; i < events.length; i++) {
      set.set(ValueLayout.JAVA_INT, 20 + 4L * i, events[i]);
    }
    succeeds(ioctl(device, VFIO_DEVICE_SET_IRQS, set));
    assertThat(run(admin, createCompletion(QUEUE, ENTRIES, 2 << 16 | 3))).isEqualTo(Ended.WELL);
    assertThat(run(admin, createSubmission(QUEUE, ENTRIES, QUEUE << 16 | 1))).isEqualTo(Ended.WELL);
    assertThat(status(admin, createCompletion(6, ENTRIES, 65 << 16 | 3))).isEqualTo(0x4108);
    assertThat(status(blocks, move(READ_BLOCKS, 0, 1, page(4), 0))).isZero();
    assertThat(awaited(events[0])).as("of the admin queue").isPositive();
    assertThat(awaited(events[2])).as("of the other").isEqualTo(1);
  }

  /** An event count, once it is not zero. */
  private long awaited(int event) {
    MemorySegment count = zeros(8);
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (kernel.read(event, count.address(), 8) != 8) {
      assertThat(System.nanoTime()).as("the interrupt comes").isLessThan(deadline);
      LockSupport.parkNanos(10_000);
    }
    return count.get(ValueLayout.JAVA_LONG, 0);
  }

  @Test
  void aControllerThatCantBeEnabledSaysSo() {
    write(device, BAR0, CC, 4, 0);
    write(device, BAR0, ASQ, 8, page(0) + 8);
    write(device, BAR0, CC, 4, ENABLED);
    assertThat(read(device, BAR0, CSTS, 4)).isEqualTo(FATAL);
    write(device, BAR0, CC, 4, 0);
    assertThat(read(device, BAR0, CSTS, 4)).isZero();
    write(device, BAR0, ASQ, 8, page(0));
    write(device, BAR0, CC, 4, 1);
    assertThat(read(device, BAR0, CSTS, 4)).as("entries of one byte").isEqualTo(FATAL);
  }

  @Test
  void aControllerThatCantReadItsQueueIsDead() {
    write(device, BAR0, CC, 4, 0);
    write(device, BAR0, ASQ, 8, IOVA + MEMORY_PAGES * PAGE);
    write(device, BAR0, CC, 4, ENABLED);
    write(device, BAR0, DOORBELLS, 4, 1);
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (read(device, BAR0, CSTS, 4) != FATAL) {
      assertThat(System.nanoTime()).as("it is dead").isLessThan(deadline);
      LockSupport.parkNanos(10_000);
    }
  }

  @Test
  void aShutdownIsDoneAtOnceAndDisablingForgetsTheQueues() {
    makeQueues();
    write(device, BAR0, CC, 4, ENABLED | 1 << 14);
    assertThat(read(device, BAR0, CSTS, 4)).isEqualTo(READY | 2 << 2);
    enable();
    Command submission = new Command(DELETE_SUBMISSION).word(10, QUEUE);
    assertThat(status(admin, submission)).isEqualTo(0x4101);
    assertThat(run(admin, new Command(SET_FEATURES).word(10, 7)).status).isZero();
  }
}
