package dev.iolite.ipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A message is a flat JSON object of strings, and what is anything else is refused. */
class MessageTest {
  private static Message parsed(String line) throws MalformedMessageException {
    return Message.parse(line.getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "plain",
        "\"\\/\b\f\n\r\t\0\u001b\u007f\u0085",
        "Gr\u00fc\u00dfe \u2588 \ud83d\ude00 \u202e",
        "\ud800 alone",
        "{\"command\":null}"
      })
  void everyTextSurvivesTheJourneyInOneLine(String text) throws Exception {
    Message message = new Message(Map.of("a", text, text + "b", "c"));
    String line = new String(message.line(), StandardCharsets.UTF_8);
    assertThat(line).endsWith("}\n").hasLineCount(1);
    assertThat(parsed(line.strip())).isEqualTo(message);
  }

  @Test
  void onlyWhatJsonDemandsIsEscaped() {
    Message message = new Message(Map.of("a b", "\u001f !\u007f"));
    assertThat(new String(message.line(), StandardCharsets.UTF_8))
        .isEqualTo("{\"a b\":\"\\u001f !\u007f\"}\n");
  }

  @Test
  void otherWritersOfJsonAreUnderstood() throws Exception {
    assertThat(parsed(" { \"a\" : \"\\u0041\\n\\/\" ,\r\t\"b\":\"\"}\n").members())
        .isEqualTo(Map.of("a", "A\n/", "b", ""));
    assertThat(parsed("{}").members()).isEmpty();
    assertThat(parsed("{}").text("a")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "}",
        "null",
        "[]",
        "\"a\"",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":null}",
        "{\"a\":1}",
        "{\"a\":true}",
        "{\"a\":{}}",
        "{\"a\":[\"b\"]}",
        "{\"a\":\"b\",}",
        "{\"a\":\"b\" \"c\":\"d\"}",
        "{\"a\":\"b\"}}",
        "{\"a\":\"b\"}{\"a\":\"b\"}",
        "{\"a\":\"b\"",
        "{\"a\":\"b",
        "{\"a\":\"b\\",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\u-123\"}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"b\",\"a\":\"b\"}",
        "{a:\"b\"}",
        "{'a':'b'}",
        "{,}"
      })
  void nothingElseIsAMessage(String line) {
    assertThatThrownBy(() -> parsed(line)).isInstanceOf(MalformedMessageException.class);
  }

  @Test
  void depthAndNumberOfTextsAreLimited() throws Exception {
    assertThatThrownBy(() -> parsed("{\"a\":" + "[".repeat(60_000)))
        .isInstanceOf(MalformedMessageException.class);
    Map<String, String> members = new HashMap<>();
    for (int i = 0; i < 32; i++) {
      members.put("n" + i, "");
    }
    Message most = new Message(members);
    assertThat(Message.parse(most.line())).isEqualTo(most);
    members.put("more", "");
    assertThatThrownBy(() -> Message.parse(new Message(members).line()))
        .hasMessageContaining("at most 32 texts");
  }

  @Test
  void textIsUtf8() {
    byte[] line = {'{', '"', (byte) 0xc3, '"', ':', '"', '"', '}'};
    assertThatThrownBy(() -> Message.parse(line)).hasMessageContaining("UTF-8");
  }
}
