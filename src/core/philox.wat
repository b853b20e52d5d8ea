;; The bulk of random.ts: Philox4x32-10 for four counters at a time, and dropout masks from its bits.
;; `npm run kernel` compiles it into philox-kernel.ts.

(module
  ;; All of it is the caller's, who leaves room for whole groups of 64 bytes.
  (memory (export "memory") 4)

  ;; Writes the blocks of 128 bits from counter $first on, one after the other, from $into to $end: 64 bytes at a time.
  ;; A counter's other three words are $row and $moment; $key has two words.
  (func (export "draw")
    (param $first i32) (param $row i32) (param $moment i64) (param $key i64) (param $into i32) (param $end i32)
    (local $counters v128) ;; i32x4, and so are all others, unless said
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $keyA v128) (local $keyC v128)
    (local $low v128) (local $high v128) ;; i64x2: products of two lanes each
    (local $lowC v128) (local $highC v128)
    (local $round i32)

    (local.set $counters (i32x4.add (i32x4.splat (local.get $first)) (v128.const i32x4 0 1 2 3)))
    (loop $blocks
      (local.set $a (local.get $counters))
      (local.set $b (i32x4.splat (local.get $row)))
      (local.set $c (i32x4.splat (i32.wrap_i64 (local.get $moment))))
      (local.set $d (i32x4.splat (i32.wrap_i64 (i64.shr_u (local.get $moment) (i64.const 32)))))
      (local.set $keyA (i32x4.splat (i32.wrap_i64 (local.get $key))))
      (local.set $keyC (i32x4.splat (i32.wrap_i64 (i64.shr_u (local.get $key) (i64.const 32)))))
      (local.set $round (i32.const 10))

      (loop $rounds
        (local.set $low (i64x2.extmul_low_i32x4_u (local.get $a) (i32x4.splat (i32.const 0xd2511f53))))
        (local.set $high (i64x2.extmul_high_i32x4_u (local.get $a) (i32x4.splat (i32.const 0xd2511f53))))
        (local.set $lowC (i64x2.extmul_low_i32x4_u (local.get $c) (i32x4.splat (i32.const 0xcd9e8d57))))
        (local.set $highC (i64x2.extmul_high_i32x4_u (local.get $c) (i32x4.splat (i32.const 0xcd9e8d57))))
        ;; The upper halves of the products go into a and c, the lower ones become b and d.
        (local.set $a
          (v128.xor
            (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $lowC) (local.get $highC))
            (v128.xor (local.get $b) (local.get $keyA))))
        (local.set $b (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $lowC) (local.get $highC)))
        (local.set $c
          (v128.xor
            (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $low) (local.get $high))
            (v128.xor (local.get $d) (local.get $keyC))))
        (local.set $d (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $low) (local.get $high)))
        (local.set $keyA (i32x4.add (local.get $keyA) (i32x4.splat (i32.const 0x9e3779b9))))
        (local.set $keyC (i32x4.add (local.get $keyC) (i32x4.splat (i32.const 0xbb67ae85))))
        (br_if $rounds (local.tee $round (i32.sub (local.get $round) (i32.const 1)))))

      ;; Each lane is a block, and a block's four words lie side by side: a transpose.
      (local.set $low (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b)))
      (local.set $high (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b)))
      (local.set $lowC (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d)))
      (local.set $highC (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d)))
      (v128.store (local.get $into)
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $low) (local.get $lowC)))
      (v128.store offset=16 (local.get $into)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $low) (local.get $lowC)))
      (v128.store offset=32 (local.get $into)
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $high) (local.get $highC)))
      (v128.store offset=48 (local.get $into)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $high) (local.get $highC)))
      (local.set $counters (i32x4.add (local.get $counters) (i32x4.splat (i32.const 4))))
      (br_if $blocks (i32.lt_u (local.tee $into (i32.add (local.get $into) (i32.const 64))) (local.get $end)))))

  ;; Makes words from $at to $end, 16 bytes at a time, a mask of floats: 0 where the upper 24 bits of a word are less
  ;; than $limit, else $kept.
  (func (export "mask") (param $at i32) (param $end i32) (param $limit i32) (param $kept f32)
    (loop $words
      (v128.store (local.get $at)
        (v128.andnot
          (f32x4.splat (local.get $kept))
          (i32x4.lt_s ;; of 25 bits at most, so that signs do not matter
            (i32x4.shr_u (v128.load (local.get $at)) (i32.const 8))
            (i32x4.splat (local.get $limit)))))
      (br_if $words (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))))
