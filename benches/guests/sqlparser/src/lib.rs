//! `sqlparser`: statements become a syntax tree, and text again.

use sqlparser::{dialect::GenericDialect, parser::Parser};
use std::fmt::Write;
use support::{Rng, Sum, word};

fn script(statements: u32) -> String {
    let mut rng = Rng::new(19);
    let rng = &mut rng;
    let mut text = String::new();
    for i in 0..statements {
        let (a, b, c) = (word(rng), word(rng), rng.below(10_000));
        let _ = match i % 5 {
            0 => writeln!(text, "CREATE TABLE t_{a}_{i} (id INTEGER PRIMARY KEY, \"{b}\" VARCHAR(40) NOT NULL DEFAULT '{b}', n DECIMAL(10, 2), CHECK (n > {c}));"),
            1 => writeln!(text, "INSERT INTO t_{a} (id, n, note) VALUES ({c}, {c}.25, '{b} it''s'), (-{i}, NULL, CAST('{i}' AS TEXT));"),
            2 => writeln!(text, "SELECT x.id, count(*) AS c, sum(y.n * 1.5 + {c}) FROM t_{a} AS x LEFT JOIN t_{b} y ON x.id = y.id AND (y.n BETWEEN 1 AND {c} OR y.note LIKE '%{b}%') WHERE x.id IN (SELECT id FROM u WHERE v IS NOT NULL) GROUP BY x.id HAVING count(*) > {i} ORDER BY c DESC NULLS LAST LIMIT 10 OFFSET {i};"),
            3 => writeln!(text, "WITH RECURSIVE r_{a} (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r_{a} WHERE n < {c}) SELECT CASE WHEN n % 3 = 0 THEN 'fizz' ELSE substr('{b}', n, 2) || '!' END, row_number() OVER (PARTITION BY n % 7 ORDER BY n) FROM r_{a};"),
            _ => writeln!(text, "UPDATE t_{a} SET n = n - {c}, note = coalesce(note, lower('{b}')) WHERE NOT (id = {i}) AND EXISTS (SELECT 1 FROM t_{b}); DELETE FROM t_{b} WHERE id <= {c};"),
        };
    }
    text
}

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> i64 {
    let mut sum = Sum::default();
    let text = script(250);
    for _ in 0..n.max(0) * 2 {
        let Ok(statements) = Parser::parse_sql(&GenericDialect {}, &text) else { return 0 };
        for statement in &statements {
            sum.bytes(statement.to_string().as_bytes());
        }
    }
    sum.value()
}
