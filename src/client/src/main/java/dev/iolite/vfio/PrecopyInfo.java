package dev.iolite.vfio;

/**
 * How much of a device's state is left to be read before the device is stopped.
 *
 * @param initialBytes what is left of the first data; leave PRE_COPY when it is 0
 * @param dirtyBytes what changed since it was read
 * @param reinitialised whether there is new initial data, which is reported only after {@link
 *     Migration#enablePrecopyInfoV2}
 */
public record PrecopyInfo(long initialBytes, long dirtyBytes, boolean reinitialised) {}
