//! The format of a module's saved code.
//!
//! All numbers are little-endian. A header, the pieces in the order of their code, the tables of all pieces one after the other (traps,
//! locations, scopes), and, at a multiple of [`CODE_ALIGN`], the code. The checksum covers all other bytes.

use std::ops::Range;

use super::{
    digest::{Digest, digest},
    key::Key,
};
use crate::{Bytes, tier::Scope, trap::TrapCode};

const MAGIC: [u8; 8] = *b"WHARFcod";
const VERSION: u32 = 2;

/// Where the code begins is a multiple of this, so that it can be mapped: the largest page size of the machines of this kind.
pub(super) const CODE_ALIGN: usize = if cfg!(target_arch = "aarch64") {
    64 << 10
} else {
    4 << 10
};

/// Where things are in the header.
mod header {
    use std::ops::Range;

    pub(super) const VERSION: usize = 8;
    pub(super) const PIECES: usize = 12;
    pub(super) const KEY: Range<usize> = 16..48;
    pub(super) const CHECKSUM: Range<usize> = 48..80;
    pub(super) const LEN: usize = 80;
    pub(super) const TRAPS: usize = 88;
    pub(super) const LOCATIONS: usize = 92;
    pub(super) const SCOPES: usize = 96;
    pub(super) const CODE_LEN: usize = 100;
    pub(super) const CODE: usize = 104;
    pub(super) const SIZE: usize = 112;
}

const PIECE_SIZE: usize = 44;
const TRAP_SIZE: usize = 8;
const LOCATION_SIZE: usize = 8;
const SCOPE_SIZE: usize = 12;

/// What a piece of code is.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum PieceKind {
    /// A function; its index is that in the module.
    Func,
    /// The entry stub of a function type, whose index in the module it has.
    EntryStub,
    /// The exit stub of a function type.
    ExitStub,
}

impl PieceKind {
    fn from_number(number: u32) -> Option<PieceKind> {
        [PieceKind::Func, PieceKind::EntryStub, PieceKind::ExitStub]
            .into_iter()
            .find(|kind| *kind as u32 == number)
    }
}

/// What belongs to a piece of code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tables {
    pub(crate) traps: Box<[(u32, TrapCode)]>,
    pub(crate) locations: Box<[(u32, u32)]>,
    pub(crate) scopes: Box<[Scope]>,
}

/// A piece to be written.
pub(super) struct NewPiece<'a> {
    pub(super) kind: PieceKind,
    pub(super) index: u32,
    pub(super) alignment: u32,
    pub(super) code: &'a [u8],
    pub(super) tables: &'a Tables,
}

/// Makes an image; `None` if there is too much code for one.
pub(super) fn write(key: Key, pieces: &[NewPiece<'_>]) -> Option<Vec<u8>> {
    let sum = |len: fn(&Tables) -> usize| -> Option<u32> {
        u32::try_from(pieces.iter().map(|p| len(p.tables)).sum::<usize>()).ok()
    };
    let (traps, locations, scopes) = (
        sum(|t| t.traps.len())?,
        sum(|t| t.locations.len())?,
        sum(|t| t.scopes.len())?,
    );
    let mut starts = Vec::with_capacity(pieces.len());
    let mut code_len = 0usize;
    for piece in pieces {
        code_len = code_len.next_multiple_of(piece.alignment.max(16) as usize);
        starts.push(u32::try_from(code_len).ok()?);
        code_len += piece.code.len();
    }
    let code_len = u32::try_from(code_len).ok()?;
    let tables_end = header::SIZE
        + PIECE_SIZE * pieces.len()
        + TRAP_SIZE * traps as usize
        + LOCATION_SIZE * locations as usize
        + SCOPE_SIZE * scopes as usize;
    let code = tables_end.next_multiple_of(CODE_ALIGN);
    let len = code + code_len as usize;

    let mut out = Vec::with_capacity(len);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&u32::try_from(pieces.len()).ok()?.to_le_bytes());
    out.extend_from_slice(&key.0);
    out.extend_from_slice(&[0; 32]);
    out.extend_from_slice(&(len as u64).to_le_bytes());
    for number in [traps, locations, scopes, code_len] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&(code as u64).to_le_bytes());
    let (mut trap, mut location, mut scope) = (0u32, 0u32, 0u32);
    for (piece, start) in pieces.iter().zip(&starts) {
        let mut numbers = |list: [u32; 5]| list.map(|n| out.extend_from_slice(&n.to_le_bytes()));
        numbers([
            piece.kind as u32,
            piece.index,
            *start,
            piece.code.len() as u32,
            piece.alignment,
        ]);
        for (at, len) in [
            (&mut trap, piece.tables.traps.len()),
            (&mut location, piece.tables.locations.len()),
            (&mut scope, piece.tables.scopes.len()),
        ] {
            out.extend_from_slice(&at.to_le_bytes());
            *at += len as u32;
            out.extend_from_slice(&at.to_le_bytes());
        }
    }
    for (at, code) in pieces.iter().flat_map(|p| &p.tables.traps) {
        out.extend_from_slice(&at.to_le_bytes());
        out.extend_from_slice(&u32::from(*code as u8).to_le_bytes());
    }
    for (at, location) in pieces.iter().flat_map(|p| &p.tables.locations) {
        out.extend_from_slice(&at.to_le_bytes());
        out.extend_from_slice(&location.to_le_bytes());
    }
    for scope in pieces.iter().flat_map(|p| &p.tables.scopes) {
        for number in [scope.func, scope.base, scope.call] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
    out.resize(code, 0);
    for (piece, start) in pieces.iter().zip(&starts) {
        out.resize(code + *start as usize, 0);
        out.extend_from_slice(piece.code);
    }
    let checksum = checksum(&out);
    out[header::CHECKSUM].copy_from_slice(&checksum);
    Some(out)
}

/// The checksum of an image that has at least a header.
fn checksum(image: &[u8]) -> Digest {
    digest(&[&image[..header::CHECKSUM.start], &image[header::CHECKSUM.end..]])
}

/// Why an image is not used.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    /// It was damaged, or is none.
    Corrupt,
    /// It was made for something else, or by another version of the format.
    Key,
}

/// Saved code of a module that passed all checks.
#[derive(Debug)]
pub(crate) struct Image {
    pub(super) key: Key,
    bytes: Bytes,
    pieces: u32,
    traps: Table,
    locations: Table,
    scopes: Table,
    code: Range<usize>,
}

/// Where a table begins and how many rows it has.
#[derive(Copy, Clone, Debug)]
struct Table {
    start: usize,
    rows: u32,
}

/// A piece of code in an image.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    pub(crate) kind: PieceKind,
    pub(crate) index: u32,
    /// Counted from the start of the code.
    pub(crate) start: u32,
    pub(crate) len: u32,
    pub(crate) alignment: u32,
    traps: (u32, u32),
    locations: (u32, u32),
    scopes: (u32, u32),
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

impl Image {
    /// Reads an image for code with this key.
    pub(super) fn open(bytes: Bytes, key: Key) -> Result<Image, Refused> {
        let image = Image::read(bytes)?;
        if image.key != key {
            return Err(Refused::Key);
        }
        Ok(image)
    }

    /// Checks the bytes of an image: the checksum, and that every number in it is one that it can be.
    pub(super) fn read(bytes: Bytes) -> Result<Image, Refused> {
        if bytes.len() < header::SIZE || bytes[..8] != MAGIC {
            return Err(Refused::Corrupt);
        }
        if u32_at(&bytes, header::VERSION) != Some(VERSION) {
            return Err(Refused::Key);
        }
        if checksum(&bytes) != bytes[header::CHECKSUM] {
            return Err(Refused::Corrupt);
        }
        Image::check(bytes).ok_or(Refused::Corrupt)
    }

    fn check(bytes: Bytes) -> Option<Image> {
        if u64_at(&bytes, header::LEN)? != bytes.len() as u64 {
            return None;
        }
        let pieces = u32_at(&bytes, header::PIECES)?;
        let mut end = header::SIZE.checked_add(PIECE_SIZE.checked_mul(pieces as usize)?)?;
        let mut table = |field, size: usize| {
            let rows = u32_at(&bytes, field)?;
            let start = end;
            end = end.checked_add(size.checked_mul(rows as usize)?)?;
            Some(Table { start, rows })
        };
        let traps = table(header::TRAPS, TRAP_SIZE)?;
        let locations = table(header::LOCATIONS, LOCATION_SIZE)?;
        let scopes = table(header::SCOPES, SCOPE_SIZE)?;
        let code = usize::try_from(u64_at(&bytes, header::CODE)?).ok()?;
        let code_len = u32_at(&bytes, header::CODE_LEN)?;
        let code_end = code.checked_add(code_len as usize)?;
        if code < end || !code.is_multiple_of(CODE_ALIGN) || code_end != bytes.len() {
            return None;
        }
        let image = Image {
            key: Key(bytes[header::KEY].try_into().ok()?),
            bytes,
            pieces,
            traps,
            locations,
            scopes,
            code: code..code_end,
        };
        let mut end = 0u32;
        for number in 0..pieces {
            let piece = image.piece(number)?;
            let part_of = |(from, to): (u32, u32), table: Table| from <= to && to <= table.rows;
            if piece.start < end
                || piece.len == 0
                || !piece.alignment.is_power_of_two()
                || piece.alignment as usize > CODE_ALIGN
                || !piece.start.is_multiple_of(piece.alignment)
                || !part_of(piece.traps, image.traps)
                || !part_of(piece.locations, image.locations)
                || !part_of(piece.scopes, image.scopes)
            {
                return None;
            }
            end = piece.start.checked_add(piece.len)?;
        }
        (end <= code_len).then_some(image)
    }

    /// The checksum of the bytes of an image that was not opened yet.
    pub(super) fn stored_checksum(bytes: &[u8]) -> Option<&[u8]> {
        bytes.get(header::CHECKSUM)
    }

    fn piece(&self, number: u32) -> Option<Piece> {
        let at = header::SIZE + PIECE_SIZE * number as usize;
        let field = |i: usize| u32_at(&self.bytes, at + 4 * i);
        Some(Piece {
            kind: PieceKind::from_number(field(0)?)?,
            index: field(1)?,
            start: field(2)?,
            len: field(3)?,
            alignment: field(4)?,
            traps: (field(5)?, field(6)?),
            locations: (field(7)?, field(8)?),
            scopes: (field(9)?, field(10)?),
        })
    }

    /// The pieces, in the order of their code.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece> {
        (0..self.pieces).filter_map(|number| self.piece(number))
    }

    /// The code of all pieces.
    pub(crate) fn code(&self) -> &[u8] {
        &self.bytes[self.code.clone()]
    }

    /// Where the code is in the bytes of the image.
    pub(crate) fn code_range(&self) -> Range<usize> {
        self.code.clone()
    }

    /// The piece that holds a byte of the code. Allocates nothing.
    pub(crate) fn find(&self, offset: u32) -> Option<Piece> {
        // The first piece that begins behind it.
        let (mut low, mut high) = (0, self.pieces);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.piece(middle)?.start <= offset {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        let piece = self.piece(low.checked_sub(1)?)?;
        (offset - piece.start < piece.len).then_some(piece)
    }

    /// Why the instruction at this place in the code traps, if it may. Allocates nothing.
    pub(crate) fn trap_at(&self, offset: u32) -> Option<TrapCode> {
        let piece = self.find(offset)?;
        let offset = offset - piece.start;
        let (mut low, mut high) = piece.traps;
        while low < high {
            let middle = low + (high - low) / 2;
            let (at, code) = self.trap(middle)?;
            match at.cmp(&offset) {
                std::cmp::Ordering::Equal => return Some(code),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn trap(&self, row: u32) -> Option<(u32, TrapCode)> {
        let at = self.traps.start + TRAP_SIZE * row as usize;
        let code = u8::try_from(u32_at(&self.bytes, at + 4)?).ok()?;
        Some((u32_at(&self.bytes, at)?, TrapCode::from_byte(code)?))
    }

    /// What belongs to a piece.
    pub(crate) fn tables(&self, piece: &Piece) -> Tables {
        let location = |row: u32| {
            let at = self.locations.start + LOCATION_SIZE * row as usize;
            Some((u32_at(&self.bytes, at)?, u32_at(&self.bytes, at + 4)?))
        };
        let scope = |row: u32| {
            let at = self.scopes.start + SCOPE_SIZE * row as usize;
            Some(Scope {
                func: u32_at(&self.bytes, at)?,
                base: u32_at(&self.bytes, at + 4)?,
                call: u32_at(&self.bytes, at + 8)?,
            })
        };
        Tables {
            traps: (piece.traps.0..piece.traps.1)
                .filter_map(|row| self.trap(row))
                .collect(),
            locations: (piece.locations.0..piece.locations.1)
                .filter_map(location)
                .collect(),
            scopes: (piece.scopes.0..piece.scopes.1).filter_map(scope).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::NO_LOCATION;

    const KEY: Key = Key([7; 32]);

    fn tables() -> Tables {
        Tables {
            traps: Box::new([(3, TrapCode::Unreachable), (9, TrapCode::IntegerOverflow)]),
            locations: Box::new([(0, 4), (5, NO_LOCATION)]),
            scopes: Box::new([Scope {
                func: 12,
                base: 1,
                call: NO_LOCATION,
            }]),
        }
    }

    fn example() -> Vec<u8> {
        let (none, some) = (Tables::default(), tables());
        let piece = |kind, index, alignment, code, tables| NewPiece {
            kind,
            index,
            alignment,
            code,
            tables,
        };
        let pieces = [
            piece(PieceKind::EntryStub, 0, 16, &[1u8; 5][..], &none),
            piece(PieceKind::Func, 12, 64, &[2; 30], &some),
            piece(PieceKind::Func, 13, 16, &[3; 7], &some),
        ];
        write(KEY, &pieces).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let image = Image::open(example().into(), KEY).unwrap();
        let pieces: Vec<_> = image.pieces().collect();
        assert_eq!(pieces.iter().map(|p| p.start).collect::<Vec<_>>(), [0, 64, 96]);
        assert_eq!(image.code()[96..], [3; 7]);
        assert_eq!(image.tables(&pieces[0]), Tables::default());
        assert_eq!(image.tables(&pieces[2]), tables());
        assert_eq!(image.find(64 + 29), Some(pieces[1]));
        assert_eq!(image.find(64 + 30), None);
        assert_eq!(image.find(5), None);
        assert_eq!(image.trap_at(96 + 3), Some(TrapCode::Unreachable));
        assert_eq!(image.trap_at(64 + 9), Some(TrapCode::IntegerOverflow));
        assert_eq!(image.trap_at(64 + 10), None);
    }

    #[test]
    fn damage_and_other_keys_are_noticed() {
        let good = example();
        assert_eq!(
            Image::open(good.clone().into(), Key([8; 32])).unwrap_err(),
            Refused::Key
        );
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            assert!(Image::open(bad.into(), KEY).is_err(), "byte {at}");
        }
        for len in 0..good.len() {
            assert!(Image::open(good[..len].into(), KEY).is_err(), "{len} bytes");
        }
    }

    /// Numbers that can't be are found even where the checksum is right.
    #[test]
    fn every_number_is_checked() {
        let good = example();
        let mut refused = 0;
        for at in (0..header::SIZE + 3 * PIECE_SIZE).filter(|at| !header::CHECKSUM.contains(at)) {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] = value;
                let checksum = checksum(&bad);
                bad[header::CHECKSUM].copy_from_slice(&checksum);
                match Image::open(bad.into(), KEY) {
                    Err(_) => refused += 1,
                    Ok(image) => {
                        for piece in image.pieces() {
                            image.tables(&piece);
                        }
                        for offset in 0..200 {
                            image.trap_at(offset);
                        }
                    }
                }
            }
        }
        assert!(refused > 400, "{refused}");
    }
}
