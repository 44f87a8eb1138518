package dev.iolite.tdi.evidence;

/**
 * A verified signature of the trusted device over measurements.
 *
 * @param signing the algorithm of the signature
 * @param hash the algorithm of the digest that was signed
 * @param guessed whether nothing named these algorithms, so that they are just the ones that fit
 * @param key whose signature it is
 * @param request what is known about the request that it was made for
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
