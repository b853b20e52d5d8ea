;; The optimizer's passes over long arrays of floats. `npm run kernel` compiles it into optimizer-kernel.ts.
;; Each pass takes its arrays' addresses, the end of the first array, then its numbers. It goes on by 16 bytes at a time.

(module
  (import "host" "memory" (memory 0 65536 shared))

  ;; The sum of squares, in float64.
  (func (export "squares") (param $of i32) (param $end i32) (result f64)
    (local $x v128) ;; f32x4
    (local $low v128) (local $high v128) ;; f64x2
    (local $sumLow v128) (local $sumHigh v128) ;; f64x2
    (loop $next
      (local.set $x (v128.load (local.get $of)))
      (local.set $low (f64x2.promote_low_f32x4 (local.get $x)))
      (local.set $high
        (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $x) (local.get $x))))
      (local.set $sumLow (f64x2.add (local.get $sumLow) (f64x2.mul (local.get $low) (local.get $low))))
      (local.set $sumHigh (f64x2.add (local.get $sumHigh) (f64x2.mul (local.get $high) (local.get $high))))
      (br_if $next (i32.lt_u (local.tee $of (i32.add (local.get $of) (i32.const 16))) (local.get $end))))
    (local.set $low (f64x2.add (local.get $sumLow) (local.get $sumHigh)))
    (f64.add (f64x2.extract_lane 0 (local.get $low)) (f64x2.extract_lane 1 (local.get $low))))

  ;; to = to * factor
  (func (export "scale") (param $to i32) (param $end i32) (param $factor f32) (result f64)
    (loop $next
      (v128.store (local.get $to) (f32x4.mul (v128.load (local.get $to)) (f32x4.splat (local.get $factor))))
      (br_if $next (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 16))) (local.get $end))))
    (f64.const 0))

  ;; to = to + (of - to) * part. With part 1/2, 1/3, …, `to` becomes the mean of all that was given.
  (func (export "approach") (param $to i32) (param $of i32) (param $end i32) (param $part f32) (result f64)
    (local $x v128)
    (loop $next
      (local.set $x (v128.load (local.get $to)))
      (v128.store (local.get $to)
        (f32x4.add (local.get $x)
          (f32x4.mul (f32x4.sub (v128.load (local.get $of)) (local.get $x)) (f32x4.splat (local.get $part)))))
      (local.set $of (i32.add (local.get $of) (i32.const 16)))
      (br_if $next (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 16))) (local.get $end))))
    (f64.const 0))

  ;; A step of AdamW. $newFirst and $newSecond: how much of the new gradient and its square the moments take.
  (func (export "adamW")
    (param $to i32) (param $gradient i32) (param $first i32) (param $second i32) (param $end i32)
    (param $newFirst f32) (param $newSecond f32) (param $decay f32) (param $rate f32) (param $correction f32)
    (param $epsilon f32) (result f64)
    (local $slope v128) (local $mean v128) (local $square v128) (local $x v128)
    (loop $next
      (local.set $slope (v128.load (local.get $gradient)))
      (local.set $mean (v128.load (local.get $first)))
      (local.set $mean
        (f32x4.add (local.get $mean)
          (f32x4.mul (f32x4.sub (local.get $slope) (local.get $mean)) (f32x4.splat (local.get $newFirst)))))
      (local.set $square (v128.load (local.get $second)))
      (local.set $square
        (f32x4.add (local.get $square)
          (f32x4.mul
            (f32x4.sub (f32x4.mul (local.get $slope) (local.get $slope)) (local.get $square))
            (f32x4.splat (local.get $newSecond)))))
      (v128.store (local.get $first) (local.get $mean))
      (v128.store (local.get $second) (local.get $square))
      (local.set $x (v128.load (local.get $to)))
      (v128.store (local.get $to)
        (f32x4.sub (local.get $x)
          (f32x4.add
            (f32x4.mul (local.get $x) (f32x4.splat (local.get $decay)))
            (f32x4.div
              (f32x4.mul (local.get $mean) (f32x4.splat (local.get $rate)))
              (f32x4.add
                (f32x4.mul (f32x4.sqrt (local.get $square)) (f32x4.splat (local.get $correction)))
                (f32x4.splat (local.get $epsilon)))))))
      (local.set $gradient (i32.add (local.get $gradient) (i32.const 16)))
      (local.set $first (i32.add (local.get $first) (i32.const 16)))
      (local.set $second (i32.add (local.get $second) (i32.const 16)))
      (br_if $next (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 16))) (local.get $end))))
    (f64.const 0)))
