/** Assigns devices to virtual machines, including confidential ones. */
module dev.iolite.assign {
  requires transitive dev.iolite;
  requires transitive dev.iolite.mock;
  requires static org.jspecify;
  requires tools.jackson.databind;
  requires tools.jackson.dataformat.yaml;

  exports dev.iolite.doctor;
  exports dev.iolite.passthrough;
  exports dev.iolite.rehearsal;
  exports dev.iolite.steps;
  exports dev.iolite.tdi;
  exports dev.iolite.tdi.evidence;
  exports dev.iolite.tdi.guest;
  exports dev.iolite.tdi.host;
  exports dev.iolite.tdi.journal;
  exports dev.iolite.tdi.layout;
  exports dev.iolite.tdi.ledger;
  exports dev.iolite.tdi.plan;
  exports dev.iolite.tdi.profile;
}
