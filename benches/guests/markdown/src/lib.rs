//! `pulldown-cmark`: a generated document becomes HTML.

use pulldown_cmark::{Options, Parser, html};
use std::fmt::Write;
use support::{Rng, Sum, prose, word};

fn document(sections: u32) -> String {
    let mut rng = Rng::new(13);
    let rng = &mut rng;
    let mut text = String::new();
    for section in 0..sections {
        let _ = writeln!(text, "{} {} {}\n", "#".repeat(1 + section as usize % 4), word(rng), word(rng));
        let _ = writeln!(text, "{}*{}* **{} {}** `{}` [{}](https://{}.example/{} \"{}\") and <b>&amp;</b>.\n",
            prose(rng, 200), word(rng), word(rng), word(rng), word(rng), word(rng), word(rng), section, word(rng));
        for item in 0..rng.below(6) {
            let _ = writeln!(text, "{}- [{}] {}", "  ".repeat(item as usize % 3), if item % 2 == 0 { 'x' } else { ' ' }, prose(rng, 40));
        }
        match section % 4 {
            0 => {
                let _ = writeln!(text, "\n| {} | {} |\n|:--|--:|", word(rng), word(rng));
                for _ in 0..5 {
                    let _ = writeln!(text, "| {} | {} ~~{}~~ |", word(rng), rng.next(), word(rng));
                }
            }
            1 => { let _ = writeln!(text, "\n```rust\nfn {}() {{ {} }}\n```", word(rng), rng.next()); }
            2 => { let _ = writeln!(text, "\n> {}\n> > {}\n", prose(rng, 150), prose(rng, 80)); }
            _ => { let _ = writeln!(text, "\n{}[^{section}]\n\n[^{section}]: {}\n", prose(rng, 60), prose(rng, 60)); }
        }
        text.push('\n');
    }
    text
}

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> i64 {
    let mut sum = Sum::default();
    let text = document(400);
    let mut page = String::new();
    for _ in 0..n.max(0) * 10 {
        page.clear();
        html::push_html(&mut page, Parser::new_ext(&text, Options::all()));
        sum.bytes(page.as_bytes());
    }
    sum.value()
}
