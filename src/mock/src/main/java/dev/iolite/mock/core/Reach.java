package dev.iolite.mock.core;

/** Whether a guest reaches what a TSM has mapped for it. */
public enum Reach {
  /** It does; what the device answers is the device's affair. */
  OPEN,
  /** Not yet: the interface does not run, and the device would not refuse the access itself. */
  MUTE,
  /** Not any more: the interface is in ERROR, and the TSM has not been asked since. */
  REVOKED
}
