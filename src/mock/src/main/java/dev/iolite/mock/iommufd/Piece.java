package dev.iolite.mock.iommufd;

/**
 * What is to be mapped (struct iopt_pages_list). It owns a reference to the pages, which an area
 * takes over.
 *
 * @param startByte from which byte of the pages on
 * @param bytes how many; not 0
 */
record Piece(Pages pages, long startByte, long bytes) {}
