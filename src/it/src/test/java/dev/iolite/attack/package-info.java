/** What another user of the machine, or a hostile process of the same user, can't do. */
@NullMarked
package dev.iolite.attack;

import org.jspecify.annotations.NullMarked;
