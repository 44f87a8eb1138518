package dev.iolite.kvm;

/**
 * A VM that needs no preparation before it runs.
 *
 * <p>Not safe for use by several threads.
 */
public final class PlainLaunch extends VmLaunch {

  PlainLaunch(Vm vm) {
    super(vm, vm.createVcpu(0));
  }

  @Override
  public void finish() {}
}
