//! Multiplies square matrices of `f64`.

const MAX: usize = 200;
static mut A: [f64; MAX * MAX] = [0.0; MAX * MAX];
static mut B: [f64; MAX * MAX] = [0.0; MAX * MAX];
static mut C: [f64; MAX * MAX] = [0.0; MAX * MAX];

/// Multiplies two `n` x `n` matrices and gives the bits of the product's trace.
#[unsafe(no_mangle)]
extern "C" fn matmul(n: u32) -> u64 {
    // SAFETY: a Wasm instance has one thread and this is the only user of the three arrays.
    let (a, b, c) = unsafe { (&mut *(&raw mut A), &mut *(&raw mut B), &mut *(&raw mut C)) };
    let n = (n as usize).min(MAX);
    for i in 0..n {
        for j in 0..n {
            a[i * n + j] = (i as f64 - j as f64) / n as f64;
            b[i * n + j] = (i as f64 + j as f64) / n as f64;
        }
    }
    for i in 0..n {
        for j in 0..n {
            let mut sum = 0.0;
            for k in 0..n {
                sum += a[i * n + k] * b[k * n + j];
            }
            c[i * n + j] = sum;
        }
    }
    let mut trace = 0.0;
    for i in 0..n {
        trace += c[i * n + i];
    }
    trace.to_bits()
}
