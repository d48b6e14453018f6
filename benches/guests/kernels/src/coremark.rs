//! The mix of work that the CoreMark benchmark is known for, written anew: sorting and searching a linked list, a
//! matrix of 16-bit numbers, a state machine over text, and a CRC over the results.

use crate::Rng;

fn crc16(mut crc: u16, value: u16) -> u16 {
    for bit in 0..16 {
        let mix = (crc ^ (value >> bit)) & 1;
        crc >>= 1;
        if mix != 0 {
            crc ^= 0xa001;
        }
    }
    crc
}

const NODES: usize = 128;
const NIL: u16 = u16::MAX;

struct List {
    next: [u16; NODES],
    value: [i16; NODES],
    head: u16,
}

impl List {
    fn new(rng: &mut Rng) -> List {
        let mut list = List { next: [NIL; NODES], value: [0; NODES], head: 0 };
        for i in 0..NODES {
            list.value[i] = rng.next() as i16;
            list.next[i] = if i + 1 < NODES { i as u16 + 1 } else { NIL };
        }
        list
    }

    fn find(&self, value: i16) -> u16 {
        let mut at = self.head;
        while at != NIL {
            if self.value[at as usize] == value {
                return at;
            }
            at = self.next[at as usize];
        }
        NIL
    }

    fn reverse(&mut self) {
        let mut done = NIL;
        let mut at = self.head;
        while at != NIL {
            let next = self.next[at as usize];
            self.next[at as usize] = done;
            done = at;
            at = next;
        }
        self.head = done;
    }

    /// Merge sort from the bottom up, in place.
    fn sort(&mut self, key: fn(i16) -> i16) {
        let mut width = 1;
        loop {
            let mut left = self.head;
            let mut tail = NIL;
            let mut merges = 0;
            self.head = NIL;
            while left != NIL {
                merges += 1;
                let mut right = left;
                let mut left_count = 0;
                while left_count < width && right != NIL {
                    left_count += 1;
                    right = self.next[right as usize];
                }
                let mut right_count = width;
                while left_count > 0 || (right_count > 0 && right != NIL) {
                    let take_left = left_count > 0
                        && (right_count == 0
                            || right == NIL
                            || key(self.value[left as usize]) <= key(self.value[right as usize]));
                    let node = if take_left {
                        left_count -= 1;
                        let node = left;
                        left = self.next[left as usize];
                        node
                    } else {
                        right_count -= 1;
                        let node = right;
                        right = self.next[right as usize];
                        node
                    };
                    if tail == NIL {
                        self.head = node;
                    } else {
                        self.next[tail as usize] = node;
                    }
                    tail = node;
                }
                left = right;
            }
            if tail != NIL {
                self.next[tail as usize] = NIL;
            }
            if merges <= 1 {
                return;
            }
            width *= 2;
        }
    }

    fn crc(&self, mut crc: u16) -> u16 {
        let mut at = self.head;
        while at != NIL {
            crc = crc16(crc, self.value[at as usize] as u16);
            at = self.next[at as usize];
        }
        crc
    }
}

fn plain(v: i16) -> i16 {
    v
}

fn by_low_bits(v: i16) -> i16 {
    ((v as u16 & 0x7f) << 8 | (v as u16) >> 8) as i16
}

fn list_work(rng: &mut Rng, crc: u16) -> u16 {
    let mut list = List::new(rng);
    let mut crc = crc;
    for i in 0..NODES as i16 / 8 {
        let hit = list.find(list.value[i as usize * 7 % NODES]);
        crc = crc16(crc, hit ^ list.find(i));
        list.reverse();
    }
    list.sort(by_low_bits);
    crc = list.crc(crc);
    list.sort(plain);
    list.crc(crc)
}

const N: usize = 16;

fn matrix_work(rng: &mut Rng, crc: u16) -> u16 {
    let mut a = [[0i16; N]; N];
    let mut b = [[0i16; N]; N];
    let mut c = [[0i32; N]; N];
    for i in 0..N {
        for j in 0..N {
            a[i][j] = rng.next() as i16 >> 4;
            b[i][j] = rng.next() as i16 >> 4;
        }
    }
    let mut crc = crc;
    for round in 0..2i16 {
        for row in &mut a {
            for v in row {
                *v = v.wrapping_add(round);
            }
        }
        for i in 0..N {
            for j in 0..N {
                let mut sum = 0i32;
                for k in 0..N {
                    let product = i32::from(a[i][k]) * i32::from(b[k][j]);
                    sum = sum.wrapping_add(if round == 0 { product } else { (product >> 2 & 15) * (product >> 5 & 127) });
                }
                c[i][j] = sum;
            }
        }
        let mut last = 0;
        let mut total = 0i32;
        for row in &c {
            for v in row {
                total = if *v > last { total.wrapping_add(10) } else { total.wrapping_add(*v & 3) };
                last = *v;
            }
        }
        crc = crc16(crc, total as u16);
    }
    crc
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Start,
    Sign,
    Int,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    Scientific,
    Invalid,
}

static TEXT: &[u8] = b"5012,1234,-874,+122,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,-87e+832,+0.6e-12,T0.3e-1F,-T.T++Tq,1T3.4e4z,34.0e-T^,";

fn state_work(crc: u16) -> u16 {
    let mut counts = [0u16; 9];
    let mut state = State::Start;
    for _ in 0..4 {
        for &c in TEXT {
            if c == b',' {
                counts[state as usize] += 1;
                state = State::Start;
                continue;
            }
            state = match (state, c) {
                (State::Start, b'+' | b'-') => State::Sign,
                (State::Start | State::Sign | State::Int, b'0'..=b'9') => State::Int,
                (State::Start | State::Sign, b'.') => State::Point,
                (State::Int, b'.') => State::Fraction,
                (State::Point | State::Fraction, b'0'..=b'9') => State::Fraction,
                (State::Int | State::Fraction, b'e' | b'E') => State::Exponent,
                (State::Exponent, b'+' | b'-') => State::ExponentSign,
                (State::Exponent | State::ExponentSign | State::Scientific, b'0'..=b'9') => State::Scientific,
                _ => State::Invalid,
            };
        }
    }
    counts.iter().fold(crc, |crc, n| crc16(crc, *n))
}

/// Does the three kinds of work `n` times and gives the CRC over all results.
#[unsafe(no_mangle)]
extern "C" fn coremark(n: u32) -> u64 {
    let mut rng = Rng(0x9e37_79b9);
    let mut crc = 0u16;
    for _ in 0..n {
        crc = list_work(&mut rng, crc);
        crc = matrix_work(&mut rng, crc);
        crc = state_work(crc);
    }
    u64::from(crc)
}
