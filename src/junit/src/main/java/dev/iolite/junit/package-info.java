/**
 * A JUnit extension that gives a test a model of Linux, and fails a test that leaves something
 * behind: {@link dev.iolite.junit.MockHostExtension}.
 */
@NullMarked
package dev.iolite.junit;

import org.jspecify.annotations.NullMarked;
