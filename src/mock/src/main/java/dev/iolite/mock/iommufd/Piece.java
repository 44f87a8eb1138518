package dev.iolite.mock.iommufd;

/**
 * What is to be mapped (struct iopt_pages_list). It owns a reference to the pages, which an area
 * takes over.
 *
 * @param startByte the first byte of the pages to map
 * @param bytes how many bytes; not 0
 */
record Piece(Pages pages, long startByte, long bytes) {}
