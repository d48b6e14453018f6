//! Image codecs: a picture is written as JPEG and read again, then the same as PNG.

use support::{Rng, Sum};

const SIDE: usize = 256;

fn picture() -> Vec<u8> {
    let mut rng = Rng::new(17);
    let mut pixels = Vec::with_capacity(SIDE * SIDE * 3);
    for y in 0..SIDE as u32 {
        for x in 0..SIDE as u32 {
            let noise = rng.below(12);
            let disc = (x.abs_diff(128).pow(2) + y.abs_diff(100).pow(2)) / 90;
            pixels.extend([(x + noise).min(255) as u8, (y / 2 + x / 3 + noise) as u8, disc.min(255) as u8]);
        }
    }
    pixels
}

fn jpeg(pixels: &[u8], sum: &mut Sum) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut file, 85);
    encoder.encode(pixels, SIDE as u16, SIDE as u16, jpeg_encoder::ColorType::Rgb).ok()?;
    sum.bytes(&file);
    let mut decoded = Vec::new();
    for _ in 0..4 {
        decoded = jpeg_decoder::Decoder::new(&file[..]).decode().ok()?;
    }
    sum.bytes(&decoded);
    Some(decoded)
}

fn png(pixels: &[u8], sum: &mut Sum) -> Option<()> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, SIDE as u32, SIDE as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().ok()?.write_image_data(pixels).ok()?;
    sum.bytes(&file);
    for _ in 0..2 {
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file[..])).read_info().ok()?;
        let mut back = vec![0; reader.output_buffer_size()?];
        reader.next_frame(&mut back).ok()?;
        if back != pixels {
            return None;
        }
    }
    Some(())
}

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> i64 {
    let mut sum = Sum::default();
    let mut pixels = picture();
    for _ in 0..n.max(0) {
        let Some(decoded) = jpeg(&pixels, &mut sum) else { return 0 };
        if png(&decoded, &mut sum).is_none() {
            return 0;
        }
        pixels = decoded;
    }
    sum.value()
}
