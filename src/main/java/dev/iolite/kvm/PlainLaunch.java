package dev.iolite.kvm;

/** A VM that needs nothing before it runs. */
public final class PlainLaunch implements VmLaunch {
  private final Vm vm;
  private final Vcpu vcpu;

  PlainLaunch(Vm vm) {
    this.vm = vm;
    vcpu = vm.createVcpu(0);
  }

  @Override
  public Vm vm() {
    return vm;
  }

  @Override
  public Vcpu vcpu() {
    return vcpu;
  }

  @Override
  public void finish() {}

  @Override
  public void close() {
    vm.close();
  }
}
