package dev.iolite.mock.pci;

import java.util.List;

/**
 * Another process of the host, which is visible only in /proc.
 *
 * @param pid its id
 * @param comm its name
 * @param files the files that it has open
 */
record HostProcess(int pid, String comm, List<String> files) {
  /** Copies the list. */
  HostProcess {
    files = List.copyOf(files);
  }
}
