package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_SET_IRQS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_irq_set;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A device's interrupts, given to eventfds. */
abstract class VfioIrqContract extends VfioContract {
  private static final int NONE = Vfio.VFIO_IRQ_SET_DATA_NONE();
  private static final int BOOL = Vfio.VFIO_IRQ_SET_DATA_BOOL();
  private static final int EVENTFD = Vfio.VFIO_IRQ_SET_DATA_EVENTFD();
  private static final int MASK = Vfio.VFIO_IRQ_SET_ACTION_MASK();
  private static final int UNMASK = Vfio.VFIO_IRQ_SET_ACTION_UNMASK();
  private static final int TRIGGER = Vfio.VFIO_IRQ_SET_ACTION_TRIGGER();
  private static final int INTX = Vfio.VFIO_PCI_INTX_IRQ_INDEX();
  private static final int MSI = Vfio.VFIO_PCI_MSI_IRQ_INDEX();
  private static final int MSIX = Vfio.VFIO_PCI_MSIX_IRQ_INDEX();
  private static final int ERR = Vfio.VFIO_PCI_ERR_IRQ_INDEX();
  private static final int REQ = Vfio.VFIO_PCI_REQ_IRQ_INDEX();
  private static final int HEAD = 20;
  private static final int SOON = 20_000;
  private static final long RAISE = 0x60;
  private static final long STATUS = 0x24;
  private static final long ACKNOWLEDGE = 0x64;

  private int device = NO_FD;

  VfioIrqContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @BeforeEach
  void enable() {
    device = enabledDevice();
  }

  private MemorySegment irqsOf(int flags, int index, int start, int count, int... fds) {
    MemorySegment set = sized(HEAD + 4 * fds.length);
    vfio_irq_set.flags(set, flags);
    vfio_irq_set.index(set, index);
    vfio_irq_set.start(set, start);
    vfio_irq_set.count(set, count);
    for (int i = 0; i < fds.length; i++) {
      set.set(ValueLayout.JAVA_INT, HEAD + 4L * i, fds[i]);
    }
    return set;
  }

  private int irqs(int flags, int index, int start, int count, int... fds) {
    return ioctl(device, VFIO_DEVICE_SET_IRQS, irqsOf(flags, index, start, count, fds));
  }

  private int irqs(int flags, int index, boolean bool) {
    MemorySegment set = withTail(irqsOf(flags, index, 0, 1), 1, bool ? 1 : 0);
    return ioctl(device, VFIO_DEVICE_SET_IRQS, set);
  }

  /** Waits for an eventfd, and says how often it was signalled. */
  private long awaited(int eventfd) {
    MemorySegment poll = struct(pollfd.layout());
    pollfd.fd(poll, eventfd);
    pollfd.events(poll, (short) Libc.POLLIN());
    assertThat(kernel.poll(poll.address(), 1, SOON)).as("the interrupt came").isEqualTo(1);
    return signals(eventfd);
  }

  @Test
  void theSizeOfSetIrqsIsTwentyBytesAtLeast() {
    // vfio_main.c:vfio_set_irqs_validate_and_prepare
    MemorySegment set = irqsOf(NONE | TRIGGER, MSI, 0, 0);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_SET_IRQS, shortened(set, HEAD - 1)));
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_SET_IRQS, NOWHERE));
  }

  @Test
  void anIndexBeyondTheLastIsInvalid() {
    // vfio_main.c:vfio_set_irqs_validate_and_prepare
    fails(Errno.EINVAL, irqs(NONE | TRIGGER, 5, 0, 0));
  }

  @Test
  void unknownFlagsAreInvalid() {
    // vfio_main.c:vfio_set_irqs_validate_and_prepare
    fails(Errno.EINVAL, irqs(NONE | TRIGGER | 1 << 6, MSI, 0, 0));
  }

  @Test
  void twoKindsOfDataAreInvalid() {
    // vfio_main.c:vfio_set_irqs_validate_and_prepare: default of the switch
    fails(Errno.EINVAL, irqs(NONE | BOOL | TRIGGER, MSI, 0, 0));
    fails(Errno.EINVAL, irqs(TRIGGER, MSI, 0, 0));
  }

  @Test
  void startAndCountLieWithinTheVectors() {
    // vfio_main.c:vfio_set_irqs_validate_and_prepare
    fails(Errno.EINVAL, irqs(NONE | TRIGGER, MSI, 1, 0));
    fails(Errno.EINVAL, irqs(EVENTFD | TRIGGER, MSI, 0, 2, -1, -1));
    fails(Errno.EINVAL, irqs(NONE | TRIGGER, MSI, 1, -1));
  }

  @Test
  void aDeviceWithoutMsixTakesNotEvenNoneOfIt() {
    // vfio_main.c:vfio_set_irqs_validate_and_prepare: start is not below 0 vectors
    fails(Errno.EINVAL, irqs(NONE | TRIGGER, MSIX, 0, 0));
  }

  @Test
  void theDataMustFitTheSize() {
    // vfio_main.c:vfio_set_irqs_validate_and_prepare
    fails(Errno.EINVAL, irqs(EVENTFD | TRIGGER, MSI, 0, 1));
    fails(Errno.EINVAL, irqs(BOOL | TRIGGER, MSI, 0, 1));
  }

  @Test
  void dataBeyondTheEndOfMemoryIsAFault() {
    // vfio_pci_core.c:vfio_pci_ioctl_set_irqs: memdup_user
    long end = endOfMemory();
    MemorySegment set = at(end - HEAD, HEAD);
    set.copyFrom(irqsOf(EVENTFD | TRIGGER, MSI, 0, 1, -1).asSlice(0, HEAD));
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_SET_IRQS, end - HEAD));
  }

  @Test
  void messageInterruptsAreNotMasked() {
    // vfio_pci_intrs.c:vfio_pci_set_irqs_ioctl
    fails(Errno.ENOTTY, irqs(NONE | MASK, MSI, 0, 1));
    fails(Errno.ENOTTY, irqs(NONE | UNMASK, MSI, 0, 1));
  }

  @Test
  void errorAndRequestAreOnlyTriggered() {
    // vfio_pci_intrs.c:vfio_pci_set_irqs_ioctl
    fails(Errno.ENOTTY, irqs(NONE | MASK, ERR, 0, 1));
    fails(Errno.ENOTTY, irqs(NONE | UNMASK, REQ, 0, 1));
  }

  @Test
  void noActionIsNoCommand() {
    // vfio_pci_intrs.c:vfio_pci_set_irqs_ioctl
    fails(Errno.ENOTTY, irqs(NONE, MSI, 0, 1));
  }

  @Test
  void anEventfdIsGivenToAMessageInterrupt() {
    // vfio_pci_intrs.c:vfio_pci_set_msi_trigger
    int event = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, event));
    assertThat(signals(event)).isZero();
    succeeds(irqs(NONE | TRIGGER, MSI, 0, 0));
  }

  @Test
  void aMessageInterruptIsTriggeredByHand() {
    // vfio_pci_intrs.c:vfio_pci_set_msi_trigger: loopback
    int event = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, event));
    succeeds(irqs(NONE | TRIGGER, MSI, 0, 1));
    assertThat(signals(event)).isEqualTo(1);
    succeeds(irqs(BOOL | TRIGGER, MSI, true));
    assertThat(signals(event)).isEqualTo(1);
    succeeds(irqs(BOOL | TRIGGER, MSI, false));
    assertThat(signals(event)).isZero();
  }

  @Test
  void aMessageInterruptThatIsNotSetUpIsNotTriggered() {
    // vfio_pci_intrs.c:vfio_pci_set_msi_trigger
    fails(Errno.EINVAL, irqs(NONE | TRIGGER, MSI, 0, 1));
    fails(Errno.EINVAL, irqs(BOOL | TRIGGER, MSI, true));
  }

  @Test
  void messageInterruptsThatAreOffAreNotSwitchedOff() {
    // vfio_pci_intrs.c:vfio_pci_set_msi_trigger: irq_is is false, and then is checked again
    fails(Errno.EINVAL, irqs(NONE | TRIGGER, MSI, 0, 0));
  }

  @Test
  void theDevicesMessageArrives() {
    // vfio_pci_intrs.c:vfio_msihandler
    int event = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, event));
    write(device, BAR0, RAISE, 4, 1);
    assertThat(awaited(event)).isEqualTo(1);
    assertThat(read(device, BAR0, STATUS, 4)).isEqualTo(1);
    write(device, BAR0, ACKNOWLEDGE, 4, 1);
    assertThat(read(device, BAR0, STATUS, 4)).isZero();
  }

  @Test
  void anEventfdIsReplacedByAnother() {
    // vfio_pci_intrs.c:vfio_msi_set_vector_signal
    int first = eventfd();
    int second = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, first));
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, second));
    succeeds(irqs(NONE | TRIGGER, MSI, 0, 1));
    assertThat(signals(first)).isZero();
    assertThat(signals(second)).isEqualTo(1);
  }

  @Test
  void anEventfdIsTakenAwayWithMinusOne() {
    // vfio_pci_intrs.c:vfio_msi_set_vector_signal: fd < 0
    int event = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, event));
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, -1));
    succeeds(irqs(NONE | TRIGGER, MSI, 0, 1));
    assertThat(signals(event)).isZero();
  }

  @Test
  void messageInterruptsAreEnabledWithoutAnEventfd() {
    // vfio_pci_intrs.c:vfio_pci_set_msi_trigger: the vectors are allocated all the same
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, -1));
    succeeds(irqs(NONE | TRIGGER, MSI, 0, 1));
  }

  @Test
  void aFileThatIsNoEventfdIsInvalidAndNothingIsEnabled() {
    // vfio_pci_intrs.c:vfio_msi_set_vector_signal: eventfd_ctx_fdget
    fails(Errno.EINVAL, irqs(EVENTFD | TRIGGER, MSI, 0, 1, iommufd));
    fails(Errno.EINVAL, irqs(NONE | TRIGGER, MSI, 0, 1));
  }

  @Test
  void aDescriptorThatIsNotOpenIsABadOne() {
    // fs/eventfd.c:eventfd_ctx_fdget
    fails(Errno.EBADF, irqs(EVENTFD | TRIGGER, MSI, 0, 1, 0x7fff_fff0));
  }

  @Test
  void anEventfdMayBeClosedWhileItIsInUse() {
    // fs/eventfd.c:eventfd_ctx_fdget holds the context, not the file
    int event = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, event));
    close(event);
    succeeds(irqs(NONE | TRIGGER, MSI, 0, 1));
  }

  @Test
  void aDeviceHasOneKindOfInterruptAtATime() {
    // vfio_pci_intrs.c:vfio_pci_set_intx_trigger, vfio_pci_set_msi_trigger: irq_type
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, eventfd()));
    fails(Errno.EINVAL, irqs(EVENTFD | TRIGGER, INTX, 0, 1, eventfd()));
    succeeds(irqs(NONE | TRIGGER, MSI, 0, 0));
    succeeds(irqs(EVENTFD | TRIGGER, INTX, 0, 1, eventfd()));
    fails(Errno.EINVAL, irqs(EVENTFD | TRIGGER, MSI, 0, 1, eventfd()));
  }

  @Test
  void theLineInterruptArrivesAndIsMaskedUntilItIsUnmasked() {
    // vfio_pci_intrs.c:vfio_intx_handler
    int event = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, INTX, 0, 1, event));
    write(device, BAR0, RAISE, 4, 1);
    assertThat(awaited(event)).isEqualTo(1);
    write(device, BAR0, ACKNOWLEDGE, 4, 1);
    write(device, BAR0, RAISE, 4, 1);
    assertThat(signals(event)).isZero();
    succeeds(irqs(NONE | UNMASK, INTX, 0, 1));
    assertThat(awaited(event)).isEqualTo(1);
    write(device, BAR0, ACKNOWLEDGE, 4, 1);
  }

  @Test
  void theLineInterruptIsTriggeredByHand() {
    // vfio_pci_intrs.c:vfio_pci_set_intx_trigger
    int event = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, INTX, 0, 1, event));
    succeeds(irqs(NONE | TRIGGER, INTX, 0, 1));
    assertThat(signals(event)).isEqualTo(1);
    succeeds(irqs(BOOL | TRIGGER, INTX, false));
    assertThat(signals(event)).isZero();
  }

  @Test
  void theLineInterruptThatIsOffIsInvalidToTriggerOrMask() {
    // vfio_pci_intrs.c:vfio_pci_set_intx_trigger, vfio_pci_set_intx_mask
    fails(Errno.EINVAL, irqs(NONE | TRIGGER, INTX, 0, 1));
    fails(Errno.EINVAL, irqs(NONE | MASK, INTX, 0, 1));
    fails(Errno.EINVAL, irqs(NONE | UNMASK, INTX, 0, 1));
  }

  @Test
  void theLineInterruptIsOneAndIsSetWhole() {
    // vfio_pci_intrs.c:vfio_pci_set_intx_trigger: count must be 1
    fails(Errno.EINVAL, irqs(EVENTFD | TRIGGER, INTX, 0, 0));
    succeeds(irqs(EVENTFD | TRIGGER, INTX, 0, 1, eventfd()));
    succeeds(irqs(NONE | TRIGGER, INTX, 0, 0));
    fails(Errno.EINVAL, irqs(NONE | TRIGGER, INTX, 0, 1));
  }

  @Test
  void aMaskedLineInterruptWaits() {
    // vfio_pci_intrs.c:vfio_pci_intx_mask
    int event = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, INTX, 0, 1, event));
    succeeds(irqs(NONE | MASK, INTX, 0, 1));
    write(device, BAR0, RAISE, 4, 1);
    assertThat(signals(event)).isZero();
    succeeds(irqs(BOOL | UNMASK, INTX, true));
    assertThat(awaited(event)).isEqualTo(1);
    write(device, BAR0, ACKNOWLEDGE, 4, 1);
  }

  @Test
  void theLineInterruptIsUnmaskedByAnEventfd() {
    // vfio_pci_intrs.c:vfio_pci_set_intx_unmask: a virqfd
    int event = eventfd();
    int unmask = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, INTX, 0, 1, event));
    succeeds(irqs(EVENTFD | UNMASK, INTX, 0, 1, unmask));
    write(device, BAR0, RAISE, 4, 1);
    assertThat(awaited(event)).isEqualTo(1);
    MemorySegment one = zeros(8);
    one.set(ValueLayout.JAVA_LONG, 0, 1);
    assertThat(kernel.write(unmask, one.address(), 8)).isEqualTo(8);
    assertThat(awaited(event)).isEqualTo(1);
    write(device, BAR0, ACKNOWLEDGE, 4, 1);
  }

  @Test
  void eventfdsForNoMessageAreOutOfRangeUntilThereAreMessages() {
    // vfio_pci_intrs.c:vfio_msi_enable, msi.c:__pci_enable_msi_range: at least one is wanted
    fails(Errno.ERANGE, irqs(EVENTFD | TRIGGER, MSI, 0, 0));
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, -1));
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 0));
  }

  @Test
  void messagesThatNobodyTookAreOneForWhoAsksLater() {
    // kernel/irq/chip.c:handle_edge_irq leaves IRQS_PENDING, and __setup_irq sends it again
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, -1));
    write(device, BAR0, RAISE, 4, 1);
    write(device, BAR0, RAISE, 4, 1);
    write(device, BAR0, ACKNOWLEDGE, 4, 1);
    int event = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, event));
    assertThat(awaited(event)).isEqualTo(1);
    succeeds(irqs(NONE | TRIGGER, MSI, 0, 0));
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, event));
    assertThat(signals(event)).isZero();
  }

  @Test
  void anInterruptThatUnmasksItselfIsNeverSeen() {
    // virqfd.c:virqfd_wakeup takes the count, and virqfd_inject signals again while it is pending
    int event = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, INTX, 0, 1, event));
    succeeds(irqs(EVENTFD | UNMASK, INTX, 0, 1, event));
    write(device, BAR0, RAISE, 4, 1);
    write(device, BAR0, ACKNOWLEDGE, 4, 1);
    assertThat(signals(event)).isZero();
  }

  @Test
  void errorAndRequestTakeOneEventfdAndAreTriggeredByHand() {
    // vfio_pci_intrs.c:vfio_pci_set_ctx_trigger_single
    for (int index : new int[] {ERR, REQ}) {
      int event = eventfd();
      succeeds(irqs(EVENTFD | TRIGGER, index, 0, 1, event));
      succeeds(irqs(NONE | TRIGGER, index, 0, 1));
      assertThat(signals(event)).isEqualTo(1);
      succeeds(irqs(EVENTFD | TRIGGER, index, 0, 1, -1));
      fails(Errno.EINVAL, irqs(NONE | TRIGGER, index, 0, 1));
      fails(Errno.EINVAL, irqs(EVENTFD | TRIGGER, index, 0, 0));
    }
  }

  @Test
  void closingTheDeviceGivesItsEventfdsBack() {
    // vfio_pci_core.c:vfio_pci_core_disable
    int event = eventfd();
    succeeds(irqs(EVENTFD | TRIGGER, MSI, 0, 1, event));
    close(device);
    device = enabledDevice();
    fails(Errno.EINVAL, irqs(NONE | TRIGGER, MSI, 0, 1));
    assertThat(signals(event)).isZero();
  }
}
