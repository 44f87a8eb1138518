package dev.iolite.tdi;

import dev.iolite.mock.device.DeviceMeasurements;
import dev.iolite.mock.device.DeviceSigner;
import dev.iolite.tdi.evidence.Trust;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

/** A device whose key, certificate and root OpenSSL made; see the script beside them. */
public final class TestDevice {
  private TestDevice() {}

  /** A file of the test resources of evidence. */
  public static Path file(String name) {
    return Path.of("src/assign/src/test/resources/dev/iolite/tdi/evidence", name);
  }

  /** The usual measurements, signed by the key that {@code device.pem} is of. */
  public static DeviceMeasurements signed() {
    try {
      String pem = Files.readString(file("device.key"), StandardCharsets.US_ASCII);
      byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", "").strip());
      return DeviceMeasurements.usual()
          .signedBy(
              new DeviceSigner(
                  KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der))));
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  static Trust trust(String name) {
    try {
      return Trust.of(Files.readAllBytes(file(name)), name);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
