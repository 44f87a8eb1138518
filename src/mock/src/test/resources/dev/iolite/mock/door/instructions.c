/* Instructions with an operand in memory, each carried out on plain memory and on the mapped
   registers of a device that keep what is written. All registers, flags and memory must be the same
   afterwards.

   usage: instructions bytes | run FILE
   bytes prints each instruction as the assembler has made it. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define FUNCTION "/sys/bus/pci/devices/0000:00:02.0/"

enum { ROUNDS = 3, WINDOW = 512, START = 2048, FLAGS = 0x8d5, DIRECTION = 0x400, AREA = 16384 };

/* rbx, rsi and rdi point into the memory, r12 is a small index, rcx a small count. */
#define BOTH_WAYS(name) \
  X(name "b %al, (%rbx)") X(name "w %dx, 2(%rbx)") X(name "l %r8d, 4(%rbx)") \
  X(name "q %r9, 8(%rbx)") X(name "b (%rbx), %dh") X(name "b 1(%rbx), %bpl") \
  X(name "w 2(%rbx), %r10w") X(name "l (%rbx,%r12,4), %ebp") X(name "q -8(%rsi), %r15")
#define ARITHMETIC(name) \
  BOTH_WAYS(name) X(name "b $-3, (%rbx)") X(name "w $0x1234, (%rbx)") X(name "w $5, (%rbx)") \
  X(name "l $0x12345678, 0x81(%rbx)") X(name "l $-1, (%rbx)") X(name "q $-2, (%rdi)") \
  X(name "q $-0x1234567, (%rdi)")
#define SIZES(name, operands) \
  X(name "b " operands) X(name "w " operands) X(name "l " operands) X(name "q " operands)
#define STRING(name) X(name "b") X(name "w") X(name "l") X(name "q")
#define CONDITION(name) \
  X("cmov" name "w (%rbx), %ax") X("cmov" name "l (%rbx), %r11d") X("cmov" name "q (%rbx), %r8") \
  X("set" name " 5(%rbx)")
#define VECTOR(name) X(name " (%rbx), %xmm3") X(name " %xmm12, 64(%rbx,%r12,8)")
#define AVX(name) \
  X("v" name " (%rbx), %xmm13") X("v" name " %xmm2, 64(%rbx)") \
  X("v" name " (%rbx), %ymm4") X("v" name " %ymm14, 64(%r12,%rbx)")
#define AVX512(name) \
  X("{evex} " name " (%rbx), %zmm1") X("{evex} " name " 64(%rbx), %ymm17") \
  X("{evex} " name " 0x20(%rbx,%r12), %xmm31") X("{evex} " name " %zmm18, -64(%rbx)") \
  X("{evex} " name " %ymm6, 0x60(%rbx)") X("{evex} " name " %ymm30, 0x1000-0xf81(%rbx)")

#define LIST \
  BOTH_WAYS("mov") SIZES("mov", "$-5, (%rbx)") X("movl 1(%rbx), %eax") X("movq 3(%rbx), %rax") \
  X("movl %eax, 3(%rbx)") X("movb %ah, (%rbx)") X("movb %sil, (%rbx)") \
  X("movl (,%rbx), %eax") X("movl -64(%rbx,%r12,8), %eax") X("movl %r13d, 0x100(%rbx)") \
  X("movzbl (%rbx), %eax") X("movzbw (%rbx), %ax") X("movzbq (%rbx), %r9") \
  X("movzwl (%rbx), %eax") X("movzwq (%rbx), %rbp") X("movsbl (%rbx), %eax") \
  X("movsbw (%rbx), %ax") X("movsbq (%rbx), %r9") X("movswl (%rbx), %eax") \
  X("movswq (%rbx), %rbp") X("movslq (%rbx), %rbp") X("movslq 4(%rbx), %rax") \
  X("movntil %eax, (%rbx)") X("movntiq %r8, (%rbx)") \
  X("movbew (%rbx), %ax") X("movbel (%rbx), %eax") X("movbeq (%rbx), %r10") \
  X("movbew %ax, (%rbx)") X("movbel %eax, (%rbx)") X("movbeq %r10, (%rbx)") \
  ARITHMETIC("add") ARITHMETIC("or") ARITHMETIC("adc") ARITHMETIC("sbb") ARITHMETIC("and") \
  ARITHMETIC("sub") ARITHMETIC("xor") ARITHMETIC("cmp") \
  SIZES("test", "$0x55, (%rbx)") X("testb %al, (%rbx)") X("testl %eax, (%rbx)") \
  X("testq %r9, (%rbx)") SIZES("not", "(%rbx)") SIZES("neg", "(%rbx)") SIZES("inc", "(%rbx)") \
  SIZES("dec", "(%rbx)") X("lock; incl (%rbx)") X("lock; orl $8, (%rbx)") \
  X("xchgb %al, (%rbx)") X("xchgw %ax, (%rbx)") X("xchgl %eax, (%rbx)") X("xchgq %r8, (%rbx)") \
  X("lock; xaddb %dl, (%rbx)") X("xaddw %dx, (%rbx)") X("xaddl %edx, (%rbx)") \
  X("xaddq %rdx, (%rbx)") X("lock; cmpxchgb %dl, (%rbx)") X("cmpxchgw %dx, (%rbx)") \
  X("lock; cmpxchgl %r8d, (%rbx)") X("cmpxchgq %rdx, (%rbx)") \
  X("btw $3, (%rbx)") X("btl $31, (%rbx)") X("btq $63, (%rbx)") X("btsl $7, (%rbx)") \
  X("btrq $40, (%rbx)") X("btcl $0, (%rbx)") \
  CONDITION("o") CONDITION("no") CONDITION("b") CONDITION("ae") CONDITION("e") CONDITION("ne") \
  CONDITION("be") CONDITION("a") CONDITION("s") CONDITION("ns") CONDITION("p") CONDITION("np") \
  CONDITION("l") CONDITION("ge") CONDITION("le") CONDITION("g") \
  STRING("movs") STRING("stos") STRING("lods") STRING("rep movs") STRING("rep stos") \
  STRING("rep lods") \
  VECTOR("movups") VECTOR("movupd") VECTOR("movss") VECTOR("movsd") VECTOR("movlps") \
  VECTOR("movhps") VECTOR("movlpd") VECTOR("movhpd") VECTOR("movd") VECTOR("movq") \
  VECTOR("movdqu") X("movaps (%rbx), %xmm3") X("movaps %xmm8, (%rbx)") \
  X("movapd 16(%rbx), %xmm0") X("movapd %xmm15, 32(%rbx)") X("movdqa (%rbx), %xmm9") \
  X("movdqa %xmm9, 48(%rbx)") X("movntps %xmm3, (%rbx)") X("movntpd %xmm3, (%rbx)") \
  X("movntdq %xmm3, (%rbx)") X("movntdqa (%rbx), %xmm6") X("lddqu 5(%rbx), %xmm6") \
  X("rex.W movd %xmm4, (%rbx)") X("rex.W movd (%rbx), %xmm4") \
  AVX("movups") AVX("movupd") AVX("movdqu") X("vmovdqa (%rbx), %ymm8") \
  X("vmovdqa %ymm8, 32(%rbx)") X("vmovaps (%rbx), %xmm1") X("vmovaps %ymm1, (%rbx)") \
  X("vmovapd (%rbx), %ymm1") X("vmovntdq %ymm1, (%rbx)") X("vmovntps %xmm1, (%rbx)") \
  X("vmovntdqa (%rbx), %xmm1") X("vlddqu 1(%rbx), %ymm1") X("vmovss (%rbx), %xmm1") \
  X("vmovsd (%rbx), %xmm1") X("vmovss %xmm1, (%rbx)") X("vmovsd %xmm9, (%rbx)") \
  X("vmovd (%rbx), %xmm1") X("vmovd %xmm1, (%rbx)") X("vmovq (%rbx), %xmm1") \
  X("vmovq %xmm1, (%rbx)") X("vmovlps (%rbx), %xmm2, %xmm1") X("vmovhps (%rbx), %xmm9, %xmm1") \
  X("vmovlpd %xmm2, (%rbx)") X("vmovhpd %xmm2, (%rbx)") \
  AVX512("vmovdqu8") AVX512("vmovdqu32") AVX512("vmovdqu64") AVX512("vmovups") \
  X("{evex} vmovdqa64 (%rbx), %zmm20") X("{evex} vmovdqa32 %ymm20, 32(%rbx)") \
  X("{evex} vmovaps %zmm3, (%rbx)") X("{evex} vmovntdq %zmm3, (%rbx)")

#define X(text) \
  ".pushsection instructions, \"aw\"\n.quad 1f, 2f\n.popsection\n1: " text "\n2: ret\n"
__asm__(".text\n" LIST);
#undef X
#define X(text) text,
static const char *const names[] = {LIST};

enum { COUNT = sizeof names / sizeof names[0] };

extern const struct {
  const uint8_t *begin, *end;
} table[] __asm__("__start_instructions");

/* The general registers in the order of the machine code, then the flags. */
struct state {
  uint64_t general[16], flags;
};

void carry_out(struct state *state, const void *code, void *area);
__asm__(".local the_state, the_code, the_area\n.comm the_state, 8\n.comm the_code, 8\n"
        ".comm the_area, 8\n.text\ncarry_out:\n"
        "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rdi, the_state(%rip)\nmov %rsi, the_code(%rip)\nmov %rdx, the_area(%rip)\n"
        "mov %rdx, %rbx\nmov $-1, %eax\nmov $-1, %edx\nxrstor64 (%rbx)\n"
        "mov the_state(%rip), %rax\nmov 8(%rax), %rcx\nmov 16(%rax), %rdx\nmov 24(%rax), %rbx\n"
        "mov 40(%rax), %rbp\nmov 48(%rax), %rsi\nmov 56(%rax), %rdi\nmov 64(%rax), %r8\n"
        "mov 72(%rax), %r9\nmov 80(%rax), %r10\nmov 88(%rax), %r11\nmov 96(%rax), %r12\n"
        "mov 104(%rax), %r13\nmov 112(%rax), %r14\nmov 120(%rax), %r15\n"
        "pushq 128(%rax)\nmov (%rax), %rax\npopfq\ncall *the_code(%rip)\npushfq\npush %rax\n"
        "mov the_state(%rip), %rax\nmov %rcx, 8(%rax)\nmov %rdx, 16(%rax)\nmov %rbx, 24(%rax)\n"
        "mov %rbp, 40(%rax)\nmov %rsi, 48(%rax)\nmov %rdi, 56(%rax)\nmov %r8, 64(%rax)\n"
        "mov %r9, 72(%rax)\nmov %r10, 80(%rax)\nmov %r11, 88(%rax)\nmov %r12, 96(%rax)\n"
        "mov %r13, 104(%rax)\nmov %r14, 112(%rax)\nmov %r15, 120(%rax)\n"
        "popq (%rax)\npopq 128(%rax)\ncld\n"
        "mov the_area(%rip), %rbx\nmov $-1, %eax\nmov $-1, %edx\nxsave64 (%rbx)\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");

static uint64_t seed = 88172645463325252;

static uint64_t any(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}

static void any_bytes(void *to, size_t count) {
  for (size_t i = 0; i < count; i++)
    ((uint8_t *)to)[i] = any();
}

/* All of the vector registers that the processor has are filled. */
static void any_vectors(uint8_t *area) {
  memset(area, 0, AREA);
  /* The control registers of x87 and SSE as they are after a reset. */
  area[0] = 0x7f;
  area[1] = 3;
  area[24] = 0x80;
  area[25] = 0x1f;
  area[512] = 2;
  any_bytes(area + 160, 256);
  unsigned eax, ebx, ecx, edx;
  const int parts[] = {2, 6, 7};
  for (int i = 0; i < 3; i++) {
    __cpuid_count(13, parts[i], eax, ebx, ecx, edx);
    if (eax != 0) {
      area[512] |= 1 << parts[i];
      any_bytes(area + ebx, eax);
    }
  }
}

static int device;
static uint8_t *registers, plain[4096] __attribute__((aligned(4096)));

static void map_device(void) {
  int file = open(FUNCTION "driver_override", O_WRONLY);
  write(file, "vfio-pci", 8);
  file = open("/sys/bus/pci/drivers_probe", O_WRONLY);
  write(file, "0000:00:02.0", 12);
  device = open("/dev/vfio/devices/vfio0", O_RDWR);
  struct vfio_device_bind_iommufd bind = {.argsz = sizeof bind};
  bind.iommufd = open("/dev/iommu", O_RDWR);
  ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind);
  uint16_t command = 2;
  pwrite(device, &command, 2, ((uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) + 4);
  registers = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
  if (registers == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
}

/* What is left, with pointers relative to the memory. */
static void outcome(struct state state, uint8_t *base, const void *code, uint8_t *area,
                    struct state *to) {
  for (int i = 0; i < 3; i++)
    state.general[(const int[]){3, 6, 7}[i]] += (uintptr_t)base;
  carry_out(&state, code, area);
  for (int i = 0; i < 3; i++)
    state.general[(const int[]){3, 6, 7}[i]] -= (uintptr_t)base;
  /* The header only says which parts are all zeros. */
  memset(area + 512, 0, 64);
  *to = state;
}

static int is_known(const char *name) {
  __builtin_cpu_init();
  if (strstr(name, "evex"))
    return __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  if (strstr(name, "movbe"))
    return __builtin_cpu_supports("movbe") != 0;
  return name[0] != 'v' || __builtin_cpu_supports("avx2");
}

static int compare(int number) {
  static uint8_t on_plain[AREA] __attribute__((aligned(64)));
  static uint8_t on_device[AREA] __attribute__((aligned(64)));
  struct state state, first, second;
  uint8_t there[WINDOW];
  any_bytes(&state, sizeof state);
  any_vectors(on_plain);
  memcpy(on_device, on_plain, AREA);
  any_bytes(plain + START, WINDOW);
  pwrite(device, plain + START, WINDOW, START);
  state.general[1] = any() % 6;
  state.general[3] = START + 128;
  state.general[6] = START + 192;
  state.general[7] = START + 320;
  state.general[12] = any() % 4 * 8;
  state.flags = 2 | (state.flags & (FLAGS | DIRECTION));
  if (any() & 1)
    memcpy(&state.general[0], plain + START + 128, 8);
  outcome(state, plain, table[number].begin, on_plain, &first);
  outcome(state, registers, table[number].begin, on_device, &second);
  pread(device, there, WINDOW, START);
  const char *what = memcmp(&first.general, &second.general, sizeof first.general) ? "registers"
                     : (first.flags ^ second.flags) & FLAGS                        ? "flags"
                     : memcmp(on_plain, on_device, AREA)                           ? "vectors"
                     : memcmp(plain + START, there, WINDOW)                        ? "memory"
                                                                                   : 0;
  if (what)
    printf("%s: other %s\n", names[number], what);
  return what != 0;
}

int main(int count, char **arguments) {
  if (count == 2) {
    for (int i = 0; i < COUNT; i++) {
      for (const uint8_t *byte = table[i].begin; byte < table[i].end; byte++)
        printf("%02x", *byte);
      printf(" %s\n", names[i]);
    }
    return 0;
  }
  freopen(arguments[2], "a", stdout);
  map_device();
  int wrong = 0, known = 0;
  for (int i = 0; i < COUNT; i++) {
    known += is_known(names[i]);
    for (int round = 0; round < ROUNDS && is_known(names[i]); round++)
      wrong += compare(i);
  }
  fprintf(stderr, "%d of %d instructions, %d differences\n", known, COUNT, wrong);
  return wrong != 0;
}
