package dev.iolite.mock.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Registers;
import dev.iolite.mock.core.HostUserMemory;
import dev.iolite.mock.core.MapRequest;
import dev.iolite.mock.core.MappedObject;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Reach;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_memory_attributes;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A guest reaches a device through a slot over a mapped BAR, and private registers by a mapping.
 */
class RegistersBehindSlotTest {
  private static final long BAR = 0xd000_0000L;

  /** Registers that note each access, and can be switched off. */
  private final class Device implements Memory {
    @Override
    public void read(long offset, MemorySegment into) {
      requireOn();
      accesses.add("read %d 0x%x".formatted(into.byteSize(), offset));
      into.fill((byte) 0x11);
    }

    @Override
    public void write(long offset, MemorySegment from) {
      requireOn();
      accesses.add("write %d 0x%x".formatted(from.byteSize(), offset));
    }

    private void requireOn() {
      if (!on) {
        throw new Memory.Unreachable("memory decode is off");
      }
    }
  }

  private final List<String> accesses = new ArrayList<>();
  private final List<Long> seen = new ArrayList<>();
  private boolean on = true;
  private final HostKernel host = new HostKernel();
  private final HostUserMemory user = new HostUserMemory(host);
  private final Task task = new Task(host, user);
  private final Device registers = new Device();
  private KvmVcpu vcpu = newVcpu(Kvm.KVM_X86_DEFAULT_VM());

  private KvmVcpu newVcpu(int type) {
    GuestScript script =
        GuestScript.builder()
            .readShared(BAR + 0x10, 4, seen::add)
            .writeShared(BAR + 0x20, 8, 5)
            .readPrivate(BAR, 4, seen::add)
            .build();
    KvmSetup setup = KvmSetup.on(KvmPlatform.plain()).running((_, _) -> Optional.of(script));
    KvmVm vm = KvmVm.create(new KvmHost(task, setup), type);
    return new KvmVcpu(vm, 0, true);
  }

  @BeforeEach
  void enter() {
    task.enter();
  }

  @AfterEach
  void leave() {
    task.leave();
    user.close();
  }

  private void addSlotOverBar() {
    OpenFile file =
        new OpenFile(task) {
          @Override
          public String name() {
            return "bar";
          }

          @Override
          public MappedObject mmap(MapRequest request) {
            return new MappedObject.DeviceRegisters(
                new Registers() {
                  @Override
                  public long read(long offset, int bytes) {
                    return 0;
                  }

                  @Override
                  public void write(long offset, int bytes, long value) {}
                },
                registers,
                () -> true,
                _ -> OptionalInt.empty());
          }
        };
    long at =
        task.memory()
            .map(
                0,
                RawKvm.PAGE,
                Libc.PROT_READ() | Libc.PROT_WRITE(),
                Libc.MAP_SHARED(),
                Optional.of(file),
                0);
    MemorySegment region = kvm_userspace_memory_region2.allocate(Arena.ofAuto());
    kvm_userspace_memory_region2.guest_phys_addr(region, BAR);
    kvm_userspace_memory_region2.memory_size(region, RawKvm.PAGE);
    kvm_userspace_memory_region2.userspace_addr(region, at);
    vcpu.vm().slots().set(region);
  }

  private int reason() {
    return vcpu.run().segment().get(ValueLayout.JAVA_INT, 8);
  }

  private void efault() {
    assertThatThrownBy(vcpu::runGuest)
        .isInstanceOfSatisfying(Refused.class, e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
  }

  @Test
  void eachAccessReachesTheDeviceInItsWidth() {
    addSlotOverBar();
    vcpu.runGuest();
    assertThat(reason()).isEqualTo(Kvm.KVM_EXIT_HLT());
    assertThat(accesses).containsExactly("read 4 0x10", "write 8 0x20", "read 4 0x0");
    assertThat(seen).containsExactly(0x11111111L, 0x11111111L);
  }

  @Test
  void registersThatAreOffAreAFaultWithoutExplanation() {
    addSlotOverBar();
    on = false;
    efault();
    assertThat(reason()).isEqualTo(Kvm.KVM_EXIT_UNKNOWN());
    on = true;
    vcpu.runGuest();
    assertThat(reason()).isEqualTo(Kvm.KVM_EXIT_HLT());
  }

  @Test
  void aPrivateMappingServesPrivateAccessesOnly() {
    vcpu = newVcpu(Kvm.KVM_X86_SW_PROTECTED_VM());
    addSlotOverBar();
    assertThat(vcpu.vm().layout())
        .singleElement()
        .satisfies(range -> assertThat(range.isPrivate()).isFalse());
    MemorySegment attributes = kvm_memory_attributes.allocate(Arena.ofAuto());
    kvm_memory_attributes.address(attributes, BAR);
    kvm_memory_attributes.size(attributes, RawKvm.PAGE);
    kvm_memory_attributes.attributes(attributes, Kvm.KVM_MEMORY_ATTRIBUTE_PRIVATE());
    vcpu.vm().attributes().set(attributes);
    efault();
    assertThat(reason()).isEqualTo(Kvm.KVM_EXIT_MEMORY_FAULT());
    PrivateMappings mappings = vcpu.vm().privateMappings();
    var mapping =
        new PrivateMappings.Mapping(
            BAR, RawKvm.PAGE, registers, 0x100, "TDI BAR 0", () -> Reach.OPEN);
    assertThat(mappings.map(mapping)).isTrue();
    assertThat(mappings.map(mapping)).isFalse();
    vcpu.runGuest();
    assertThat(accesses).containsExactly("read 4 0x110", "write 8 0x120", "read 4 0x100");
    assertThat(vcpu.vm().layout())
        .extracting(GuestRange::toString)
        .containsExactly(
            "0xd0000000-0xd0001000 private TDI BAR 0", "0xd0000000-0xd0001000 private nothing");
    assertThat(mappings.unmap(BAR)).isTrue();
    assertThat(mappings.unmap(BAR)).isFalse();
  }
}
