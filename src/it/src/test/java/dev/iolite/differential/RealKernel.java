package dev.iolite.differential;

import java.io.IOException;
import java.util.List;

/** Runs programs on a real kernel. */
interface RealKernel {
  /** Which it is. */
  LabKernel kernel();

  /** Runs the programs of seeds. */
  LabRun run(long first, int count) throws IOException, InterruptedException;

  /** Runs these programs. */
  LabRun run(List<Program> programs) throws IOException, InterruptedException;
}
