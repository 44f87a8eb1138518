package dev.iolite.mock.door;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.iolite.kernel.Page;
import dev.iolite.kernel.Registers;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceLogic;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.SparseMemory;
import dev.iolite.mock.pci.Machine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Instructions on mapped registers do what the processor does on memory. */
@Timeout(300)
class RegisterInstructionsTest {
  @TempDir private static Path built;

  private static CProgram program;

  @BeforeAll
  static void compile() throws IOException, InterruptedException {
    program = CProgram.build(built, "instructions.c");
  }

  /** Registers that keep what is written. */
  private static final class Keeping implements DeviceLogic {
    @Override
    public Optional<Registers> registers(int bar) {
      return Optional.of(new SparseMemory(Page.BYTES));
    }
  }

  @Test
  void theyLeaveTheSameRegistersFlagsAndMemory() throws Exception {
    DeviceShape shape =
        DeviceShape.builder(0x1234, 0xc001).bar(Bar.memory32(0, Page.BYTES)).build();
    Machine machine =
        new Machine().function("0000:00:02.0", new DeviceModel(shape, _ -> new Keeping()));
    assertEquals(
        new CProgram.Run(0, ""), program.run(MockKernel.builder().machine(machine), "run"));
  }

  @Test
  void eachIsAsLongAsTheAssemblerHasMadeIt() throws Exception {
    CProgram.Run listed = CProgram.runHere(List.of(program.file().toString(), "bytes"));
    assertTrue(listed.output().lines().count() > 300, listed.output());
    listed
        .output()
        .lines()
        .forEach(line -> {
          byte[] code = HexFormat.of().parseHex(line.substring(0, line.indexOf(' ')));
          assertEquals(
              Optional.of(code.length), Instruction.decode(code).map(Instruction::bytes), line);
        });
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        // add eax, ebx; cpuid; no operand in memory
        "01d8", "0fa2",
        // a MOV that is cut off, and prefixes without end
        "8b8412", "6666666666666666666666666666668b00",
        // an AVX-512 load under a mask, one that is a broadcast
        "62f17e496f03", "62f2fd58591b"
      })
  void whatIsNoneIsNotTakenForOne(String code) {
    assertEquals(Optional.empty(), Instruction.decode(HexFormat.of().parseHex(code)));
  }
}
