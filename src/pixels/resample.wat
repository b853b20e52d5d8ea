;; The weighted sums of resample.ts, rounded as Pillow rounds them, for four bytes at a time.
;; `npm run kernel` compiles it into resample-kernel.ts.

(module
  ;; All of it is the caller's, who leaves room for reads and writes of up to three bytes past the last unit.
  (memory (export "memory") 0)

  ;; Resamples a line of units of $unit bytes: pixels going across, whole rows going down.
  ;; Taps, i32, for every unit of the result: which is its first unit in the line, how many follow each other from
  ;; there (at least one), and their weights with 22 fraction bits. They end before $end.
  (func (export "weigh")
    (param $line i32) (param $unit i32) (param $taps i32) (param $end i32) (param $into i32)
    (local $weights i32)
    (local $next i32) ;; the next unit's taps, and so the end of the weights
    (local $first i32) ;; four bytes of the first unit
    (local $firstEnd i32)
    (local $weight i32)
    (local $source i32)
    (local $sums v128) ;; i32x4

    (block $done
      (loop $result
        (br_if $done (i32.eq (local.get $taps) (local.get $end)))
        (local.set $weights (i32.add (local.get $taps) (i32.const 8)))
        (local.set $next
          (i32.add (local.get $weights) (i32.shl (i32.load offset=4 (local.get $taps)) (i32.const 2))))
        (local.set $first
          (i32.add (local.get $line) (i32.mul (i32.load (local.get $taps)) (local.get $unit))))
        (local.set $firstEnd (i32.add (local.get $first) (local.get $unit)))

        (loop $bytes
          (local.set $sums (v128.const i32x4 0x200000 0x200000 0x200000 0x200000)) ;; one half
          (local.set $source (local.get $first))
          (local.set $weight (local.get $weights))
          (loop $tap
            (local.set $sums
              (i32x4.add
                (local.get $sums)
                (i32x4.mul
                  (v128.load32_splat (local.get $weight))
                  (i32x4.extend_low_i16x8_u
                    (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $source)))))))
            (local.set $source (i32.add (local.get $source) (local.get $unit)))
            (br_if $tap
              (i32.ne (local.tee $weight (i32.add (local.get $weight) (i32.const 4))) (local.get $next))))

          ;; 10 bits are left, so that narrowing to 16 loses nothing; narrowing to 8 clamps to 0…255.
          (local.set $sums (i32x4.shr_s (local.get $sums) (i32.const 22)))
          (local.set $sums (i16x8.narrow_i32x4_s (local.get $sums) (local.get $sums)))
          (v128.store32_lane 0
            (local.get $into)
            (i8x16.narrow_i16x8_u (local.get $sums) (local.get $sums)))
          (local.set $into (i32.add (local.get $into) (i32.const 4)))
          (local.set $first (i32.add (local.get $first) (i32.const 4)))
          (br_if $bytes (i32.lt_u (local.get $first) (local.get $firstEnd))))

        ;; The next unit begins where this one ends, over what was written past it.
        (local.set $into (i32.add (local.get $into) (i32.sub (local.get $firstEnd) (local.get $first))))
        (local.set $taps (local.get $next))
        (br $result)))))
