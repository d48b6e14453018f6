//! Core values in a row: parameters and results that do not go through memory.

/// Reads core values one after the other.
pub struct FlatReader<'a> {
    slots: &'a [u64],
    position: usize,
}

impl<'a> FlatReader<'a> {
    /// Reads from the first of `slots`.
    pub fn new(slots: &'a [u64]) -> Self {
        FlatReader { slots, position: 0 }
    }

    /// The next value as an `i64` or the bits of an `f64`.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let value = self.slots.get(self.position).copied().unwrap_or(0);
        self.position += 1;
        value
    }

    /// The next value as an `i32` or the bits of an `f32`.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    /// How many values were read.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Goes to value number `position`: the end of a variant whose case has fewer values than others.
    pub fn skip_to(&mut self, position: usize) {
        self.position = position;
    }
}

/// Writes core values one after the other.
pub struct FlatWriter<'a> {
    slots: &'a mut [u64],
    position: usize,
}

impl<'a> FlatWriter<'a> {
    /// Writes from the first of `slots`.
    pub fn new(slots: &'a mut [u64]) -> Self {
        FlatWriter { slots, position: 0 }
    }

    /// Adds a value; those of 32 bits are zero-extended.
    #[inline]
    pub fn push(&mut self, value: u64) {
        if let Some(slot) = self.slots.get_mut(self.position) {
            *slot = value;
        }
        self.position += 1;
    }

    /// How many values were written.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Adds zeros up to value number `position`: the rest of a variant whose case has fewer values than others.
    pub fn pad_to(&mut self, position: usize) {
        while self.position < position {
            self.push(0);
        }
    }
}
