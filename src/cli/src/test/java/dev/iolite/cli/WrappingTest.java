package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Texts in lines that fit. */
class WrappingTest {
  /** Letters and spaces, words of all lengths; nothing is lost, no line is empty or too long. */
  @Property(tries = 1000)
  void everyLineFitsAndNothingIsLost(
      @ForAll
          @CharRange(from = ' ', to = '!')
          @CharRange(from = 'x', to = 'z')
          @StringLength(min = 1, max = 300)
          String text,
      @ForAll @IntRange(min = 40, max = 100) int columns,
      @ForAll @IntRange(max = 21) int hang) {
    String wrapped = Wrapping.of(text, columns, hang);
    assertThat(wrapped.replaceAll("\\s", "")).isEqualTo(text.replaceAll("\\s", ""));
    assertThat(wrapped.lines()).allMatch(line -> line.length() <= columns);
    if (text.length() <= columns) {
      assertThat(wrapped).isEqualTo(text);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "takes all of 4 KiB of it, 16, 'takes all of|  4 KiB of it'",
    "takes all of 12 us, 16, 'takes all of|  12 us'",
    "takes all of 4 kinds, 16, 'takes all of 4|  kinds'",
    "'open, KVM_RUN x2', 14, 'open,|  KVM_RUN x2'",
    "'open, KVM_RUN xen', 14, 'open, KVM_RUN|  xen'"
  })
  void aNumberStaysWithWhatItIsOf(String text, int columns, String lines) {
    assertThat(Wrapping.of(text, columns, 2)).isEqualTo(lines.replace('|', '\n'));
  }

  @Test
  void theTextsOwnIndentationIsNoPlaceToBreak() {
    assertThat(Wrapping.of("    " + "x".repeat(40) + " y", 30, 6))
        .isEqualTo("    " + "x".repeat(26) + "\n      " + "x".repeat(14) + " y");
  }

  @Test
  void lineBreaksStayAndCharactersOutsideTheBasicPlaneAreNotCut() {
    assertThat(Wrapping.of("a\n\nb", 40, 4)).isEqualTo("a\n\nb");
    String faces = "\ud83d\ude00".repeat(30);
    assertThat(Wrapping.of(faces, 25, 0))
        .isEqualTo("\ud83d\ude00".repeat(25) + "\n" + "\ud83d\ude00".repeat(5));
  }

  @Test
  void coloursTakeNoRoom() {
    String red = "\u001b[31mxx\u001b[0m";
    assertThat(Wrapping.width(red)).isEqualTo(2);
    assertThat(Wrapping.of((red + " ").repeat(3) + "y", 7, 1))
        .isEqualTo(red + " " + red + "\n " + red + " y");
  }
}
