/** The iolite command. */
module dev.iolite.cli {
  requires dev.iolite.assign;
  requires dev.iolite.mock;
  requires dev.iolite.vmm;
  requires info.picocli;
  requires static org.jspecify;
  requires tools.jackson.databind;
  requires tools.jackson.dataformat.yaml;

  opens dev.iolite.cli to
      info.picocli;
  opens dev.iolite.cli.held to
      info.picocli;
}
