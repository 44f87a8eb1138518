package dev.iolite.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The serial port, the ways to end, the clock and the PCI bus, by their registers. */
class DevicesTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final List<Boolean> line = new ArrayList<>();
  private final Serial serial = new Serial(out, line::add);
  private final List<Outcome> ends = new ArrayList<>();
  private final PowerPorts power = new PowerPorts(ends::add);

  private void type(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    serial.type(bytes, bytes.length);
  }

  @Test
  void aGuestThatTalksToItselfFillsNoMemory() {
    serial.write(Serial.PORT + 4, 1, 0x10);
    for (int i = 0; i < 5000; i++) {
      serial.write(Serial.PORT, 1, 'x');
    }
    int received = 0;
    while ((serial.read(Serial.PORT + 5, 1) & 1) != 0) {
      assertThat(serial.read(Serial.PORT, 1)).isEqualTo('x');
      received++;
    }
    assertThat(received).isEqualTo(4096);
  }

  @Test
  void whatTheGuestSendsIsWritten() {
    serial.write(Serial.PORT, 1, 'h');
    serial.write(Serial.PORT, 1, 'i');
    assertThat(out.toString(StandardCharsets.US_ASCII)).isEqualTo("hi");
    assertThat(line).as("no interrupt is enabled").isEmpty();
  }

  @Test
  void aReaderThatIsGoneDoesNotEndTheGuest() {
    Serial broken =
        new Serial(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                throw new IOException("EPIPE");
              }
            },
            line::add);
    broken.write(Serial.PORT, 1, 'h');
    broken.write(Serial.PORT, 1, 'i');
    assertThat(broken.read(Serial.PORT + 5, 1)).as("the transmitter is empty").isEqualTo(0x60);
  }

  @Test
  void whatIsTypedInterruptsUntilItIsRead() {
    serial.write(Serial.PORT + 1, 1, 1);
    type("ab");
    assertThat(line).containsExactly(true);
    assertThat(serial.read(Serial.PORT + 2, 1)).as("received data").isEqualTo(4);
    assertThat(serial.read(Serial.PORT + 5, 1)).isEqualTo(0x61);
    assertThat(serial.read(Serial.PORT, 1)).isEqualTo('a');
    assertThat(serial.read(Serial.PORT, 1)).isEqualTo('b');
    assertThat(line).containsExactly(true, false);
    assertThat(serial.read(Serial.PORT + 2, 1)).as("none").isEqualTo(1);
  }

  @Test
  void anEmptyTransmitterInterruptsOnceUntilItIsIdentified() {
    serial.write(Serial.PORT + 1, 1, 2);
    assertThat(line).containsExactly(true);
    assertThat(serial.read(Serial.PORT + 2, 1)).isEqualTo(2);
    assertThat(line).containsExactly(true, false);
    serial.write(Serial.PORT, 1, 'x');
    assertThat(line).containsExactly(true, false, true);
  }

  @Test
  void theDivisorIsBehindTheDataRegister() {
    serial.write(Serial.PORT + 3, 1, 0x83);
    serial.write(Serial.PORT, 1, 0x34);
    serial.write(Serial.PORT + 1, 1, 0x12);
    assertThat(serial.read(Serial.PORT, 1)).isEqualTo(0x34);
    assertThat(serial.read(Serial.PORT + 1, 1)).isEqualTo(0x12);
    assertThat(out.size()).isZero();
  }

  @Test
  void loopedBackTheOutputsAreTheInputs() {
    serial.write(Serial.PORT + 4, 1, 0x1a);
    assertThat(serial.read(Serial.PORT + 6, 1) & 0xf0).isEqualTo(0x90);
    serial.write(Serial.PORT, 1, 'x');
    assertThat(serial.read(Serial.PORT, 1)).isEqualTo('x');
    assertThat(out.size()).isZero();
  }

  @Test
  void aGuestEndsInManyWays() {
    power.write(PowerPorts.PM_CONTROL, 2, 5 << 10);
    power.write(PowerPorts.PM_CONTROL, 2, 1 << 13);
    power.write(PowerPorts.RESET, 1, 2);
    power.write(0x64, 1, 0xd1);
    assertThat(ends).as("not yet").isEmpty();
    power.write(PowerPorts.PM_CONTROL, 2, 1 << 13 | 5 << 10);
    power.write(PowerPorts.RESET, 1, PowerPorts.RESET_VALUE);
    power.write(0x64, 1, 0xfe);
    assertThat(ends).containsExactly(Outcome.POWER_OFF, Outcome.RESET, Outcome.RESET);
  }

  @Test
  void aResetAfterAPanicIsNoReboot() {
    assertThat(power.meant(Outcome.RESET)).isEqualTo(Outcome.RESET);
    power.write(PowerPorts.PANIC, 1, 2);
    assertThat(power.meant(Outcome.RESET)).isEqualTo(Outcome.RESET);
    power.write(PowerPorts.PANIC, 1, 1);
    assertThat(power.meant(Outcome.RESET)).isEqualTo(Outcome.PANIC);
  }

  private static int register(Rtc clock, int index) {
    clock.write(Rtc.INDEX, 1, index);
    return clock.read(Rtc.INDEX + 1, 1);
  }

  private static Rtc clockAt(String instant) {
    return new Rtc(InstantSource.fixed(Instant.parse(instant)));
  }

  @Test
  void theClockShowsTheHostsTimeInDecimalDigits() {
    Rtc clock = clockAt("2026-11-29T23:58:07Z");
    assertThat(Stream.of(0, 2, 4, 6, 7, 8, 9, 0x32).map(index -> register(clock, index)))
        .as("second, minute, hour, Sunday, day, month, year, century")
        .containsExactly(0x07, 0x58, 0x23, 1, 0x29, 0x11, 0x26, 0x20);
    assertThat(register(clockAt("2026-11-28T00:00:00Z"), 6)).as("Saturday").isEqualTo(7);
    assertThat(register(clock, 0xb)).as("24 hours, decimal digits, no interrupt").isEqualTo(2);
    assertThat(register(clock, 0xc)).as("no interrupt").isZero();
    assertThat(register(clock, 0xd)).as("the time is valid").isEqualTo(0x80);
    assertThat(register(clock, 0x80)).as("the highest bit masks NMIs").isEqualTo(0x07);
  }

  @Test
  void theClockSaysBeforeItsRegistersChange() {
    assertThat(register(clockAt("2026-11-29T23:58:07.999755999Z"), 0xa)).isEqualTo(0x26);
    assertThat(register(clockAt("2026-11-29T23:58:07.999756Z"), 0xa)).isEqualTo(0xa6);
  }

  @Test
  void theClockIsNotSet() {
    Rtc clock = clockAt("2026-11-29T23:58:07Z");
    clock.write(Rtc.INDEX, 1, 2);
    clock.write(Rtc.INDEX + 1, 1, 0x30);
    assertThat(clock.read(Rtc.INDEX + 1, 1)).isEqualTo(0x58);
    assertThat(clock.read(Rtc.INDEX, 1)).as("the index").isEqualTo(2);
  }

  @Test
  void configurationSpaceIsBehindTwoPorts() {
    PciBus bus = new PciBus();
    bus.add(new HostBridge());
    bus.write(PciBus.ADDRESS, 4, 1 << 31);
    assertThat(bus.read(0xcfc, 4)).isEqualTo(0x0008_1b36);
    assertThat(bus.read(0xcfe, 2)).isEqualTo(8);
    assertThat(bus.read(0xcfd, 2)).as("not aligned").isEqualTo(-1);
    bus.write(PciBus.ADDRESS, 4, 0);
    assertThat(bus.read(0xcfc, 4)).as("not enabled").isEqualTo(-1);
    for (int nothing : new int[] {1 << 8, 1 << 11, 1 << 16}) {
      bus.write(PciBus.ADDRESS, 4, 1 << 31 | nothing);
      assertThat(bus.read(0xcfc, 4)).isEqualTo(-1);
    }
  }

  @Test
  void nonsenseToEveryPortDoesNoHarm() {
    PciBus bus = new PciBus();
    bus.add(new HostBridge());
    Random random = new Random(1);
    for (int i = 0; i < 200_000; i++) {
      int bytes = 1 << random.nextInt(3);
      int value = random.nextInt();
      serial.write(Serial.PORT + random.nextInt(Serial.PORTS), bytes, value);
      serial.read(Serial.PORT + random.nextInt(Serial.PORTS), bytes);
      int port = random.nextBoolean() ? PciBus.ADDRESS : 0xcfc + random.nextInt(4);
      bus.write(port, bytes, value);
      bus.read(port, bytes);
      power.write(random.nextBoolean() ? PowerPorts.PM_EVENT : PowerPorts.PANIC, bytes, value);
    }
    bus.write(PciBus.ADDRESS, 4, 1 << 31);
    assertThat(bus.read(0xcfc, 4)).as("the bridge is what it was").isEqualTo(0x0008_1b36);
  }

  @Test
  void theMsixTableIsMaskedAtFirstAndHasAnEntryForEachVector() {
    MsixTable table = new MsixTable(3);
    assertThat(table.isMasked(2)).isTrue();
    table.write(32, 8, 0x1_fee0_1004L);
    table.write(40, 4, 0x4041);
    table.write(44, 4, 0);
    assertThat(MsixTable.vectorAt(31)).isEqualTo(1);
    assertThat(MsixTable.vectorAt(32)).isEqualTo(2);
    assertThat(table.address(2)).isEqualTo(0x1_fee0_1004L);
    assertThat(table.data(2)).isEqualTo(0x4041);
    assertThat(table.isMasked(2)).isFalse();
    assertThat(table.isMasked(1)).isTrue();
    assertThat(table.read(40, 4)).isEqualTo(0x4041);
    assertThat(table.read(33, 2)).isEqualTo(0xe010);
  }
}
