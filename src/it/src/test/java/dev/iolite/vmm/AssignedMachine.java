package dev.iolite.vmm;

import static java.util.Objects.requireNonNull;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Kernel;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.GeneralRegisters;
import dev.iolite.kvm.IoapicState;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.LapicState;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.VfioDevice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A VM with the VMM's PCI bus, and a guest that does one thing at a time: a few instructions of
 * real mode, which end at a port. What leaves the guest on the way is the bus's to answer, and is
 * counted.
 */
final class AssignedMachine implements AutoCloseable {
  static final int ADDRESS = 0xcf8;
  static final int DATA = 0xcfc;

  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long RAM = 2 << 20;
  private static final long CODE = 0x1000;
  private static final long STACK = 0x8000;
  private static final long HANDLER = 0x1800;
  private static final int DONE = 0x10;
  private static final long END_OF_INTERRUPT = MemoryMap.LOCAL_APIC + 0xb0;
  private static final int SPURIOUS = 0xf0;
  private static final int ENABLED = 0x1ff;
  private static final int REQUESTS = 0x200;
  private static final int ADDRESS_BITS = 40;

  private final CloseStack given = new CloseStack();
  private final CloseStack open = new CloseStack();
  private final Kernel kernel;
  private final GuestMemory memory;
  private final Vm vm;
  private final Vcpu vcpu;
  private final PortBus ports = new PortBus();
  private final PciBus bus = new PciBus();
  private final PciWindow window;
  private final InterruptRoutes routes;
  private @Nullable VfioFunction function;
  private int exits;

  AssignedMachine(Kernel kernel) {
    this.kernel = kernel;
    memory = open.push(new GuestMemory(kernel, RAM));
    vm = open.push(open.push(Kvm.open(kernel)).createVm(VmType.DEFAULT));
    memory.addTo(vm);
    vm.interrupts().createIrqchip();
    window = new PciWindow(memory.highEnd(), ADDRESS_BITS);
    routes = new InterruptRoutes(vm.interrupts());
    vcpu = vm.createVcpu(0);
    LapicState lapic = vcpu.x86().lapic();
    vcpu.x86().setLapic(lapic.with(SPURIOUS, ENABLED));
    bus.addTo(ports);
    bus.add(new HostBridge());
  }

  /** Gives a device of the host to vfio-pci until the machine is closed. */
  PciDevice give(PciAddress address) {
    PciDevice device = new Pci(kernel).device(address);
    given.push(DriverBinding.bind(device, "vfio-pci"));
    return device;
  }

  /** Puts a device on the bus as {@link HostDevices} does, and returns VFIO's side of it. */
  BoundVfioDevice assign(PciAddress address) {
    PciDevice host = give(address);
    Iommufd iommufd = open.push(Iommufd.open(kernel));
    Ioas ioas = open.push(iommufd.allocIoas());
    BoundVfioDevice device;
    try (VfioDevice unbound = VfioDevice.open(kernel, host.requireVfioCdev(), address.toString())) {
      device = open.push(unbound.bind(iommufd));
    }
    open.push(device.attach(ioas.id()));
    device.reset();
    function = open.push(new VfioFunction(kernel, device, vm, window, routes, nextLine()));
    bus.add(function);
    return device;
  }

  /** Lets {@link HostDevices} do all of it. */
  void assignAsTheVmmDoes(PciAddress address) {
    give(address);
    HostDevices.add(kernel, List.of(address), vm, memory, bus, window, open);
  }

  /** The GSI of the device that is put on the bus next. */
  int nextLine() {
    return PciBus.lineOf(bus.nextSlot());
  }

  /** The device that was assigned last. */
  VfioFunction function() {
    return requireNonNull(function);
  }

  PciBus bus() {
    return bus;
  }

  Vm vm() {
    return vm;
  }

  // -- Configuration space

  private static int selector(int slot, int offset) {
    return 1 << 31 | slot << 11 | (offset & 0xfc);
  }

  /** Reads configuration space at the two ports, as many bytes as an IN has. */
  int config(int slot, int offset, int bytes) {
    bus.write(ADDRESS, Integer.BYTES, selector(slot, offset));
    long value = Integer.toUnsignedLong(bus.read(DATA + (offset & 3), bytes));
    return (int) (value & -1L >>> (Long.SIZE - bytes * Byte.SIZE));
  }

  void setConfig(int slot, int offset, int bytes, int value) {
    bus.write(ADDRESS, Integer.BYTES, selector(slot, offset));
    bus.write(DATA + (offset & 3), bytes, value);
  }

  // -- The guest

  private static void add(List<Integer> code, int... bytes) {
    for (int next : bytes) {
      code.add(next);
    }
  }

  private static void addWord(List<Integer> code, long value) {
    for (int i = 0; i < Integer.BYTES; i++) {
      code.add((int) (value >> (i * Byte.SIZE)) & 0xff);
    }
  }

  /** Runs instructions until one is an output to the port that means the end; what it says. */
  private int run(List<Integer> code) {
    for (int i = 0; i < code.size(); i++) {
      memory.at(CODE, 0x800).set(ValueLayout.JAVA_BYTE, i, code.get(i).byteValue());
    }
    vcpu.enterRealMode(CODE);
    vcpu.setRegisters(
        new GeneralRegisters(0, 0, 0, 0, 0, 0, STACK, 0, 0, 0, 0, 0, 0, 0, 0, 0, CODE, 2));
    exits = 0;
    while (true) {
      switch (vcpu.run(PATIENCE)) {
        case Exit.IoOut out when out.port() == DONE -> {
          return out.value(0);
        }
        case Exit.IoOut out -> ports.handle(out);
        case Exit.IoIn in -> ports.handle(in);
        case Exit.MmioRead read -> bus.handle(read);
        case Exit.MmioWrite write -> bus.handle(write);
        case Exit other -> throw new AssertionError(other.toString());
      }
      exits++;
    }
  }

  /** How often the guest left while it did the last thing. */
  int exits() {
    return exits;
  }

  /** The guest reads 32 bits of memory. */
  int read32(long gpa) {
    List<Integer> code = new ArrayList<>();
    add(code, 0x66, 0x67, 0xa1);
    addWord(code, gpa);
    add(code, 0x66, 0xe7, DONE);
    return run(code);
  }

  /** The guest writes 32 bits of memory. */
  void write32(long gpa, int value) {
    List<Integer> code = new ArrayList<>();
    add(code, 0x66, 0xb8);
    addWord(code, value);
    add(code, 0x66, 0x67, 0xa3);
    addWord(code, gpa);
    add(code, 0xe6, DONE);
    run(code);
  }

  /** The guest reads an I/O port. */
  int readPort(int port, int bytes) {
    List<Integer> code = new ArrayList<>();
    add(code, 0x66, 0x31, 0xc0, 0xba, port & 0xff, port >> 8);
    switch (bytes) {
      case 1 -> add(code, 0xec);
      case 2 -> add(code, 0xed);
      default -> add(code, 0x66, 0xed);
    }
    add(code, 0x66, 0xe7, DONE);
    return run(code);
  }

  /** The guest writes a byte to an I/O port. */
  void writePort(int port, int value) {
    run(List.of(0xba, port & 0xff, port >> 8, 0xb0, value, 0xee, 0xe6, DONE));
  }

  /** The guest lets an interrupt come: whether this one did. It does not end it. */
  boolean takes(int vector) {
    memory.at(vector * 4L, 4).set(ValueLayout.JAVA_INT, 0, (int) HANDLER);
    byte[] handler = {(byte) 0xb0, 1, (byte) 0xe6, DONE};
    memory.at(HANDLER, handler.length).copyFrom(MemorySegment.ofArray(handler));
    // sti; nop; nop; cli; mov al, 0; out
    return run(List.of(0xfb, 0x90, 0x90, 0xfa, 0xb0, 0, 0xe6, DONE)) == 1;
  }

  /** The guest ends the interrupt that it took. */
  void endInterrupt() {
    write32(END_OF_INTERRUPT, 0);
  }

  // -- What KVM has

  /** Sends a pin of the I/O APIC to the vCPU as a level. */
  void sendLevel(int pin, int vector) {
    IoapicState state = vm.interrupts().ioapic();
    List<Long> entries = new ArrayList<>(state.redirections());
    entries.set(pin, 0x8000L | vector);
    vm.interrupts()
        .setIoapic(
            new IoapicState(
                state.baseAddress(), state.selected(), state.id(), state.irr(), entries));
  }

  /** Whether the local APIC has a request for an interrupt. */
  boolean isRequested(int vector) {
    int register = vcpu.x86().lapic().register(REQUESTS + vector / Integer.SIZE * 0x10);
    return (register >>> vector % Integer.SIZE & 1) != 0;
  }

  /** Whether it comes to have one: on its way are threads of the kernel. */
  boolean comes(int vector) {
    return await(() -> isRequested(vector));
  }

  /** Whether something comes to be. */
  static boolean await(BooleanSupplier condition) {
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        return false;
      }
      LockSupport.parkNanos(1_000_000);
    }
    return true;
  }

  @Override
  public void close() {
    // A VM holds the devices that it knows.
    open.close();
    given.close();
  }
}
