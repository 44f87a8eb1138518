package dev.iolite.vfio;

/** What a probe of a feature says. */
public enum FeatureSupport {
  /** The device has it. */
  SUPPORTED,
  /** The kernel or the device does not have it (ENOTTY, or EOPNOTSUPP of its driver). */
  NOT_SUPPORTED,
  /** The kernel refused the probe itself, so nothing is known. */
  REFUSED
}
