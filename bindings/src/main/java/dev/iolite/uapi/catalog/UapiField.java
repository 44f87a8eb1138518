package dev.iolite.uapi.catalog;

/**
 * A field of a struct or union.
 *
 * @param name the name in C, as C's {@code offsetof} accepts it: a field of a named member is
 *     {@code member.field}, a field of an array's first element is {@code member[0].field}, a field
 *     of an anonymous struct or union has its plain name
 * @param offset bytes from the start of the outermost struct
 * @param size bytes; 0 for a flexible array
 */
public record UapiField(String name, long offset, long size) {}
