package dev.iolite.cli;

import org.junit.jupiter.api.Tag;

/** On the lab's kernel v6. */
@Tag("v6")
class V6AssignLabTest extends V6AssignSuite {
  V6AssignLabTest() {
    super("host");
  }
}
