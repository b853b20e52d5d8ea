;; Inner products of rows with a query. `npm run kernel` compiles it into row-products-kernel.ts.

(module
  (import "host" "memory" (memory 0 65536))

  ;; Rows lie one after the other from $row on, each as long as the query, in bytes a multiple of 16.
  ;; The products go from $into to $end.
  (func (export "products")
    (param $query i32) (param $queryEnd i32) (param $row i32) (param $into i32) (param $end i32)
    (local $at i32) (local $sum v128) ;; f32x4
    (loop $rows
      (local.set $at (local.get $query))
      (local.set $sum (v128.const f32x4 0 0 0 0))
      (loop $numbers
        (local.set $sum
          (f32x4.add (local.get $sum) (f32x4.mul (v128.load (local.get $at)) (v128.load (local.get $row)))))
        (local.set $row (i32.add (local.get $row) (i32.const 16)))
        (br_if $numbers (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $queryEnd))))
      (f32.store (local.get $into)
        (f32.add
          (f32.add (f32x4.extract_lane 0 (local.get $sum)) (f32x4.extract_lane 1 (local.get $sum)))
          (f32.add (f32x4.extract_lane 2 (local.get $sum)) (f32x4.extract_lane 3 (local.get $sum)))))
      (br_if $rows (i32.lt_u (local.tee $into (i32.add (local.get $into) (i32.const 4))) (local.get $end)))))
)
