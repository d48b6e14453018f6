//! Vectors at the edges of what lanes can hold.

/// All operands.
pub fn vectors() -> Vec<[u8; 16]> {
    let mut all = vec![[0; 16], [0xff; 16]];
    all.extend(integers());
    all.extend(floats());
    // Some without a pattern.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    all.extend((0..6).map(|_| {
        lanes([(); 2].map(|()| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        }))
    }));
    all
}

fn lanes<const WIDTH: usize, const COUNT: usize>(lanes: [[u8; WIDTH]; COUNT]) -> [u8; 16] {
    lanes.concat().try_into().expect("lanes of 16 bytes in all")
}

fn integers() -> Vec<[u8; 16]> {
    let bytes = [
        [
            0, 1, -1, 127, -128, -127, 126, 2, -2, 64, -64, 15, 16, 17, 31, -16,
        ],
        [
            -128, 127, -128, -128, 127, 127, -1, -1, 1, 0, -128, -127, 5, -5, 100, -100,
        ],
        [-128; 16],
    ];
    let halves = [
        [-32768, 32767, -1, 1, 0, -32767, 16384, -16384],
        [-32768, -32768, 32767, 32767, 255, 256, -129, -128],
        [128, 127, -1, 300, -300, 32767, -32768, -65],
        [-32768; 8],
    ];
    let words = [
        [i32::MIN, i32::MAX, -1, 1],
        [-32769, 32768, 65535, 65536],
        [i32::MIN, i32::MIN, i32::MAX, -2],
        [16_777_217, -1, i32::MIN, 33_554_435],
    ];
    let long_words = [[i64::MIN, i64::MAX], [-1, 1], [i64::MIN, -1]];
    let bytes = bytes.map(|v| lanes(v.map(i8::to_le_bytes)));
    let halves = halves.map(|v| lanes(v.map(i16::to_le_bytes)));
    let words = words.map(|v| lanes(v.map(i32::to_le_bytes)));
    let long_words = long_words.map(|v| lanes(v.map(i64::to_le_bytes)));
    [&bytes[..], &halves, &words, &long_words].concat()
}

fn floats() -> Vec<[u8; 16]> {
    let singles = [
        [0.0, -0.0, 1.5, -1.5],
        [-0.0, 0.0, 2.5, -2.5],
        [f32::INFINITY, f32::NEG_INFINITY, 0.5, -0.5],
        // On both sides of the limits of integers.
        [
            2_147_483_648.0,
            -2_147_483_648.0,
            4_294_967_296.0,
            -2_147_483_904.0,
        ],
        [2_147_483_520.0, 4_294_967_040.0, -0.99, 3e9],
        [8_388_607.5, 8_388_608.0, -4_194_304.5, 1e-40],
        [3.4e38, -3.4e38, 2.0, 0.1],
    ];
    let single_bits = [
        // Quiet and signalling NaNs.
        [0x7fc0_0000, 0xffc0_0000, 0x7fa0_0001, 0x3f80_0000],
        [0x3f80_0000, 0x8000_0000, 0x7fc0_0001, 0x7f80_0000],
        [1, 0x8000_0001, 0x7f7f_ffff, 0xff7f_ffff_u32],
    ];
    let doubles = [
        [0.0, -0.0],
        [1.5, -2.5],
        [f64::INFINITY, f64::NEG_INFINITY],
        [2_147_483_647.5, -2_147_483_648.9],
        [4_294_967_295.9, -0.9],
        [2_147_483_648.0, 4_294_967_296.0],
        [-2_147_483_649.0, 1e300],
        [4_503_599_627_370_495.5, -0.5],
        // Beside the largest and the least single.
        [3.402_823_567_797_336_6e38, 1e-46],
    ];
    let double_bits = [
        [0x7ff8 << 48, 0xfff8 << 48],
        [0x7ff4_0000_0000_0001, 0x3ff0_0000_0000_0000],
        [1, 0x7fef_ffff_ffff_ffff_u64],
    ];
    let singles = singles.map(|v| lanes(v.map(f32::to_le_bytes)));
    let single_bits = single_bits.map(|v| lanes(v.map(u32::to_le_bytes)));
    let doubles = doubles.map(|v| lanes(v.map(f64::to_le_bytes)));
    let double_bits = double_bits.map(|v| lanes(v.map(u64::to_le_bytes)));
    [&singles[..], &single_bits, &doubles, &double_bits].concat()
}
