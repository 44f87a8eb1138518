package dev.iolite.differential;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A program that the two kernels answer differently.
 *
 * @param program which
 * @param index the first call that differs; its length, if it is what is mapped at the end
 * @param real what the real kernel answered to each call
 * @param mock what the model answered to each call
 */
record Divergence(Program program, int index, List<String> real, List<String> mock) {
  /** The first difference between two runs of a program, if there is one. */
  static Optional<Divergence> of(Program program, List<String> real, List<String> mock) {
    int most = Math.max(real.size(), mock.size());
    for (int i = 0; i < most; i++) {
      if (!at(real, i).equals(at(mock, i))) {
        return Optional.of(new Divergence(program, i, real, mock));
      }
    }
    return Optional.empty();
  }

  private static String at(List<String> answers, int index) {
    return index < answers.size() ? answers.get(index) : "no answer";
  }

  /** What differs, told so that another program with the same fault tells the same. */
  String fault() {
    String call = index < program.ops().size() ? program.ops().get(index).kind().name() : "END";
    return call + ": real " + word(at(real, index)) + ", mock " + word(at(mock, index));
  }

  private static String word(String answer) {
    return answer.split(" ", 2)[0];
  }

  /** The program up to the difference, with the answers. */
  @Override
  public String toString() {
    List<String> lines = new ArrayList<>();
    lines.add(program.name() + ": " + fault());
    for (int i = 0; i <= index; i++) {
      String call = i < program.ops().size() ? program.ops().get(i).toString() : "[\"END\"]";
      String answer = at(real, i);
      lines.add(
          i < index
              ? "  " + call + "  " + answer
              : "> " + call + "  real " + answer + "  mock " + at(mock, i));
    }
    return String.join("\n", lines);
  }
}
