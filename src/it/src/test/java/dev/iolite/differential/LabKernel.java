package dev.iolite.differential;

import dev.iolite.mock.MockKernel;
import dev.iolite.tsm.Profile;
import java.util.Arrays;
import java.util.List;

/** A kernel of the lab, the model that is held against it, and the programs that both run. */
enum LabKernel {
  /** Linux 7.3 as it is. */
  STOCK("stock", 48) {
    @Override
    List<String> devices() {
      return List.of(EDU, NVME);
    }

    @Override
    MockKernel model() {
      return MockKernel.plain();
    }

    @Override
    List<Op> program(long seed) {
      return Generator.program(seed);
    }
  },

  /** The same with the private half of a confidential assignment, and a TSM in software. */
  SEED_2025("seed-2025", 100) {
    @Override
    List<String> devices() {
      return List.of(EDU, NVME, IVSHMEM);
    }

    @Override
    MockKernel model() {
      return MockKernel.builder().profile(Profile.SEED_2025).build();
    }

    @Override
    List<Op> program(long seed) {
      return SeedGenerator.program(seed);
    }
  };

  /** The device with a region that is nothing but memory. */
  static final String IVSHMEM = "0000:00:07.0";

  private static final String EDU = "0000:00:02.0";
  private static final String NVME = "0000:00:03.0";

  private final String label;
  private final int callsPerProgram;

  LabKernel(String label, int callsPerProgram) {
    this.label = label;
    this.callsPerProgram = callsPerProgram;
  }

  /**
   * The kernel that {@code scripts/lab --kernel} calls so.
   *
   * @throws IllegalArgumentException if no program is known for it
   */
  static LabKernel of(String label) {
    return Arrays.stream(values())
        .filter(kernel -> kernel.label.equals(label))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("no programs for a kernel '" + label + "'"));
  }

  /** Its name in {@code scripts/lab --kernel}. */
  String label() {
    return label;
  }

  /** How many calls its programs have, about. */
  int callsPerProgram() {
    return callsPerProgram;
  }

  /** The addresses of the devices that programs open, in the order in which OPEN counts them. */
  abstract List<String> devices();

  /** A model that has just started. */
  abstract MockKernel model();

  /** The calls of a seed's program; the same everywhere. */
  abstract List<Op> program(long seed);
}
