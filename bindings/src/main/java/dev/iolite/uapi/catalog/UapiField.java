package dev.iolite.uapi.catalog;

/**
 * A field of a struct or union.
 *
 * @param name the name in C, as {@code the offset that C sees} takes it: a field of a named member
 *     is {@code member.field}, one of the first element of an array is {@code member[0].field}, one
 *     of an anonymous struct or union has its plain name
 * @param offset bytes from the start of the outermost struct
 * @param size bytes; 0 for a flexible array
 */
public record UapiField(String name, long offset, long size) {}
