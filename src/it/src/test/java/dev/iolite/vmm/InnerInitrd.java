package dev.iolite.vmm;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** An initial RAM disk with a static busybox and a script: a cpio archive of the kind "newc". */
public final class InnerInitrd {
  private static final int DIRECTORY = 0040755;
  private static final int EXECUTABLE = 0100755;
  private static final int ALIGNMENT = 4;

  private final ByteArrayOutputStream archive = new ByteArrayOutputStream();

  private InnerInitrd() {}

  /** Makes one whose first program is a script for busybox's shell. */
  public static byte[] of(String script) throws IOException {
    InnerInitrd initrd = new InnerInitrd();
    for (String directory : new String[] {"bin", "proc", "sys", "dev"}) {
      initrd.add(directory, DIRECTORY, new byte[0]);
    }
    initrd.add("bin/busybox", EXECUTABLE, Files.readAllBytes(Path.of("/bin/busybox")));
    String init =
        """
        #!/bin/busybox sh
        /bin/busybox --install -s /bin
        export PATH=/bin
        mount -t proc none /proc
        mount -t sysfs none /sys
        mount -t devtmpfs none /dev
        """;
    initrd.add("init", EXECUTABLE, (init + script).getBytes(StandardCharsets.UTF_8));
    initrd.add("TRAILER!!!", 0, new byte[0]);
    return initrd.archive.toByteArray();
  }

  private void add(String name, int mode, byte[] content) {
    byte[] path = (name + '\0').getBytes(StandardCharsets.US_ASCII);
    archive.writeBytes(
        "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x"
            .formatted(0, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, path.length, 0)
            .getBytes(StandardCharsets.US_ASCII));
    archive.writeBytes(path);
    pad();
    archive.writeBytes(content);
    pad();
  }

  private void pad() {
    while (archive.size() % ALIGNMENT != 0) {
      archive.write(0);
    }
  }
}
