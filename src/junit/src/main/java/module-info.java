/** Tests on a model of Linux, with JUnit. */
module dev.iolite.junit {
  requires transitive dev.iolite.mock;
  requires static org.jspecify;
  requires transitive org.junit.jupiter.api;

  exports dev.iolite.junit;
}
