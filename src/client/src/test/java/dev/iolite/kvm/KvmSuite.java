package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.SysFs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What KVM does with us, on whatever kernel has a {@code /dev/kvm}. */
abstract class KvmSuite {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final long PAGE = 4096;
  private static final Duration SHORT = Duration.ofMillis(50);

  private final Kernel kernel;
  private List<String> descriptorsBefore = List.of();

  KvmSuite(Kernel kernel) {
    this.kernel = kernel;
  }

  private Guest guest(int... code) {
    return new Guest(kernel, code);
  }

  @BeforeEach
  void kvmIsThere() {
    // Also loads the classes that hold descriptors of their own.
    try (Kvm kvm = Kvm.open(kernel)) {
      kvm.createVm(VmType.DEFAULT).close();
    } catch (KernelException e) {
      assumeTrue(false, "no usable KVM here: " + e.getMessage());
    }
    descriptorsBefore = descriptors();
  }

  @AfterEach
  void noDescriptorIsLeft() {
    assertThat(descriptors()).isEqualTo(descriptorsBefore);
  }

  /** The KVM descriptors of this process; others come and go with the JVM. */
  private List<String> descriptors() {
    SysFs proc = new SysFs(kernel);
    return proc.list("/proc/self/fd").stream()
        .flatMap(fd -> proc.linkName("/proc/self/fd/" + fd).stream())
        .filter(name -> name.contains("kvm"))
        .toList();
  }

  @Test
  void helloGuestPrintsItsTextAndHalts() {
    HelloGuest.Result result = HelloGuest.run(kernel, "Hello, wörld\n", LONG);

    assertThat(result.text()).isEqualTo("Hello, wörld\n");
    assertThat(result.exits()).isEqualTo("Hello, w..rld\n".length() + 1);
  }

  @Test
  void aVcpuThatRunsCanNeitherBeClosedNorRunByAnother() throws Exception {
    // in al, dx; hlt
    try (Guest guest = guest(0xec, 0xf4)) {
      FutureTask<Boolean> fromOutside =
          new FutureTask<>(() -> {
            assertRefused(guest.vcpu);
            return true;
          });
      Exit last =
          guest.vcpu.run(
              LONG,
              exit -> {
                if (exit instanceof Exit.IoIn) {
                  assertNoSecondRun(guest.vcpu);
                  Thread.ofPlatform().start(fromOutside);
                  assertThat(fromOutside).succeedsWithin(LONG);
                  return true;
                }
                return false;
              });
      assertThat(last).as("the run goes on").isInstanceOf(Exit.Hlt.class);
      guest.vcpu.close();
      guest.vcpu.close();
      assertThatThrownBy(() -> guest.vcpu.run(SHORT))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("is closed");
    }
  }

  private static void assertRefused(Vcpu vcpu) {
    assertThatThrownBy(vcpu::close)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("can't be closed while it runs");
    assertNoSecondRun(vcpu);
  }

  private static void assertNoSecondRun(Vcpu vcpu) {
    assertThatThrownBy(() -> vcpu.run(SHORT))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("runs already");
  }

  @Test
  void anotherThreadStopsAGuestThatNeverHalts() {
    // out 0x10, al; jmp $
    try (Guest guest = guest(0xe6, 0x10, 0xeb, 0xfe)) {
      assertThatThrownBy(() ->
              guest.vcpu.run(exit -> {
                Thread.ofPlatform().start(guest.vcpu::stop);
                return exit instanceof Exit.IoOut;
              }))
          .isInstanceOf(GuestStoppedException.class);
    }
  }

  @Test
  void aStopBeforeTheRunEndsThatRunAndNoOther() {
    // hlt
    try (Guest guest = guest(0xf4)) {
      guest.vcpu.stop();
      assertThatThrownBy(() -> guest.vcpu.run(_ -> false))
          .isInstanceOf(GuestStoppedException.class);
      assertThat(guest.vcpu.run(_ -> false)).isInstanceOf(Exit.Hlt.class);
      guest.vcpu.close();
      assertThatThrownBy(guest.vcpu::stop)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("is closed");
    }
  }

  @Test
  void aGuestThatNeverHaltsIsStoppedAtTheDeadlineAndCanRunAgain() {
    // jmp $
    try (Guest guest = guest(0xeb, 0xfe)) {
      assertThatThrownBy(() -> guest.vcpu.run(SHORT))
          .isInstanceOf(GuestDeadlineException.class)
          .hasMessageContaining("KVM_RUN on KVM vCPU")
          .hasMessageContaining(
              "did not stop within 50 ms (exits handled: 0; stopped at rip=0x1000")
          .hasMessageContaining("Next: ");

      guest.ram.segment().set(ValueLayout.JAVA_BYTE, 0, (byte) 0xf4);
      assertThat(guest.vcpu.run(LONG)).isInstanceOf(Exit.Hlt.class);
    }
  }

  @Test
  void aGuestThatKeepsLeavingIsStoppedAtTheDeadlineToo() {
    // out 0x10, al; jmp to it
    try (Guest guest = guest(0xe6, 0x10, 0xeb, 0xfc)) {
      List<Exit> exits = new ArrayList<>();
      assertThatThrownBy(() -> guest.vcpu.run(SHORT, exits::add))
          .isInstanceOf(GuestDeadlineException.class)
          .hasMessageContaining("exits handled: " + exits.size());
      assertThat(exits).isNotEmpty();
    }
  }

  @Test
  void aGuestThatNeverHaltsIsStoppedWhenSomebodyAsksAndCanRunAgain() {
    // jmp $
    try (Guest guest = guest(0xeb, 0xfe)) {
      AtomicInteger asked = new AtomicInteger();
      BooleanSupplier atTheThirdLook = () -> asked.incrementAndGet() > 2;
      assertThatThrownBy(() -> guest.vcpu.run(LONG, atTheThirdLook, _ -> true))
          .isInstanceOf(GuestStoppedException.class)
          .hasMessageContaining("KVM_RUN on KVM vCPU")
          .hasMessageContaining("stopped before it was done, as requested");
      assertThat(asked).hasValue(3);

      guest.ram.segment().set(ValueLayout.JAVA_BYTE, 0, (byte) 0xf4);
      assertThat(guest.vcpu.run(LONG)).isInstanceOf(Exit.Hlt.class);
    }
  }

  @Test
  void aGuestIsNotEnteredOnceSomebodyHasAskedForItsStop() {
    // out 0x10, al; hlt
    try (Guest guest = guest(0xe6, 0x10, 0xf4)) {
      assertThatThrownBy(() -> guest.vcpu.run(LONG, () -> true, _ -> true))
          .isInstanceOf(GuestStoppedException.class);
      assertThat(guest.vcpu.registers().rip()).isEqualTo(0x1000);
    }
  }

  @Test
  void whatTheHandlerThrowsEndsTheRunAndTheGuestCanGoOn() {
    // out 0x10, al; hlt
    try (Guest guest = guest(0xe6, 0x10, 0xf4)) {
      IllegalStateException thrown = new IllegalStateException("from the handler");
      assertThatThrownBy(() ->
              guest.vcpu.run(
                  LONG,
                  _ -> {
                    throw thrown;
                  }))
          .isSameAs(thrown);
      assertThat(guest.vcpu.run(LONG)).isInstanceOf(Exit.Hlt.class);
    }
  }

  @Test
  void portInputIsAnsweredInEveryWidth() {
    // mov dx, 0x1234; in al, dx; out dx, al; in ax, dx; out dx, ax; in eax, dx; out dx, eax; hlt
    try (Guest guest =
        guest(0xba, 0x34, 0x12, 0xec, 0xee, 0xed, 0xef, 0x66, 0xed, 0x66, 0xef, 0xf4)) {
      List<String> out = new ArrayList<>();
      Exit last =
          guest.vcpu.run(
              LONG,
              exit -> {
                switch (exit) {
                  case Exit.IoIn in -> {
                    assertThat(in.port()).isEqualTo(0x1234);
                    assertThat(in.count()).isEqualTo(1);
                    in.respond(0xfedcba98);
                  }
                  case Exit.IoOut io -> out.add(io.size() + ":" + Integer.toHexString(io.value()));
                  default -> {
                    return false;
                  }
                }
                return true;
              });
      assertThat(last).isInstanceOf(Exit.Hlt.class);
      assertThat(out).containsExactly("1:98", "2:ba98", "4:fedcba98");
    }
  }

  @Test
  void aStringInstructionMovesManyValues() {
    // mov si, 0x1100; mov cx, 5; mov dx, 0x10; cld; rep outsb; hlt
    try (Guest guest = guest(0xbe, 0x00, 0x11, 0xb9, 5, 0, 0xba, 0x10, 0, 0xfc, 0xf3, 0x6e, 0xf4)) {
      byte[] text = "abcde".getBytes(StandardCharsets.US_ASCII);
      MemorySegment.copy(text, 0, guest.ram.segment(), ValueLayout.JAVA_BYTE, 0x100, text.length);
      StringBuilder out = new StringBuilder();
      guest.vcpu.run(
          LONG,
          exit -> {
            if (!(exit instanceof Exit.IoOut io)) {
              return false;
            }
            for (int i = 0; i < io.count(); i++) {
              out.append((char) io.value(i));
            }
            assertThatThrownBy(() -> io.value(io.count()))
                .isInstanceOf(IndexOutOfBoundsException.class);
            return true;
          });
      assertThat(out).hasToString("abcde");
    }
  }

  @Test
  void anAddressWithoutASlotIsMmio() {
    // mov eax, [0xd0000010]; not eax; mov [0xd0000020], eax; mov [0xd0000030], al; hlt
    try (Guest guest =
        guest(
            0x67, 0x66, 0xa1, 0x10, 0, 0, 0xd0, 0x66, 0xf7, 0xd0, 0x67, 0x66, 0xa3, 0x20, 0, 0,
            0xd0, 0x67, 0xa2, 0x30, 0, 0, 0xd0, 0xf4)) {
      List<String> seen = new ArrayList<>();
      Exit last =
          guest.vcpu.run(
              LONG,
              exit -> {
                switch (exit) {
                  case Exit.MmioRead read -> {
                    seen.add("read 0x%x %d".formatted(read.gpa(), read.size()));
                    read.respond(0x01020304);
                  }
                  case Exit.MmioWrite write ->
                      seen.add(
                          "write 0x%x %d 0x%x".formatted(write.gpa(), write.size(), write.value()));
                  default -> {
                    return false;
                  }
                }
                return true;
              });
      assertThat(last).isInstanceOf(Exit.Hlt.class);
      assertThat(seen)
          .containsExactly(
              "read 0xd0000010 4", "write 0xd0000020 4 0xfefdfcfb", "write 0xd0000030 1 0xfb");
    }
  }

  @Test
  void aSlotAboveOneMebibyteIsReachedFromRealMode() {
    // mov eax, [0xd0000010]; out 0x10, eax; mov dword [0xd0000014], 0x12345678; hlt
    try (Guest guest =
            guest(
                0x67, 0x66, 0xa1, 0x10, 0, 0, 0xd0, 0x66, 0xe7, 0x10, 0x67, 0x66, 0xc7, 0x05, 0x14,
                0, 0, 0xd0, 0x78, 0x56, 0x34, 0x12, 0xf4);
        Mapping far = Mapping.anonymous(kernel, PAGE);
        MemorySlot slot = guest.vm.addSlot(0xd000_0000L, PAGE, far.address())) {
      assertThat(slot.contains(0xd000_0fffL)).isTrue();
      assertThat(slot.contains(0xd000_1000L)).isFalse();
      far.segment().set(ValueLayout.JAVA_INT, 0x10, 0xcafe);
      assertThat(guest.vcpu.run(LONG))
          .isInstanceOfSatisfying(
              Exit.IoOut.class, out -> assertThat(out.value()).isEqualTo(0xcafe));
      assertThat(guest.vcpu.run(LONG)).isInstanceOf(Exit.Hlt.class);
      assertThat(far.segment().get(ValueLayout.JAVA_INT, 0x14)).isEqualTo(0x12345678);
    }
  }

  @Test
  void aWriteToAReadOnlySlotIsMmio() {
    // mov al, [0x2000]; mov [0x2001], al; hlt
    try (Guest guest = guest(0xa0, 0x00, 0x20, 0xa2, 0x01, 0x20, 0xf4);
        Mapping rom = Mapping.anonymous(kernel, PAGE);
        MemorySlot slot = guest.vm.addSlot(0x2000, PAGE, rom.address(), SlotFlag.READONLY)) {
      assertThat(slot.flags()).containsExactly(SlotFlag.READONLY);
      rom.segment().set(ValueLayout.JAVA_BYTE, 0, (byte) 0x5a);
      assertThat(guest.vcpu.run(LONG))
          .isInstanceOfSatisfying(
              Exit.MmioWrite.class,
              write -> {
                assertThat(write.gpa()).isEqualTo(0x2001);
                assertThat(write.value()).isEqualTo(0x5a);
              });
      assertThat(rom.segment().get(ValueLayout.JAVA_BYTE, 1)).isZero();
    }
  }

  @Test
  void aGuestThatCanNotGoOnEndsTheRun() {
    // lidt [0x1100], which is empty; mov eax, cr0; or al, 1; mov cr0, eax; int3
    try (Guest guest =
        guest(0x0f, 0x01, 0x1e, 0x00, 0x11, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0xcc)) {
      // A triple fault; a KVM that emulates real mode gives up on the int3 already.
      assertThat(guest.vcpu.run(LONG))
          .isInstanceOfAny(Exit.Shutdown.class, Exit.KvmInternalError.class);
    }
  }

  @Test
  void registersAreSetAndRead() {
    try (Guest guest = guest(0xf4)) {
      GeneralRegisters set =
          new GeneralRegisters(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 2);
      guest.vcpu.setRegisters(set);
      assertThat(guest.vcpu.registers()).isEqualTo(set);
    }
  }

  @Test
  void realModeBeginsInTheSlotOfTheCodeAndBelowOneMebibyte() {
    try (Guest guest = guest(0xf4);
        Mapping far = Mapping.anonymous(kernel, PAGE);
        MemorySlot high = guest.vm.addSlot(1 << 20, PAGE, far.address());
        Vcpu second = guest.vm.createVcpu(1, high)) {
      assertThatThrownBy(() -> guest.vcpu.enterRealMode(0x2000))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x2000");
      assertThatThrownBy(() -> second.enterRealMode(1 << 20))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void codeAboveTheFirst64KibibytesRuns() {
    try (Guest guest = guest();
        Mapping far = Mapping.anonymous(kernel, PAGE);
        MemorySlot slot = guest.vm.addSlot(0xf_f000, PAGE, far.address());
        Vcpu vcpu = guest.vm.createVcpu(1, slot)) {
      far.segment().set(ValueLayout.JAVA_BYTE, 0xff0, (byte) 0xf4);
      vcpu.enterRealMode(0xf_fff0);
      assertThat(vcpu.run(LONG)).isInstanceOf(Exit.Hlt.class);
      assertThat(vcpu.registers().rip()).isEqualTo(0xfff1);
    }
  }

  @Test
  void aSlotThatOverlapsAnotherIsRefused() {
    try (Guest guest = guest(0xf4)) {
      assertThatThrownBy(() -> guest.vm.addSlot(Guest.GPA, PAGE, guest.ram.address()))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST))
          .hasMessageContaining("guest_phys_addr=0x1000")
          .hasMessageContaining("overlap");
    }
  }

  @Test
  void anUnalignedSlotIsRefused() {
    try (Guest guest = guest(0xf4)) {
      assertThatThrownBy(() -> guest.vm.addSlot(0x2800, PAGE, guest.ram.address()))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
          .hasMessageContaining("page-aligned");
    }
  }

  @Test
  void aDeletedSlotIsGoneAndItsNumberIsFree() {
    try (Guest guest = guest(0xf4)) {
      MemorySlot other = guest.vm.addSlot(0x2000, PAGE, guest.ram.address());
      other.close();
      other.close();
      assertThat(other.exists()).isFalse();
      try (MemorySlot again = guest.vm.addSlot(0x2000, PAGE, guest.ram.address())) {
        assertThat(again.number()).isEqualTo(other.number());
        other.close();
        assertThat(again.exists()).isTrue();
      }
    }
  }

  @Test
  void aVcpuNeedsASlotOfItsVmToBeMadeAndToRun() {
    try (Guest guest = guest(0xf4);
        Guest other = guest(0xf4)) {
      assertThatThrownBy(() -> guest.vm.createVcpu(1, other.slot))
          .isInstanceOf(IllegalArgumentException.class);
      guest.slot.close();
      assertThatThrownBy(() -> guest.vcpu.run(LONG))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("is deleted");
    }
  }

  @Test
  void aSecondVcpuOfTheSameIdIsRefused() {
    try (Guest guest = guest(0xf4)) {
      assertThatThrownBy(() -> guest.vm.createVcpu(0, guest.slot))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST));
    }
  }

  @Test
  void aVcpuIsNotRunByAVirtualThread() throws Exception {
    try (Guest guest = guest(0xf4)) {
      FutureTask<Exit> run = new FutureTask<>(() -> guest.vcpu.run(LONG));
      Thread.startVirtualThread(run);
      assertThatThrownBy(run::get).hasRootCauseInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void closingTheVmClosesWhatWasMadeFromIt() {
    try (Kvm kvm = Kvm.open(kernel);
        Mapping ram = Mapping.anonymous(kernel, PAGE)) {
      Vm vm = kvm.createVm(VmType.DEFAULT);
      MemorySlot slot = vm.addSlot(Guest.GPA, PAGE, ram.address());
      Vcpu vcpu = vm.createVcpu(0, slot);
      vm.close();
      vm.close();
      assertThat(slot.exists()).isFalse();
      assertThat(vcpu.fd().isClosed()).isTrue();
      assertThat(vm.fd().isClosed()).isTrue();
      vcpu.close();
      slot.close();
    }
  }

  @Test
  void aTypeThatTheHostLacksIsRefused() {
    try (Kvm kvm = Kvm.open(kernel)) {
      Set<VmType> missing = EnumSet.complementOf(EnumSet.copyOf(kvm.vmTypes()));
      assumeFalse(missing.isEmpty(), "this host has every type of VM");
      for (VmType type : missing) {
        assertThatThrownBy(() -> kvm.createVm(type))
            .isInstanceOfSatisfying(
                KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
            .hasMessageContaining("KVM_CAP_VM_TYPES");
      }
    }
  }

  @Test
  void aCapabilityThatCanNotBeSwitchedOnIsRefused() {
    try (Guest guest = guest(0xf4)) {
      assertThatThrownBy(() -> guest.vm.enable(Capability.NR_MEMSLOTS, 1))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    }
  }

  @Test
  void theVfioDeviceIsMadeOnceAndTakesOnlyVfioFiles() {
    try (Guest guest = guest(0xf4);
        VfioKvmDevice device = vfioDevice(guest.vm);
        EventFd notVfio = EventFd.create(kernel)) {
      assertThatThrownBy(guest.vm::createVfioDevice)
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
      assertThatThrownBy(() -> device.add(notVfio::fd))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
          .hasMessageContaining("no VFIO device");
      assertThatThrownBy(() -> device.remove(notVfio.fd()))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
    }
  }

  private static VfioKvmDevice vfioDevice(Vm vm) {
    try {
      return vm.createVfioDevice();
    } catch (KernelException e) {
      assumeFalse(e.errno() == Errno.ENODEV, "this kernel has no CONFIG_KVM_VFIO");
      throw e;
    }
  }

  @Test
  void aGuestRunsFromMappedGuestMemfd() {
    try (Guest guest = guest(0xf4)) {
      Set<GuestMemfd.Flag> flags =
          GuestMemfd.Flag.ofBits(guest.vm.check(Capability.GUEST_MEMFD_FLAGS));
      assumeTrue(
          flags.containsAll(List.of(GuestMemfd.Flag.values())),
          "this kernel's guest_memfd can't be mapped");
      try (GuestMemfd memory =
              guest.vm.createGuestMemfd(
                  2 * PAGE, GuestMemfd.Flag.MMAP, GuestMemfd.Flag.INIT_SHARED);
          Mapping mapped = memory.map();
          MemorySlot slot =
              guest.vm.addPrivateSlot(0x2000, PAGE, mapped.address() + PAGE, memory, PAGE);
          Vcpu vcpu = guest.vm.createVcpu(1, slot)) {
        mapped.segment().set(ValueLayout.JAVA_BYTE, PAGE, (byte) 0xf4);
        vcpu.enterRealMode(0x2000);
        assertThat(vcpu.run(LONG)).isInstanceOf(Exit.Hlt.class);
        assertThat(slot.flags()).containsExactly(SlotFlag.GUEST_MEMFD);
      }
    }
  }

  @Test
  void guestMemfdThatWasNotMadeToBeMappedIsNot() {
    try (Guest guest = guest(0xf4)) {
      assumeTrue(guest.vm.check(Capability.GUEST_MEMFD) != 0, "this kernel has no guest_memfd");
      try (GuestMemfd memory = guest.vm.createGuestMemfd(PAGE)) {
        assertThat(memory)
            .hasToString("guest_memfd %d (of %s)".formatted(memory.fd().number(), guest.vm.fd()));
        assertThatThrownBy(memory::map)
            .isInstanceOfSatisfying(
                KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
      }
    }
  }

  @Test
  void anAccessToPrivateMemoryThatIsNotThereIsAMemoryFault() {
    try (Kvm kvm = Kvm.open(kernel)) {
      assumeTrue(kvm.vmTypes().contains(VmType.SW_PROTECTED), "this host has no VM of that type");
      try (Mapping ram = Mapping.anonymous(kernel, 2 * PAGE);
          Vm vm = kvm.createVm(VmType.SW_PROTECTED)) {
        // mov al, [0x2000]; hlt
        MemorySegment.copy(
            new byte[] {(byte) 0xa0, 0x00, 0x20, (byte) 0xf4},
            0,
            ram.segment(),
            ValueLayout.JAVA_BYTE,
            0,
            4);
        Vcpu vcpu = vm.createVcpu(0, vm.addSlot(Guest.GPA, 2 * PAGE, ram.address()));
        vcpu.enterRealMode(Guest.GPA);
        vm.setPrivate(0x2000, PAGE, true);
        assertThat(vcpu.run(LONG)).isEqualTo(new Exit.MemoryFault(true, 0x2000, PAGE));
        vm.setPrivate(0x2000, PAGE, false);
        assertThat(vcpu.run(LONG)).isInstanceOf(Exit.Hlt.class);
      }
    }
  }

  @Test
  void privateMemoryIsApartFromSharedMemory() {
    try (Kvm kvm = Kvm.open(kernel)) {
      assumeTrue(kvm.vmTypes().contains(VmType.SW_PROTECTED), "this host has no VM of that type");
      try (Mapping ram = Mapping.anonymous(kernel, PAGE);
          Mapping shared = Mapping.anonymous(kernel, PAGE);
          Vm vm = kvm.createVm(VmType.SW_PROTECTED);
          GuestMemfd secret = vm.createGuestMemfd(PAGE)) {
        // mov byte [0x2000], 0x5a; mov al, [0x2000]; out 0x10, al; hlt
        byte[] code = {
          (byte) 0xc6,
          0x06,
          0x00,
          0x20,
          0x5a,
          (byte) 0xa0,
          0x00,
          0x20,
          (byte) 0xe6,
          0x10,
          (byte) 0xf4
        };
        MemorySegment.copy(code, 0, ram.segment(), ValueLayout.JAVA_BYTE, 0, code.length);
        Vcpu vcpu = vm.createVcpu(0, vm.addSlot(Guest.GPA, PAGE, ram.address()));
        vm.addPrivateSlot(0x2000, PAGE, shared.address(), secret, 0);
        vm.setPrivate(0x2000, PAGE, true);
        vcpu.enterRealMode(Guest.GPA);
        assertThat(vcpu.run(LONG))
            .isInstanceOfSatisfying(
                Exit.IoOut.class, out -> assertThat(out.value()).isEqualTo(0x5a));
        assertThat(shared.segment().get(ValueLayout.JAVA_BYTE, 0)).isZero();
      }
    }
  }

  @Test
  void infoSaysWhatTheCallsSay() {
    KvmInfo info = KvmInfo.of(kernel);

    assertThat(info.apiVersion()).isEqualTo(12);
    assertThat(info.types()).extracting(KvmInfo.Type::type).containsExactly(VmType.values());
    assertThat(info.types().getFirst().works()).isTrue();
    assertThat(info.types())
        .allSatisfy(type -> assertThat(type.works() && !type.offered()).isFalse());
    assertThat(info.vcpuMmapBytes()).isGreaterThanOrEqualTo(2 * (int) PAGE);
    assertThat(info.maxMemorySlots()).isPositive();
    assertThat(info.recommendedVcpus()).isBetween(1, info.maxVcpus());
    assertThat(info.capabilities())
        .containsEntry("USER_MEMORY", 1)
        .containsEntry("NR_MEMSLOTS", info.maxMemorySlots());
    try (Kvm kvm = Kvm.open(kernel)) {
      assertThat(kvm.check(Capability.raw(Capability.NR_MEMSLOTS.number())))
          .isEqualTo(info.maxMemorySlots());
    }
  }

  @Test
  void helloGuestRefusesATextThatItCanNotPrint() {
    assertThatThrownBy(() -> HelloGuest.run(kernel, "a\0b", LONG))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> HelloGuest.run(kernel, "x".repeat((int) PAGE), LONG))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
