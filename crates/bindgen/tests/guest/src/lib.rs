//! Calls its host with every kind of value and compares what comes back.

use std::cell::Cell;

wit_bindgen::generate!({ path: "wit", world: "mirror", additional_derives: [PartialEq], generate_all });

use exports::status::Mode;
use exports::test::mirror::work;
use test::mirror::types::{Access, Color, Letters, Mixed, Point, Shape};
use test::mirror::{echo, shop, store};

struct Mirror;
export!(Mirror);

thread_local! {
    static MODE: Cell<Mode> = const { Cell::new(Mode::Fresh) };
    static SCRAPPED: Cell<u32> = const { Cell::new(0) };
}

/// Counts checks, and stops at the first that fails.
macro_rules! check {
    ($count:ident, $left:expr, $right:expr) => {
        $count += 1;
        if $left != $right {
            return Err(format!("check {}: {}", $count, stringify!($left == $right)));
        }
    };
}

fn points() -> Vec<Point> {
    vec![Point { x: 1, y: -2 }, Point { x: i32::MIN, y: i32::MAX }]
}

fn shapes() -> Vec<Shape> {
    vec![
        Shape::Empty,
        Shape::Circle(-0.5),
        Shape::Polygon(points()),
        Shape::Labelled(("größer".into(), Color::Blue)),
        Shape::Count(u64::MAX - 1),
    ]
}

impl Guest for Mirror {
    fn check_echo() -> Result<u32, String> {
        let mut n = 0;
        for v in [true, false] {
            check!(n, echo::echo_bool(v), v);
        }
        check!(n, echo::echo_u8(200), 200);
        check!(n, echo::echo_u16(60_000), 60_000);
        check!(n, echo::echo_u32(4_000_000_000), 4_000_000_000);
        check!(n, echo::echo_u64(u64::MAX - 7), u64::MAX - 7);
        check!(n, echo::echo_s8(-100), -100);
        check!(n, echo::echo_s16(-30_000), -30_000);
        check!(n, echo::echo_s32(-2_000_000_000), -2_000_000_000);
        check!(n, echo::echo_s64(i64::MIN), i64::MIN);
        check!(n, echo::echo_f32(1.5e-30), 1.5e-30);
        check!(n, echo::echo_f64(-2.5e300), -2.5e300);
        check!(n, echo::echo_char('🚢'), '🚢');
        for v in ["", "plain", "größer 🚢"] {
            check!(n, echo::echo_string(v), v);
            check!(n, echo::echo_name(v), v);
        }
        let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
        check!(n, echo::echo_bytes(&bytes), bytes);
        check!(n, echo::echo_bytes(&[]), []);
        check!(n, echo::echo_numbers(&[i64::MIN, -1, 0, i64::MAX]), [i64::MIN, -1, 0, i64::MAX]);
        let strings = ["a".to_string(), String::new(), "ß".to_string()];
        check!(n, echo::echo_strings(&strings), strings);
        let nested = [vec![], vec![1, 2, 65535]];
        check!(n, echo::echo_nested(&nested), nested);
        check!(n, echo::echo_pair(&(7, "seven".to_string())), (7, "seven".to_string()));
        check!(n, echo::echo_point(points()[1]), points()[1]);
        for note in [None, Some("note".to_string())] {
            let mixed = Mixed {
                flag: true,
                wide: 1 << 60,
                small: -8,
                name: "mixed".to_string(),
                origin: points()[0],
                rest: points(),
                note,
            };
            check!(n, echo::echo_mixed(&mixed), mixed);
        }
        for v in [Color::Red, Color::Green, Color::Blue] {
            check!(n, echo::echo_color(v), v);
        }
        for v in [Access::empty(), Access::READ | Access::EXECUTE, Access::READ | Access::WRITE | Access::EXECUTE] {
            check!(n, echo::echo_access(v), v);
        }
        for v in [Letters::empty(), Letters::A | Letters::I | Letters::Q | Letters::T] {
            check!(n, echo::echo_letters(v), v);
        }
        for v in shapes() {
            check!(n, echo::echo_shape(&v), v);
        }
        check!(n, echo::echo_shapes(&shapes()), shapes());
        check!(n, echo::echo_option(None), None);
        check!(n, echo::echo_option(Some("x")), Some("x".to_string()));
        for v in [None, Some(None), Some(Some(9))] {
            check!(n, echo::echo_option_option(v), v);
        }
        check!(n, echo::echo_result(Ok("fine")), Ok("fine".to_string()));
        check!(n, echo::echo_result(Err(5)), Err(5));
        check!(n, echo::echo_result_empty(Ok(())), Ok(()));
        check!(n, echo::echo_result_empty(Err(())), Err(()));
        let many = echo::many(
            1, 2, 3, 4, -5, -6, -7, -8, 9.5, 10.5, 'k', true, "m", &[14, 15], Point { x: 16, y: 17 }, Some(18),
        );
        check!(n, many, "1 2 3 4 -5 -6 -7 -8 9.5 10.5 k true m [14, 15] 16,17 Some(18)");
        echo::nothing();
        Ok(n)
    }

    fn check_store() -> Result<u32, String> {
        let mut n = 0;
        check!(n, store::live(), 0);
        let a = store::Item::new("a");
        let b = store::Item::new("b");
        check!(n, store::live(), 2);
        check!(n, a.name(), "a");
        check!(n, a.rename("aa").is_ok(), true);
        check!(n, matches!(a.rename(""), Err(store::Problem::Missing(what)) if what == "a name"), true);
        check!(n, store::total(&[&a, &b]), 3);
        let joined = store::Item::join(a, &b);
        check!(n, joined.name(), "aa+b");
        check!(n, joined.drop(), 4);
        check!(n, store::live(), 2);
        let basket = store::Basket::new();
        check!(n, basket.put(joined).ok(), Some(1));
        check!(n, basket.put(b).ok(), Some(2));
        check!(n, matches!(basket.put(store::Item::new("c")), Err(store::Problem::Full)), true);
        check!(n, basket.names(), ["aa+b", "b"]);
        check!(n, basket.take().map(|i| i.name()), Some("b".to_string()));
        drop(basket);
        let items = store::all(&["x".to_string(), "yy".to_string()]);
        check!(n, store::total(&items.iter().collect::<Vec<_>>()), 3);
        drop(items);
        check!(n, store::find("there").map(|i| i.name()).ok(), Some("there".to_string()));
        check!(n, matches!(store::find("gone"), Err(store::Problem::Missing(what)) if what == "gone"), true);
        check!(n, shop::buy("there").map(|i| i.name()).ok(), Some("there".to_string()));
        check!(n, matches!(shop::buy("gone"), Err(store::Problem::Full)), true);
        check!(n, store::live(), 0);
        check!(n, test::other1_0_0::versioned::f(), 1);
        check!(n, test::other2_1_0::versioned::f(), "2.1");
        check!(n, clock::now().count(), 42);
        check!(n, stamp(&Ticket::new(12)), "ticket 12");
        log("checked");
        Ok(n)
    }

    fn wait(times: u32) -> u32 {
        let item = store::Item::new("patient");
        (0..times).map(|turns| item.wait(turns)).sum()
    }

    fn provoke() {
        let _ = store::find("trap");
    }
}

struct Machine {
    name: String,
    speed: u32,
}

impl work::GuestMachine for Machine {
    fn new(name: String, speed: u32) -> Machine {
        Machine { name, speed }
    }

    fn run(&self, shapes: Vec<Shape>) -> String {
        MODE.set(Mode::Used);
        let shapes: Vec<String> = shapes.iter().map(|shape| format!("{shape:?}")).collect();
        format!("{} at {}: {}", self.name, self.speed, shapes.join(", "))
    }

    fn compare(a: work::MachineBorrow<'_>, b: work::MachineBorrow<'_>) -> bool {
        a.get::<Machine>().speed < b.get::<Machine>().speed
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        SCRAPPED.set(SCRAPPED.get() + 1);
    }
}

impl work::Guest for Mirror {
    type Machine = Machine;

    fn polish(item: store::Item) -> store::Item {
        let name = item.name();
        let _ = item.rename(&format!("shiny {name}"));
        item
    }

    fn look(item: &store::Item) -> String {
        item.name()
    }

    fn build(name: String) -> work::Machine {
        work::Machine::new(Machine { name, speed: 1 })
    }

    fn scrap(machines: Vec<work::Machine>) -> u32 {
        drop(machines);
        SCRAPPED.get()
    }
}

impl exports::status::Guest for Mirror {
    fn get_mode() -> Mode {
        MODE.get()
    }
}
