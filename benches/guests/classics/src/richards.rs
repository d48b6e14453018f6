//! Richards: an operating system's scheduler with six tasks that pass packets around. Tasks are trait objects, so
//! that calls are indirect, as in the original's languages.

// The idle task is number 0.
const WORKER: usize = 1;
const HANDLER_A: usize = 2;
const HANDLER_B: usize = 3;
const DEVICE_A: usize = 4;
const DEVICE_B: usize = 5;
const TASKS: usize = 6;
const DATA: usize = 4;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Device,
    Work,
}

/// A packet; it is handed over by value of its box, as lists of them are singly linked.
struct Packet {
    next: Option<Box<Packet>>,
    task: usize,
    kind: Kind,
    datum: usize,
    data: [u8; DATA],
}

fn packet(next: Option<Box<Packet>>, task: usize, kind: Kind) -> Option<Box<Packet>> {
    Some(Box::new(Packet { next, task, kind, datum: 0, data: [0; DATA] }))
}

/// Puts a packet at a list's end.
fn append(list: &mut Option<Box<Packet>>, mut packet: Box<Packet>) {
    packet.next = None;
    let mut at = list;
    while let Some(next) = at {
        at = &mut next.next;
    }
    *at = Some(packet);
}

fn take_first(list: &mut Option<Box<Packet>>) -> Option<Box<Packet>> {
    let mut first = list.take()?;
    *list = first.next.take();
    Some(first)
}

/// What a task asks of the scheduler at the end of its turn.
enum Next {
    Wait,
    HoldSelf,
    Release(usize),
    Queue(Box<Packet>),
}

trait Task {
    fn turn(&mut self, packet: Option<Box<Packet>>) -> Next;
}

struct Idle {
    control: u16,
    count: u32,
}

impl Task for Idle {
    fn turn(&mut self, _: Option<Box<Packet>>) -> Next {
        self.count -= 1;
        if self.count == 0 {
            return Next::HoldSelf;
        }
        let odd = self.control & 1 == 1;
        self.control >>= 1;
        if odd {
            self.control ^= 0xd008;
            return Next::Release(DEVICE_B);
        }
        Next::Release(DEVICE_A)
    }
}

struct Worker {
    to: usize,
    letter: u8,
}

impl Task for Worker {
    fn turn(&mut self, packet: Option<Box<Packet>>) -> Next {
        let Some(mut packet) = packet else { return Next::Wait };
        self.to = if self.to == HANDLER_A { HANDLER_B } else { HANDLER_A };
        packet.task = self.to;
        packet.datum = 0;
        for slot in &mut packet.data {
            self.letter = self.letter % 26 + 1;
            *slot = self.letter;
        }
        Next::Queue(packet)
    }
}

#[derive(Default)]
struct Handler {
    work: Option<Box<Packet>>,
    devices: Option<Box<Packet>>,
}

impl Task for Handler {
    fn turn(&mut self, packet: Option<Box<Packet>>) -> Next {
        if let Some(packet) = packet {
            match packet.kind {
                Kind::Work => append(&mut self.work, packet),
                Kind::Device => append(&mut self.devices, packet),
            }
        }
        let Some(work) = &mut self.work else { return Next::Wait };
        let at = work.datum;
        if at >= DATA {
            return take_first(&mut self.work).map_or(Next::Wait, Next::Queue);
        }
        match take_first(&mut self.devices) {
            Some(mut device) => {
                device.datum = usize::from(work.data[at]);
                work.datum = at + 1;
                Next::Queue(device)
            }
            None => Next::Wait,
        }
    }
}

#[derive(Default)]
struct Device {
    pending: Option<Box<Packet>>,
}

impl Task for Device {
    fn turn(&mut self, packet: Option<Box<Packet>>) -> Next {
        match packet {
            Some(packet) => {
                self.pending = Some(packet);
                Next::HoldSelf
            }
            None => self.pending.take().map_or(Next::Wait, Next::Queue),
        }
    }
}

struct Control {
    priority: u32,
    queue: Option<Box<Packet>>,
    waiting: bool,
    held: bool,
    ready: bool,
    task: Box<dyn Task>,
}

struct Scheduler {
    tasks: Vec<Control>,
    queued: u64,
    holds: u64,
}

impl Scheduler {
    fn add(&mut self, priority: u32, queue: Option<Box<Packet>>, waiting: bool, task: Box<dyn Task>) {
        let ready = queue.is_some();
        self.tasks.push(Control { priority, queue, waiting, held: false, ready, task });
    }

    /// Runs until every task is held or waits for a packet. Tasks are visited from the last added to the first.
    fn schedule(&mut self) {
        let mut current = Some(TASKS - 1);
        while let Some(id) = current {
            let control = &mut self.tasks[id];
            if control.held || (control.waiting && !control.ready) {
                current = id.checked_sub(1);
                continue;
            }
            let mut packet = None;
            if control.waiting {
                packet = take_first(&mut control.queue);
                control.waiting = false;
                control.ready = control.queue.is_some();
            }
            let next = control.task.turn(packet);
            current = self.apply(id, next);
        }
    }

    fn apply(&mut self, id: usize, next: Next) -> Option<usize> {
        match next {
            Next::Wait => {
                self.tasks[id].waiting = true;
                Some(id)
            }
            Next::HoldSelf => {
                self.holds += 1;
                self.tasks[id].held = true;
                id.checked_sub(1)
            }
            Next::Release(other) => {
                self.tasks[other].held = false;
                let higher = self.tasks[other].priority > self.tasks[id].priority;
                Some(if higher { other } else { id })
            }
            Next::Queue(mut packet) => {
                let to = packet.task;
                packet.task = id;
                self.queued += 1;
                let higher = self.tasks[to].priority > self.tasks[id].priority;
                let target = &mut self.tasks[to];
                let first = target.queue.is_none();
                append(&mut target.queue, packet);
                if first {
                    target.ready = true;
                }
                Some(if first && higher { to } else { id })
            }
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn richards(rounds: i32) -> i64 {
    let mut sum = 0i64;
    for _ in 0..rounds.max(0) {
        let mut system = Scheduler { tasks: Vec::with_capacity(TASKS), queued: 0, holds: 0 };
        let work = |n| (0..n).fold(None, |list, _| packet(list, WORKER, Kind::Work));
        let devices = |id| (0..3).fold(None, |list, _| packet(list, id, Kind::Device));
        system.add(0, None, false, Box::new(Idle { control: 1, count: 10_000 }));
        system.add(1000, work(2), true, Box::new(Worker { to: HANDLER_A, letter: 0 }));
        system.add(2000, devices(DEVICE_A), true, Box::<Handler>::default());
        system.add(3000, devices(DEVICE_B), true, Box::<Handler>::default());
        system.add(4000, None, true, Box::<Device>::default());
        system.add(5000, None, true, Box::<Device>::default());
        assert_eq!(system.tasks.len(), TASKS);
        system.schedule();
        sum = sum.wrapping_mul(31) + (system.queued * 100_000 + system.holds) as i64;
    }
    sum
}
