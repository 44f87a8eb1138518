package dev.iolite.vmm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.Capability;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.LapicState;
import dev.iolite.kvm.Msr;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmClock;
import dev.iolite.kvm.VmType;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * A guest that boots Linux: processors, RAM, a serial console, and PCI devices of the host.
 *
 * <p>Safe for use by several threads; {@link #run} is called once.
 */
public final class VirtualMachine implements AutoCloseable {
  /** MTRRdefType: enabled, write-back. */
  private static final Msr MTRR_WRITE_BACK = new Msr(0x2ff, 0xc06);

  /** LVT: the PIC's interrupts, non-maskable interrupts. */
  private static final int EXTERNAL = 0x700;

  private static final int NMI = 0x400;

  private final CloseStack open;
  private final Serial serial;
  private final PowerPorts power;
  private final End end;
  private final List<Processor> processors;

  private VirtualMachine(
      CloseStack open, Serial serial, PowerPorts power, End end, List<Processor> processors) {
    this.open = open;
    this.serial = serial;
    this.power = power;
    this.end = end;
    this.processors = processors;
  }

  /**
   * Makes a guest that is about to execute its kernel's first instruction.
   *
   * @param console where the guest's output goes
   * @throws PreconditionException if the kernel can't be booted, something does not fit into the
   *     guest's memory, or a device is not ready to be assigned
   * @throws KernelException what the kernel said
   */
  public static VirtualMachine create(Kernel kernel, VmConfig config, OutputStream console) {
    try (CloseStack opening = new CloseStack();
        Arena files = Arena.ofConfined()) {
      BzImage image = config.kernelImage(files);
      GuestMemory memory = opening.push(new GuestMemory(kernel, config.memoryBytes()));
      LinuxBoot boot = new LinuxBoot(image, memory);
      Kvm kvm = opening.push(Kvm.open(kernel));
      GuestCpuid cpuid =
          new GuestCpuid(kvm.supportedCpuid(), kvm.check(Capability.TSC_DEADLINE_TIMER) != 0);
      PciWindow window = new PciWindow(memory.highEnd(), cpuid.addressBits());
      Vm vm = opening.push(kvm.createVm(config.type()));
      Optional<PrivateMemory> privateMemory = addTo(vm, memory);
      boot.load(config.initrd(files), withClock(config.commandLine(), vm.clock()));
      vm.setTssAddress(MemoryMap.TSS);
      vm.setIdentityMapAddress(MemoryMap.IDENTITY_MAP);
      vm.interrupts().createIrqchip();
      vm.interrupts().createPit(true);

      new AcpiTables(
              memory.at(MemoryMap.ACPI, MemoryMap.HIGH_MEMORY - MemoryMap.ACPI), MemoryMap.ACPI)
          .write(config.cpus(), window);

      End end = new End();
      PortBus ports = new PortBus();
      PowerPorts power = new PowerPorts(end::with);
      power.addTo(ports);
      Serial serial = new Serial(console, high -> vm.interrupts().setLine(Serial.LINE, high));
      ports.add(Serial.PORT, Serial.PORTS, serial);
      ports.add(Rtc.INDEX, Rtc.PORTS, new Rtc(InstantSource.system()));
      PciBus pci = new PciBus();
      pci.addTo(ports);
      pci.add(new HostBridge());
      HostDevices.add(kernel, config.devices(), vm, memory, pci, window, opening);

      List<Processor> processors = new ArrayList<>();
      for (int id = 0; id < config.cpus(); id++) {
        Vcpu vcpu = vm.createVcpu(id);
        vcpu.x86().setCpuid(cpuid.of(id, config.cpus()));
        vcpu.x86().setMsrs(List.of(MTRR_WRITE_BACK));
        LapicState lapic = vcpu.x86().lapic();
        vcpu.x86()
            .setLapic(lapic.with(LapicState.LVT_LINT0, EXTERNAL).with(LapicState.LVT_LINT1, NMI));
        if (id == 0) {
          boot.enter(vcpu);
        }
        processors.add(new Processor(privateMemory, vcpu, ports, pci, end));
      }
      return new VirtualMachine(opening.release(), serial, power, end, processors);
    }
  }

  private static Optional<PrivateMemory> addTo(Vm vm, GuestMemory memory) {
    if (vm.type() == VmType.DEFAULT) {
      memory.addTo(vm);
      return Optional.empty();
    }
    vm.exitOnMapGpa();
    return Optional.of(memory.addPrivateTo(vm));
  }

  /**
   * Tells the rate of the time stamp counter to a kernel that does not ask KVM for it. Such a
   * kernel measures it with the PIT, which fails in a machine that is slow, as a nested one is.
   * First, it is set to what the host knows now, so that deadline timers fire.
   */
  private static String withClock(String commandLine, VmClock clock) {
    clock.setTscKhz(0);
    return "tsc_early_khz=" + clock.tscKhz() + " " + commandLine;
  }

  /** Lets the guest read what was typed at its console. */
  public void type(byte[] bytes, int count) {
    serial.type(bytes, count);
  }

  /**
   * Runs the guest until it ends, or the calling thread is interrupted. Its processors have threads
   * of their own, which have ended when this returns.
   *
   * @param stop whether to end it, as when the process is to end; asked ten times a second
   * @throws GuestFailedException if it comes to an end that no guest should come to
   * @throws KernelException what the kernel said to a call that the guest made necessary
   */
  public Outcome run(BooleanSupplier stop) {
    List<Thread> threads = new ArrayList<>();
    for (int id = 0; id < processors.size(); id++) {
      threads.add(Thread.ofPlatform().name("vCPU " + id).daemon().start(processors.get(id)));
    }
    try {
      return power.meant(end.await(stop));
    } finally {
      end.with(Outcome.STOPPED);
      processors.forEach(Processor::stop);
      joinAll(threads);
    }
  }

  private static void joinAll(List<Thread> threads) {
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends the guest; {@link #run} then returns {@link Outcome#STOPPED}. */
  public void stop() {
    end.with(Outcome.STOPPED);
  }

  /** Closes the VM, and gives its memory and its devices back. */
  @Override
  public void close() {
    open.close();
  }
}
