//! `tiny-skia` with SIMD: paths, strokes, gradients and blending.

use support::{Rng, Sum};
use tiny_skia::{
    BlendMode, Color, FillRule, GradientStop, LinearGradient, Paint, PathBuilder, Pixmap, Point, RadialGradient, Shader, SpreadMode,
    Stroke, Transform,
};

const SIDE: u32 = 400;

fn shader(rng: &mut Rng) -> Option<Shader<'static>> {
    let mut color = || Color::from_rgba8(rng.next() as u8, rng.next() as u8, rng.next() as u8, 90 + rng.below(160) as u8);
    let stops = vec![GradientStop::new(0.0, color()), GradientStop::new(0.6, color()), GradientStop::new(1.0, color())];
    let solid = color();
    let point = |rng: &mut Rng| Point::from_xy(rng.below(SIDE) as f32, rng.below(SIDE) as f32);
    match rng.below(3) {
        0 => Some(Shader::SolidColor(solid)),
        1 => LinearGradient::new(point(rng), point(rng), stops, SpreadMode::Reflect, Transform::identity()),
        _ => {
            let center = point(rng);
            RadialGradient::new(center, 0.0, center, 150.0, stops, SpreadMode::Pad, Transform::identity())
        }
    }
}

fn draw(page: &mut Pixmap, rng: &mut Rng) -> Option<()> {
    let mut path = PathBuilder::new();
    let mut at = || rng.below(SIDE) as f32 + 0.25;
    path.move_to(at(), at());
    for _ in 0..4 {
        path.cubic_to(at(), at(), at(), at(), at(), at());
        path.line_to(at(), at());
    }
    path.close();
    let path = path.finish()?;
    let blends = [BlendMode::SourceOver, BlendMode::Multiply, BlendMode::Screen, BlendMode::Plus];
    let paint = Paint { shader: shader(rng)?, blend_mode: *rng.pick(&blends), anti_alias: true, ..Paint::default() };
    let turn = Transform::from_rotate_at(rng.below(360) as f32, 200.0, 200.0);
    if rng.below(3) == 0 {
        page.stroke_path(&path, &paint, &Stroke { width: 3.5, ..Stroke::default() }, turn, None);
    } else {
        page.fill_path(&path, &paint, FillRule::EvenOdd, turn, None);
    }
    Some(())
}

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> i64 {
    let mut sum = Sum::default();
    let mut rng = Rng::new(29);
    for _ in 0..n.max(0) {
        let Some(mut page) = Pixmap::new(SIDE, SIDE) else { return 0 };
        page.fill(Color::WHITE);
        for _ in 0..40 {
            // A degenerate gradient draws nothing.
            let _ = draw(&mut page, &mut rng);
        }
        sum.bytes(page.data());
    }
    sum.value()
}
