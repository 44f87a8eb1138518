/**
 * Machines that were recorded: the file, and the model of a host that is made from it.
 *
 * <p>{@link dev.iolite.mock.recording.RecordingFile} reads the file, {@link
 * dev.iolite.mock.recording.RecordingText} writes it, and {@link dev.iolite.mock.recording.Replay}
 * makes the host.
 */
@NullMarked
package dev.iolite.mock.recording;

import org.jspecify.annotations.NullMarked;
