/** Small programs that use iolite. They run on the model of the kernel. */
module dev.iolite.examples {
  requires dev.iolite;
  requires dev.iolite.assign;
  requires dev.iolite.mock;
}
