//! Size, alignment and flat count of types, usable in constants.

/// A function with more flat parameters than this takes a pointer to them.
pub const MAX_FLAT_PARAMS: usize = 16;
/// A function with more flat results than this returns a pointer to them.
pub const MAX_FLAT_RESULTS: usize = 1;
/// Slots that every flat buffer of a call has: all parameters and a return pointer.
pub(crate) const FLAT_SLOTS: usize = MAX_FLAT_PARAMS + 1;

/// How a value lies in 32-bit linear memory and how many core values it flattens to.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct CanonicalAbi {
    /// Bytes in memory, a multiple of the alignment.
    pub size32: u32,
    /// Alignment in bytes: 1, 2, 4 or 8.
    pub align32: u32,
    /// Number of core values, or `None` when there are more than 16, which always go through memory.
    pub flat_count: Option<u8>,
}

const fn align_up(n: u32, align: u32) -> u32 {
    match n.checked_add(align - 1) {
        Some(n) => n & !(align - 1),
        None => !(align - 1),
    }
}

const fn max(a: u32, b: u32) -> u32 {
    if a > b { a } else { b }
}

const fn add_flat(a: Option<u8>, b: Option<u8>) -> Option<u8> {
    match (a, b) {
        (Some(a), Some(b)) if a as usize + b as usize <= MAX_FLAT_PARAMS => Some(a + b),
        _ => None,
    }
}

/// Bytes of a `flags` type with `n` flags.
pub const fn flags_size(n: usize) -> u32 {
    match n {
        0..=8 => 1,
        9..=16 => 2,
        _ => 4,
    }
}

const fn discriminant_size(cases: usize) -> u32 {
    match cases {
        0..=256 => 1,
        257..=65536 => 2,
        _ => 4,
    }
}

impl CanonicalAbi {
    /// No bytes and no core values: where the layout of a record starts.
    pub const EMPTY: CanonicalAbi = CanonicalAbi {
        size32: 0,
        align32: 1,
        flat_count: Some(0),
    };
    /// A string, list or map: pointer and length.
    pub const POINTER_PAIR: CanonicalAbi = CanonicalAbi {
        size32: 8,
        align32: 4,
        flat_count: Some(2),
    };

    /// A number, bool, char or handle of `size` bytes.
    pub const fn scalar(size: u32) -> CanonicalAbi {
        CanonicalAbi {
            size32: size,
            align32: size,
            flat_count: Some(1),
        }
    }

    /// A record or tuple with these fields.
    pub const fn record(fields: &[CanonicalAbi]) -> CanonicalAbi {
        let mut abi = Self::EMPTY;
        let mut i = 0;
        while i < fields.len() {
            abi.push_field(&fields[i]);
            i += 1;
        }
        abi.finish_record()
    }

    /// The offset of field `index` of a record with these fields.
    pub const fn field_offset(fields: &[CanonicalAbi], index: usize) -> u32 {
        let mut abi = Self::EMPTY;
        let mut i = 0;
        let mut offset = 0;
        while i <= index {
            offset = abi.push_field(&fields[i]);
            i += 1;
        }
        offset
    }

    /// Adds a field to a record that is being laid out and returns its offset.
    pub const fn push_field(&mut self, field: &CanonicalAbi) -> u32 {
        let offset = align_up(self.size32, field.align32);
        self.size32 = offset.saturating_add(field.size32);
        self.align32 = max(self.align32, field.align32);
        self.flat_count = add_flat(self.flat_count, field.flat_count);
        offset
    }

    /// Ends a record that was laid out with [`push_field`](Self::push_field).
    pub const fn finish_record(mut self) -> CanonicalAbi {
        self.size32 = align_up(self.size32, self.align32);
        self
    }

    /// A variant with `cases` cases and these payloads.
    pub const fn variant(cases: &[Option<CanonicalAbi>]) -> CanonicalAbi {
        Self::variant_of(cases.len(), cases).0
    }

    /// The offset of the payload of a variant with these payloads.
    pub const fn payload_offset(cases: &[Option<CanonicalAbi>]) -> u32 {
        Self::variant_of(cases.len(), cases).2
    }

    /// An enum with `cases` cases.
    pub const fn enumeration(cases: usize) -> CanonicalAbi {
        Self::variant_of(cases, &[]).0
    }

    /// A flags type with `n` flags.
    pub const fn flags(n: usize) -> CanonicalAbi {
        Self::scalar(flags_size(n))
    }

    /// Layout, size of the discriminant and offset of the payload.
    pub(crate) const fn variant_of(
        cases: usize,
        payloads: &[Option<CanonicalAbi>],
    ) -> (CanonicalAbi, u32, u32) {
        let disc = discriminant_size(cases);
        let mut size = 0;
        let mut payload_align = 1;
        let mut flat = Some(0u8);
        let mut i = 0;
        while i < payloads.len() {
            if let Some(p) = &payloads[i] {
                size = max(size, p.size32);
                payload_align = max(payload_align, p.align32);
                flat = match (flat, p.flat_count) {
                    (Some(a), Some(b)) => Some(if a > b { a } else { b }),
                    _ => None,
                };
            }
            i += 1;
        }
        let offset = align_up(disc, payload_align);
        let align = max(disc, payload_align);
        let abi = CanonicalAbi {
            size32: align_up(offset.saturating_add(size), align),
            align32: align,
            flat_count: add_flat(Some(1), flat),
        };
        (abi, disc, offset)
    }

    pub(crate) fn repeat(&self, n: u32) -> CanonicalAbi {
        let flat = self.flat_count.and_then(|f| u32::from(f).checked_mul(n));
        CanonicalAbi {
            size32: self.size32.saturating_mul(n),
            align32: self.align32,
            flat_count: flat.filter(|n| *n as usize <= MAX_FLAT_PARAMS).map(|n| n as u8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_and_variants() {
        let u8_ = CanonicalAbi::scalar(1);
        let u64_ = CanonicalAbi::scalar(8);
        let r = CanonicalAbi::record(&[u8_, u64_, u8_]);
        assert_eq!(
            r,
            CanonicalAbi {
                size32: 24,
                align32: 8,
                flat_count: Some(3)
            }
        );
        assert_eq!(CanonicalAbi::field_offset(&[u8_, u64_, u8_], 2), 16);
        let v = CanonicalAbi::variant(&[None, Some(CanonicalAbi::POINTER_PAIR), Some(u8_)]);
        assert_eq!(
            v,
            CanonicalAbi {
                size32: 12,
                align32: 4,
                flat_count: Some(3)
            }
        );
        assert_eq!(CanonicalAbi::enumeration(257), CanonicalAbi::scalar(2));
        assert_eq!(CanonicalAbi::enumeration(256), CanonicalAbi::scalar(1));
        assert_eq!(CanonicalAbi::flags(17).size32, 4);
        assert_eq!(u8_.repeat(17).flat_count, None);
    }
}
