//! `serde_json`: a document becomes a tree and typed values, and text again.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use support::{Rng, Sum};

#[derive(Deserialize, Serialize)]
struct Ship {
    id: u32,
    name: String,
    position: [f64; 2],
    tags: Vec<String>,
    cargo: Vec<Cargo>,
    flag: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Cargo {
    kind: String,
    tons: f64,
    fragile: bool,
}

fn document(ships: u32) -> String {
    let mut rng = Rng::new(7);
    let ships: Vec<Value> = (0..ships)
        .map(|id| {
            let cargo: Vec<Value> = (0..rng.below(6))
                .map(|_| json!({"kind": support::word(&mut rng), "tons": f64::from(rng.below(100_000)) / 64.0, "fragile": rng.below(2) == 0}))
                .collect();
            let tags: Vec<&str> = (0..rng.below(5)).map(|_| support::word(&mut rng)).collect();
            json!({
                "id": id,
                "name": format!("{} \u{2014} \"{}\"\n", support::word(&mut rng), support::word(&mut rng)),
                "position": [f64::from(rng.below(180_000)) / 1000.0, -f64::from(rng.below(90_000)) / 1000.0],
                "tags": tags,
                "cargo": cargo,
                "flag": if rng.below(3) == 0 { Value::Null } else { json!("harbour") },
            })
        })
        .collect();
    serde_json::to_string_pretty(&ships).unwrap_or_default()
}

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> i64 {
    let mut sum = Sum::default();
    let text = document(600);
    for _ in 0..n.max(0) * 8 {
        let Ok(tree) = serde_json::from_str::<Value>(&text) else { return 0 };
        let Ok(ships) = serde_json::from_str::<Vec<Ship>>(&text) else { return 0 };
        let tons: f64 = ships.iter().flat_map(|s| &s.cargo).map(|c| c.tons).sum();
        sum.number(tons.to_bits());
        sum.number(tree.as_array().map_or(0, Vec::len) as u64);
        let Ok(short) = serde_json::to_string(&ships) else { return 0 };
        sum.bytes(short.as_bytes());
    }
    sum.value()
}
