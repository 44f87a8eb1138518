package dev.iolite.vfio;

/** The result of a probe for a feature. */
public enum FeatureSupport {
  /** The device has it. */
  SUPPORTED,
  /** The kernel or the device does not have it (ENOTTY, or EOPNOTSUPP from its driver). */
  NOT_SUPPORTED,
  /** The kernel refused the probe itself, so nothing is known. */
  REFUSED
}
