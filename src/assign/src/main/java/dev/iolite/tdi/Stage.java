package dev.iolite.tdi;

/** The stages of an assignment's life, as they are shown to people. */
public enum Stage {
  /** Host and guest are made ready. */
  PREPARE("make host and guest ready"),
  /** The shared dma-buf of each BAR goes to the IOAS and to the guest. */
  SHARE("1  give the BARs to guest and IOAS, shared"),
  /** All of these are taken back and closed. */
  WITHDRAW("2  take them back, and close the dma-bufs"),
  /** The TSM binds and locks the interface. */
  BIND("3  bind the interface"),
  /** The assignment learns which bytes are private, and opens the dma-bufs. */
  LEARN("4  learn what is private, open the dma-bufs of both kinds"),
  /** Shared runs go to the guest and the IOAS. */
  MAP_SHARED("5  map the shared runs"),
  /** Private runs go to the guest. */
  MAP_PRIVATE("6  map the private runs"),
  /** The interface starts. */
  RUN("   start the interface"),
  /** The interface is stopped, taken back and unbound. */
  UNBIND("7  stop and unbind the interface"),
  /** Something revoked the mappings. */
  RECOVER("   the device's mappings were revoked"),
  /** Host and guest are restored to what they were before. */
  RELEASE("give everything back");

  private final String words;

  Stage(String words) {
    this.words = words;
  }

  /** What is done in it, with its number in the flow. */
  @Override
  public String toString() {
    return words;
  }
}
