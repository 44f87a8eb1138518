package dev.iolite.cli;

/** On the model of the lab's kernel v6. */
class V6AssignMockTest extends V6AssignSuite {
  V6AssignMockTest() {
    super("mock:plain:v6");
  }
}
