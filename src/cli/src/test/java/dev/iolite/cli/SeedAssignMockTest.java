package dev.iolite.cli;

/** On the model of the lab's kernel seed-2025. */
class SeedAssignMockTest extends SeedAssignSuite {
  SeedAssignMockTest() {
    super("mock:plain:seed-2025");
  }
}
