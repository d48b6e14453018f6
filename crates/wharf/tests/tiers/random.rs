//! Random modules, the same ones in every run.

#[path = "../../../../fuzz/fuzz_targets/tiers/compare.rs"]
mod compare;

/// Bytes that look random (splitmix64).
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (0..1024).flat_map(|_| next().to_le_bytes()).collect()
}

/// `WHARF_RANDOM_MODULES=FIRST..END` runs others than the usual ones, and `WHARF_RANDOM_MODULE_FILE` tells where to write each before it runs.
fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("WHARF_RANDOM_MODULES") else {
        return 0..150;
    };
    let (first, end) = text.split_once("..").expect("a range");
    first.parse().expect("a number")..end.parse().expect("a number")
}

#[test]
fn random_modules_are_the_same_in_every_mode() {
    let mut ran = 0;
    let seeds = seeds();
    for seed in seeds.clone() {
        if let Some(wasm) = compare::random_module(&bytes(seed)) {
            eprintln!("seed {seed}, {} bytes", wasm.len());
            if let Ok(path) = std::env::var("WHARF_RANDOM_MODULE_FILE") {
                std::fs::write(path, &wasm).expect("the file can be written");
            }
            compare::compare(&wasm);
            ran += 1;
        }
    }
    assert!(ran > seeds.count() / 2, "only {ran} modules ran");
}
