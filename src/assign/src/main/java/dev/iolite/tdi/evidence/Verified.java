package dev.iolite.tdi.evidence;

/**
 * A verified signature of the trusted device over measurements.
 *
 * @param signing what it was made with
 * @param hash what was signed is a digest by it
 * @param guessed whether nothing named these algorithms: they are the ones that fit
 * @param key whose signature it is
 * @param request what is known of the request that it was made for
 */
public record Verified(
    SigningAlgorithm signing, HashAlgorithm hash, boolean guessed, String key, String request) {
  /** For example {@code ECDSA_P384 with SHA-384, by the key of CN=device; ...}. */
  @Override
  public String toString() {
    return "%s with %s%s, by %s; %s"
        .formatted(
            signing, hash, guessed ? " (nothing names them; found by trying)" : "", key, request);
  }
}
