package dev.iolite.kvm;

/**
 * A model-specific register and its value.
 *
 * @param index which register
 * @param value its value
 */
public record Msr(int index, long value) {
  @Override
  public String toString() {
    return "MSR 0x%x = 0x%x".formatted(index, value);
  }
}
