package dev.iolite.iommufd;

import dev.iolite.uapi.iommufd.Iommufd;

/** The answer to a group of page faults: enum iommufd_page_response_code. */
public enum PageResponse {
  /** The pages are there: the device tries again. */
  SUCCESS(Iommufd.IOMMUFD_PAGE_RESP_SUCCESS()),
  /** There are no such pages: the device gives up. */
  INVALID(Iommufd.IOMMUFD_PAGE_RESP_INVALID());

  private final int code;

  PageResponse(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
