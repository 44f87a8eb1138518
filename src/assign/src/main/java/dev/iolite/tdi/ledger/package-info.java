/**
 * The facts about each page of a guest's RAM and of its BARs: its kind, its memory slot, its map in
 * the IOAS and the dma-bufs of both; and whether they are consistent. Nothing here makes a call.
 */
@NullMarked
package dev.iolite.tdi.ledger;

import org.jspecify.annotations.NullMarked;
