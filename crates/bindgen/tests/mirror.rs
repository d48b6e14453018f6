//! A real component against bindings of its world: every type in both directions, resources on both sides, functions
//! that wait, and errors that trap. The guest checks what it gets back; its source is in `guest/`.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use wharf::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use wharf::{Engine, Error, Result, Store};

mod bindings {
    wharf::component::bindgen!({
        path: "tests/guest/wit",
        world: "mirror",
        with: {
            "test:mirror/store.item": super::Item,
            "test:mirror/store@1.2.3/basket": crate::Basket,
        },
        trappable_error_type: { "test:mirror/store.problem" => super::StoreError },
        imports: { "test:mirror/store.[method]item.wait": async, "test:mirror/store.[drop]basket": async },
        exports: { "wait": async },
        additional_derives: [PartialEq, Clone],
    });
}

use bindings::exports::status::Mode;
use bindings::test::mirror::{echo, shop, store, types};
use bindings::{Mirror, MirrorImports, MirrorPre, Ticket};

struct Item(String);
struct Basket(Vec<Resource<Item>>);

/// What the functions of `store` fail with in the host.
#[derive(Debug)]
enum StoreError {
    Problem(store::Problem),
    Trap(&'static str),
}

impl From<wharf::component::ResourceTableError> for StoreError {
    fn from(_: wharf::component::ResourceTableError) -> StoreError {
        StoreError::Trap("no such handle")
    }
}

#[derive(Default)]
struct Host {
    table: ResourceTable,
    live: u32,
    nothings: u32,
    log: Vec<String>,
}

impl Host {
    fn item(&mut self, name: impl Into<String>) -> Result<Resource<Item>> {
        self.live += 1;
        self.table.push(Item(name.into())).map_err(Error::host)
    }

    fn name_of(&self, item: &Resource<Item>) -> Result<&str> {
        Ok(&self.table.get(item).map_err(Error::host)?.0)
    }
}

macro_rules! echo {
    ($($name:ident: $ty:ty),* $(,)?) => { $(
        fn $name(&mut self, v: $ty) -> Result<$ty> {
            Ok(v)
        }
    )* };
}

impl types::Host for Host {}

impl echo::Host for Host {
    echo! {
        echo_bool: bool, echo_u8: u8, echo_u16: u16, echo_u32: u32, echo_u64: u64,
        echo_s8: i8, echo_s16: i16, echo_s32: i32, echo_s64: i64, echo_f32: f32, echo_f64: f64, echo_char: char,
        echo_string: String, echo_name: types::Name, echo_bytes: Vec<u8>, echo_numbers: Vec<i64>,
        echo_strings: Vec<String>, echo_nested: Vec<Vec<u16>>, echo_pair: (u8, String), echo_point: types::Point,
        echo_mixed: types::Mixed, echo_color: types::Color, echo_access: types::Access, echo_letters: types::Letters,
        echo_shape: types::Shape, echo_shapes: Vec<types::Shape>, echo_option: Option<String>,
        echo_option_option: Option<Option<u8>>, echo_result: Result<String, u32>, echo_result_empty: Result<(), ()>,
    }

    fn many(
        &mut self,
        a: u8,
        b: u16,
        c: u32,
        d: u64,
        e: i8,
        f: i16,
        g: i32,
        h: i64,
        i: f32,
        j: f64,
        k: char,
        l: bool,
        m: String,
        n: Vec<u8>,
        o: types::Point,
        p: Option<u8>,
    ) -> Result<String> {
        let (x, y) = (o.x, o.y);
        Ok(format!(
            "{a} {b} {c} {d} {e} {f} {g} {h} {i} {j} {k} {l} {m} {n:?} {x},{y} {p:?}"
        ))
    }

    fn nothing(&mut self) -> Result<()> {
        self.nothings += 1;
        Ok(())
    }
}

impl store::HostItem for Host {
    fn new(&mut self, name: String) -> Result<Resource<Item>> {
        self.item(name)
    }

    fn name(&mut self, item: Resource<Item>) -> Result<String> {
        Ok(self.name_of(&item)?.to_owned())
    }

    fn rename(&mut self, item: Resource<Item>, name: String) -> Result<(), StoreError> {
        if name.is_empty() {
            return Err(StoreError::Problem(store::Problem::Missing("a name".to_owned())));
        }
        self.table.get_mut(&item)?.0 = name;
        Ok(())
    }

    fn drop_(&mut self, item: Resource<Item>) -> Result<u32> {
        Ok(self.name_of(&item)?.len() as u32)
    }

    fn join(&mut self, a: Resource<Item>, b: Resource<Item>) -> Result<Resource<Item>> {
        assert!(a.owned() && !b.owned());
        let name = format!("{}+{}", self.name_of(&a)?, self.name_of(&b)?);
        store::HostItem::drop(self, a)?;
        self.item(name)
    }

    async fn wait(&mut self, item: Resource<Item>, turns: u32) -> Result<u32> {
        self.name_of(&item)?;
        let mut left = turns;
        poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        Ok(turns)
    }

    fn drop(&mut self, item: Resource<Item>) -> Result<()> {
        self.table.delete(item).map_err(Error::host)?;
        self.live -= 1;
        Ok(())
    }
}

impl store::HostBasket for Host {
    fn new(&mut self) -> Result<Resource<Basket>> {
        self.table.push(Basket(Vec::new())).map_err(Error::host)
    }

    fn put(&mut self, basket: Resource<Basket>, item: Resource<Item>) -> Result<u32, StoreError> {
        if self.table.get(&basket)?.0.len() == 2 {
            store::HostItem::drop(self, item).map_err(|_| StoreError::Trap("drop"))?;
            return Err(StoreError::Problem(store::Problem::Full));
        }
        let basket = self.table.get_mut(&basket)?;
        basket.0.push(item);
        Ok(basket.0.len() as u32)
    }

    fn names(&mut self, basket: Resource<Basket>) -> Result<Vec<String>> {
        let basket = self.table.get(&basket).map_err(Error::host)?;
        basket
            .0
            .iter()
            .map(|item| self.name_of(item).map(str::to_owned))
            .collect()
    }

    fn take(&mut self, basket: Resource<Basket>) -> Result<Option<Resource<Item>>> {
        Ok(self.table.get_mut(&basket).map_err(Error::host)?.0.pop())
    }

    async fn drop(&mut self, basket: Resource<Basket>) -> Result<()> {
        for item in self.table.delete(basket).map_err(Error::host)?.0 {
            store::HostItem::drop(self, item)?;
        }
        Ok(())
    }
}

impl store::Host for Host {
    fn find(&mut self, name: String) -> Result<Resource<store::Thing>, StoreError> {
        match name.as_str() {
            "gone" => Err(StoreError::Problem(store::Problem::Missing(name))),
            "trap" => Err(StoreError::Trap("the host gives up")),
            _ => self.item(name).map_err(|_| StoreError::Trap("table")),
        }
    }

    fn all(&mut self, names: Vec<String>) -> Result<Vec<Resource<Item>>> {
        names.into_iter().map(|name| self.item(name)).collect()
    }

    fn total(&mut self, items: Vec<Resource<Item>>) -> Result<u32> {
        items
            .iter()
            .map(|item| self.name_of(item).map(|name| name.len() as u32))
            .sum()
    }

    fn live(&mut self) -> Result<u32> {
        Ok(self.live)
    }

    fn convert_problem(&mut self, error: StoreError) -> Result<store::Problem> {
        match error {
            StoreError::Problem(problem) => Ok(problem),
            StoreError::Trap(why) => Err(Error::msg(why)),
        }
    }
}

impl shop::Host for Host {
    fn buy(&mut self, name: String) -> Result<Resource<Item>, StoreError> {
        store::Host::find(self, name).map_err(|_| StoreError::Problem(store::Problem::Full))
    }
}

impl bindings::test::other1_0_0::versioned::Host for Host {
    fn f(&mut self) -> Result<u32> {
        Ok(1)
    }
}

impl bindings::test::other2_1_0::versioned::Host for Host {
    fn f(&mut self) -> Result<String> {
        Ok("2.1".to_owned())
    }
}

impl bindings::clock::HostTick for Host {
    fn count(&mut self, tick: Resource<bindings::clock::Tick>) -> Result<u64> {
        Ok(tick.rep().into())
    }

    fn drop(&mut self, _: Resource<bindings::clock::Tick>) -> Result<()> {
        Ok(())
    }
}

impl bindings::clock::Host for Host {
    fn now(&mut self) -> Result<Resource<bindings::clock::Tick>> {
        Ok(Resource::new_own(42))
    }
}

impl bindings::HostTicket for Host {
    fn new(&mut self, number: u32) -> Result<Resource<Ticket>> {
        Ok(Resource::new_own(number))
    }

    fn number(&mut self, ticket: Resource<Ticket>) -> Result<u32> {
        Ok(ticket.rep())
    }

    fn drop(&mut self, _: Resource<Ticket>) -> Result<()> {
        Ok(())
    }
}

impl MirrorImports for Host {
    fn log(&mut self, message: String) -> Result<()> {
        self.log.push(message);
        Ok(())
    }

    fn stamp(&mut self, ticket: Resource<Ticket>) -> Result<String> {
        Ok(format!("ticket {}", ticket.rep()))
    }
}

fn setup() -> (Store<Host>, Component, Linker<Host>) {
    let engine = Engine::default();
    let component = Component::new(&engine, include_bytes!("guest/mirror.wasm").as_slice()).unwrap();
    let mut linker = Linker::new(&engine);
    Mirror::add_to_linker::<_, HasSelf<_>>(&mut linker, |host| host).unwrap();
    (Store::new(&engine, Host::default()), component, linker)
}

fn instantiate() -> (Store<Host>, Mirror) {
    let (mut store, component, linker) = setup();
    let mirror = Mirror::instantiate(&mut store, &component, &linker).unwrap();
    (store, mirror)
}

/// Drives a future that wakes itself.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Thread(std::thread::Thread);
    impl Wake for Thread {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Thread(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn every_type_to_the_host_and_back() {
    let (mut store, mirror) = instantiate();
    let checks = mirror.call_check_echo(&mut store).unwrap().unwrap();
    assert!(checks > 40, "{checks}");
    assert_eq!(store.data().nothings, 1);
}

#[test]
fn resources_of_the_host() {
    let (mut store, mirror) = instantiate();
    let checks = mirror.call_check_store(&mut store).unwrap().unwrap();
    assert!(checks > 20, "{checks}");
    assert_eq!(store.data().live, 0);
    assert!(store.data().table.is_empty());
    assert_eq!(store.data().log, ["checked"]);
}

#[test]
fn host_functions_that_wait() {
    let (mut store, component, linker) = setup();
    let sum = block_on(async {
        let mirror = Mirror::instantiate_async(&mut store, &component, &linker).await?;
        mirror.call_wait(&mut store, 5).await
    });
    assert_eq!(sum.unwrap(), 10);
    assert_eq!(store.data().live, 0);
}

/// The same functions serve a caller that has no runtime: its thread waits.
#[test]
fn host_functions_that_wait_for_a_caller_that_does_not() {
    let (mut store, component, linker) = setup();
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let wait = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "wait")
        .unwrap();
    assert_eq!(wait.call(&mut store, (4,)).unwrap(), (6,));
}

#[test]
fn an_error_that_is_no_wit_error_traps() {
    let (mut store, mirror) = instantiate();
    let error = mirror.call_provoke(&mut store).unwrap_err();
    assert!(format!("{error}").contains("the host gives up"), "{error}");
}

#[test]
fn resources_of_the_guest() {
    let (mut store, mirror) = instantiate();
    let work = mirror.test_mirror_work();
    assert_eq!(mirror.status().call_get_mode(&mut store).unwrap(), Mode::Fresh);
    let slow = work.machine().call_constructor(&mut store, "slow", 1).unwrap();
    let fast = work.machine().call_constructor(&mut store, "fast", 9).unwrap();
    let shapes = [
        types::Shape::Circle(1.5),
        types::Shape::Labelled(("l".to_owned(), types::Color::Green)),
    ];
    let said = work.machine().call_run(&mut store, fast, &shapes).unwrap();
    assert_eq!(
        said,
        "fast at 9: Shape::Circle(1.5), Shape::Labelled((\"l\", Color::Green))"
    );
    assert_eq!(mirror.status().call_get_mode(&mut store).unwrap(), Mode::Used);
    assert!(work.machine().call_compare(&mut store, slow, fast).unwrap());
    assert!(!work.machine().call_compare(&mut store, fast, slow).unwrap());
    let built = work.call_build(&mut store, "built").unwrap();
    assert_eq!(work.call_scrap(&mut store, &[slow, built]).unwrap(), 2);
    // `fast` is the only one left, and the host's to drop.
    fast.resource_drop(&mut store).unwrap();
    assert_eq!(work.call_scrap(&mut store, &[]).unwrap(), 3);
    // A handle that was given away is gone.
    assert!(work.machine().call_run(&mut store, slow, &[]).is_err());
}

#[test]
fn resources_of_the_host_in_exports() {
    let (mut store, mirror) = instantiate();
    let work = mirror.test_mirror_work();
    let item = store.data_mut().item("pot").unwrap();
    let borrowed = Resource::new_borrow(item.rep());
    assert_eq!(work.call_look(&mut store, borrowed).unwrap(), "pot");
    let item = work.call_polish(&mut store, item).unwrap();
    assert!(item.owned());
    assert_eq!(store.data().name_of(&item).unwrap(), "shiny pot");
    assert_eq!(store.data().live, 1);
}

#[test]
fn prepared_once_and_instantiated_twice() {
    let (_, component, linker) = setup();
    let pre = MirrorPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
    for _ in 0..2 {
        let mut store = Store::new(component.engine(), Host::default());
        let mirror = pre.clone().instantiate(&mut store).unwrap();
        assert!(mirror.call_check_store(&mut store).unwrap().is_ok());
    }
}

#[test]
fn a_component_of_another_world() {
    let engine = Engine::default();
    let component = Component::new(&engine, b"\0asm\x0d\0\x01\0".as_slice()).unwrap();
    let mut store = Store::new(&engine, Host::default());
    let error = Mirror::instantiate(&mut store, &component, &Linker::new(&engine))
        .err()
        .expect("exports are missing");
    assert!(format!("{error}").contains("test:mirror/work@1.2.3"), "{error}");
}
