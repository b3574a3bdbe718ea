/* What engine_bench.c runs: -DMODEL=, -DWINDOWS=, -DGOLDEN= name files, -DARENA= is a size. */
  .section .rodata.bench, "a"
  .global bench_model, bench_model_end, bench_windows, bench_windows_end, bench_golden
  .global bench_arena, bench_arena_bytes
  .balign 16
bench_model:
  .incbin MODEL
bench_model_end:
  .balign 4
bench_arena_bytes:
  .word ARENA
bench_windows:
  .incbin WINDOWS
bench_windows_end:
bench_golden:
  .incbin GOLDEN

  .section .bss.bench, "aw", %nobits
  .balign 16
bench_arena:
  .space ARENA

  .section .note.GNU-stack, "", %progbits
