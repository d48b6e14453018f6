//! Calls between guests: values go from the memory and core values of one to those of the other in one pass.

use wharf_core::{Error, Memory, Result, Store, TrapCode};

use super::strings::{self, Source};
use super::{
    CanonOptions, LiftContext, LowerContext, MAX_COPIED_BYTES, MAX_HOST_BYTES, MAX_LIST_BYTES, StringEncoding,
};
use crate::runtime::root::Root;
use crate::runtime::state::with_memory;
use crate::types::{ResourceIndex, TypeArena, TypeDef, TypeIndex};

/// One of the two guests.
#[derive(Copy, Clone)]
pub(crate) struct Side {
    pub options: CanonOptions,
    pub instance: u32,
}

/// Where a value is.
#[derive(Copy, Clone)]
enum Place {
    /// From this core value on.
    Flat(usize),
    /// At this address.
    Memory(u32),
}

/// A pass over values. Both sides use the callee's types: that they are the caller's too has been checked, and the
/// resource types in handle tables are the same for both.
pub(crate) struct Transfer<'a> {
    store: &'a mut Store,
    root: &'a Root,
    types: &'a TypeArena,
    from: Side,
    to: Side,
    scope: u32,
    source: &'a [u64],
    target: &'a mut [u64],
    /// Bytes that may still be copied.
    budget: u64,
}

impl<'a> Transfer<'a> {
    /// The slots of `target` must be zero.
    pub fn new(
        store: &'a mut Store,
        root: &'a Root,
        from: Side,
        to: Side,
        scope: u32,
        source: &'a [u64],
        target: &'a mut [u64],
    ) -> Self {
        Transfer {
            store,
            root,
            types: root.types(),
            from,
            to,
            scope,
            source,
            target,
            budget: MAX_COPIED_BYTES,
        }
    }

    /// Moves the values of a tuple: all parameters, or the result. `flat`: they are core values on both sides.
    /// Otherwise the first core value points to them, and they go to `pointer` or, without one, to new memory.
    pub fn values(&mut self, ty: TypeIndex, flat: bool, pointer: Option<u32>) -> Result<()> {
        if flat {
            return self.value(ty, Place::Flat(0), Place::Flat(0));
        }
        let abi = self.types.node(ty).abi;
        let source = self.source.first().copied().unwrap_or(0) as u32;
        self.check_source(
            source,
            u64::from(abi.size32),
            abi.align32,
            TrapCode::PointerOutOfBounds,
        )?;
        let target = match pointer {
            Some(pointer) => {
                self.lower().check(pointer, abi.size32, abi.align32)?;
                pointer
            }
            None => {
                let pointer = self.lower().allocate(abi.align32, abi.size32)?;
                if let Some(slot) = self.target.first_mut() {
                    *slot = u64::from(pointer);
                }
                pointer
            }
        };
        self.value(ty, Place::Memory(source), Place::Memory(target))
    }

    fn spend(&mut self, bytes: u64) -> Result<()> {
        match self.budget.checked_sub(bytes) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => Err(Error::limit(
                "the values of a call between components are too large",
            )),
        }
    }

    fn lower(&mut self) -> LowerContext<'_> {
        LowerContext {
            store: self.store,
            types: self.types,
            options: self.to.options,
            resources: &self.root.resources,
            instance: self.to.instance,
            scope: self.scope,
            adapter: true,
        }
    }

    fn lift<R>(&mut self, f: impl FnOnce(&mut LiftContext<'_>) -> Result<R>) -> Result<R> {
        let Transfer {
            root, types, from, ..
        } = self;
        with_memory(self.store, from.options.memory, |memory, state| {
            f(&mut LiftContext {
                memory,
                state,
                types,
                encoding: from.options.encoding,
                resources: &root.resources,
                instance: from.instance,
                budget: MAX_HOST_BYTES,
            })
        })
    }

    fn check_source(&self, pointer: u32, bytes: u64, align: u32, code: TrapCode) -> Result<()> {
        if pointer & (align - 1) != 0 {
            return Err(Error::trap(TrapCode::UnalignedPointer));
        }
        let len = self.from.options.memory.map_or(0, |m| m.data(self.store).len());
        if u64::from(pointer) + bytes > len as u64 {
            return Err(Error::trap(code));
        }
        Ok(())
    }

    /// Reads a core value, or `size` bytes of memory.
    fn read(&self, place: Place, size: usize) -> Result<u64> {
        match place {
            Place::Flat(index) => Ok(self.source.get(index).copied().unwrap_or(0)),
            Place::Memory(offset) => {
                let memory = self.from.options.memory.map_or(&[][..], |m| m.data(self.store));
                let start = offset as usize;
                let bytes = memory.get(start..).and_then(|b| b.get(..size));
                let bytes = bytes.ok_or_else(|| Error::trap(TrapCode::PointerOutOfBounds))?;
                let mut value = [0; 8];
                value[..size].copy_from_slice(bytes);
                Ok(u64::from_le_bytes(value))
            }
        }
    }

    /// Writes a core value, or `size` bytes of memory.
    fn write(&mut self, place: Place, size: usize, value: u64) -> Result<()> {
        match place {
            Place::Flat(index) => {
                if let Some(slot) = self.target.get_mut(index) {
                    *slot = value;
                }
                Ok(())
            }
            Place::Memory(offset) => {
                let bytes = value.to_le_bytes();
                self.lower()
                    .bytes_mut(offset, size)?
                    .copy_from_slice(&bytes[..size]);
                Ok(())
            }
        }
    }

    fn scalar(
        &mut self,
        size: usize,
        from: Place,
        to: Place,
        convert: impl FnOnce(u64) -> Result<u64>,
    ) -> Result<()> {
        let value = convert(self.read(from, size)?)?;
        self.write(to, size, value)
    }

    fn value(&mut self, ty: TypeIndex, from: Place, to: Place) -> Result<()> {
        let node = self.types.node(ty);
        if let (true, Place::Memory(source), Place::Memory(target)) = (node.plain, from, to) {
            return self.copy(source, target, node.abi.size32);
        }
        match &node.def {
            TypeDef::Bool => {
                let mask = if matches!(from, Place::Flat(_)) {
                    u64::from(u32::MAX)
                } else {
                    0xff
                };
                self.scalar(1, from, to, |v| Ok(u64::from(v & mask != 0)))
            }
            TypeDef::U8 => self.scalar(1, from, to, |v| Ok(u64::from(v as u8))),
            TypeDef::S8 => self.scalar(1, from, to, |v| Ok(u64::from(v as i8 as i32 as u32))),
            TypeDef::U16 => self.scalar(2, from, to, |v| Ok(u64::from(v as u16))),
            TypeDef::S16 => self.scalar(2, from, to, |v| Ok(u64::from(v as i16 as i32 as u32))),
            TypeDef::U32 | TypeDef::S32 | TypeDef::F32 => {
                self.scalar(4, from, to, |v| Ok(u64::from(v as u32)))
            }
            TypeDef::U64 | TypeDef::S64 | TypeDef::F64 => self.scalar(8, from, to, Ok),
            TypeDef::Char => self.scalar(4, from, to, |v| match char::from_u32(v as u32) {
                Some(c) => Ok(u64::from(u32::from(c))),
                None => Err(Error::trap(TrapCode::InvalidChar)),
            }),
            TypeDef::String => {
                let (pointer, length) = self.read_pair(from)?;
                let (pointer, length) = self.string(pointer, length)?;
                self.write_pair(to, pointer, length)
            }
            TypeDef::List(element) | TypeDef::Map(_, _, element) => {
                let (pointer, length) = self.read_pair(from)?;
                let pointer = self.list(*element, pointer, length)?;
                self.write_pair(to, pointer, length)
            }
            TypeDef::FixedList(element, count) => {
                let abi = self.types.node(*element).abi;
                let flat = usize::from(abi.flat_count.unwrap_or(0));
                for i in 0..*count {
                    let step = |place| match place {
                        Place::Flat(index) => Place::Flat(index + flat * i as usize),
                        Place::Memory(offset) => Place::Memory(offset + abi.size32 * i),
                    };
                    self.value(*element, step(from), step(to))?;
                }
                Ok(())
            }
            TypeDef::Record(fields) => self.fields(fields.iter().map(|(_, ty)| *ty), &node.offsets, from, to),
            TypeDef::Tuple(fields) => self.fields(fields.iter().copied(), &node.offsets, from, to),
            TypeDef::Variant(cases) => {
                let disc = usize::from(node.discriminant);
                let payload = |i: usize| cases.get(i).map(|(_, ty)| *ty);
                self.variant(disc, &node.offsets, from, to, payload)
            }
            TypeDef::Enum(names) => {
                let disc = usize::from(node.discriminant);
                self.variant(disc, &node.offsets, from, to, |i| {
                    (i < names.len()).then_some(None)
                })
            }
            TypeDef::Option(ty) => {
                self.variant(1, &node.offsets, from, to, |i| [None, Some(*ty)].get(i).copied())
            }
            TypeDef::Result(ok, err) => {
                self.variant(1, &node.offsets, from, to, |i| [*ok, *err].get(i).copied())
            }
            TypeDef::Flags(names) => {
                let mask = u64::from(u32::MAX) >> (32 - names.len().clamp(1, 32));
                self.scalar(usize::from(node.discriminant), from, to, |v| Ok(v & mask))
            }
            TypeDef::Own(resource) => self.own(*resource, from, to),
            TypeDef::Borrow(resource) => self.borrow(*resource, from, to),
            TypeDef::ErrorContext | TypeDef::Stream(_) | TypeDef::Future(_) => Err(Error::unsupported(
                format!("passing a value of type `{}`", node.def.desc()),
            )),
        }
    }

    fn fields(
        &mut self,
        types: impl Iterator<Item = TypeIndex>,
        offsets: &[u32],
        from: Place,
        to: Place,
    ) -> Result<()> {
        let mut flat = 0;
        for (ty, offset) in types.zip(offsets) {
            let step = |place| match place {
                Place::Flat(index) => Place::Flat(index + flat),
                Place::Memory(base) => Place::Memory(base + offset),
            };
            self.value(ty, step(from), step(to))?;
            flat += usize::from(self.types.node(ty).abi.flat_count.unwrap_or(0));
        }
        Ok(())
    }

    fn variant(
        &mut self,
        discriminant: usize,
        offsets: &[u32],
        from: Place,
        to: Place,
        payload: impl FnOnce(usize) -> Option<Option<TypeIndex>>,
    ) -> Result<()> {
        let case = self.read(from, discriminant)? as u32;
        let ty = payload(case as usize).ok_or_else(|| Error::trap(TrapCode::InvalidDiscriminant))?;
        self.write(to, discriminant, u64::from(case))?;
        let Some(ty) = ty else { return Ok(()) };
        let step = |place| match place {
            Place::Flat(index) => Place::Flat(index + 1),
            Place::Memory(base) => Place::Memory(base + offsets.first().copied().unwrap_or(0)),
        };
        self.value(ty, step(from), step(to))
    }

    fn own(&mut self, resource: ResourceIndex, from: Place, to: Place) -> Result<()> {
        let handle = self.read(from, 4)? as u32;
        let rep = self.lift(|cx| cx.lift_own(resource, handle))?;
        let handle = self.lower().lower_own(resource, rep)?;
        self.write(to, 4, u64::from(handle))
    }

    fn borrow(&mut self, resource: ResourceIndex, from: Place, to: Place) -> Result<()> {
        let handle = self.read(from, 4)? as u32;
        let rep = self.lift(|cx| cx.lift_borrow(resource, handle))?;
        let handle = self.lower().lower_borrow(resource, rep)?;
        self.write(to, 4, u64::from(handle))
    }

    fn read_pair(&self, from: Place) -> Result<(u32, u32)> {
        let second = match from {
            Place::Flat(index) => Place::Flat(index + 1),
            Place::Memory(offset) => Place::Memory(offset + 4),
        };
        Ok((self.read(from, 4)? as u32, self.read(second, 4)? as u32))
    }

    fn write_pair(&mut self, to: Place, pointer: u32, length: u32) -> Result<()> {
        let second = match to {
            Place::Flat(index) => Place::Flat(index + 1),
            Place::Memory(offset) => Place::Memory(offset + 4),
        };
        self.write(to, 4, u64::from(pointer))?;
        self.write(second, 4, u64::from(length))
    }

    fn list(&mut self, element: TypeIndex, pointer: u32, length: u32) -> Result<u32> {
        let node = self.types.node(element);
        let abi = node.abi;
        let bytes = u64::from(length) * u64::from(abi.size32);
        if bytes > MAX_LIST_BYTES {
            return Err(Error::trap(TrapCode::ListTooLong));
        }
        self.check_source(pointer, bytes, abi.align32, TrapCode::ListOutOfBounds)?;
        self.spend(bytes)?;
        let target = self.lower().allocate(abi.align32, bytes as u32)?;
        if node.plain {
            self.copy(pointer, target, bytes as u32)?;
        } else if abi.size32 > 0 {
            for offset in (0..bytes as u32).step_by(abi.size32 as usize) {
                self.value(
                    element,
                    Place::Memory(pointer + offset),
                    Place::Memory(target + offset),
                )?;
            }
        }
        Ok(target)
    }

    fn string(&mut self, pointer: u32, length: u32) -> Result<(u32, u32)> {
        self.spend(u64::from(length))?;
        let same = self.from.options.encoding == StringEncoding::Utf8
            && self.to.options.encoding == StringEncoding::Utf8;
        if same {
            // Checked where it lies, then copied: no host allocation.
            self.lift(|cx| {
                let (_, bytes) = strings::source(cx, pointer, length).map_err(adapter_code)?;
                strings::check_utf8(bytes).map(|_| ())
            })?;
            let target = self.lower().allocate(1, length)?;
            self.copy(pointer, target, length)?;
            return Ok((target, length));
        }
        let (source, decoded): (Source, String) = self.lift(|cx| {
            let (source, bytes) = strings::source(cx, pointer, length).map_err(adapter_code)?;
            Ok((source, strings::decode(source, bytes)?))
        })?;
        strings::store(&mut self.lower(), &decoded, source)
    }

    /// Copies bytes from one memory to the other (or within one that both sides use).
    fn copy(&mut self, source: u32, target: u32, bytes: u32) -> Result<()> {
        let (Some(from), Some(to)) = (self.from.options.memory, self.to.options.memory) else {
            return if bytes == 0 {
                Ok(())
            } else {
                Err(Error::trap(TrapCode::PointerOutOfBounds))
            };
        };
        copy_between(
            self.store,
            (from, source as usize),
            (to, target as usize),
            bytes as usize,
        )
    }
}

fn adapter_code(e: Error) -> Error {
    match e.trap_code() {
        Some(TrapCode::StringPointerOutOfBounds) => Error::trap(TrapCode::StringOutOfBounds),
        _ => e,
    }
}

/// Copies through a small buffer on the stack, because the two memories can't be borrowed at once.
fn copy_between(store: &mut Store, from: (Memory, usize), to: (Memory, usize), bytes: usize) -> Result<()> {
    let out_of_bounds = || Error::trap(TrapCode::PointerOutOfBounds);
    let mut buffer = [0u8; 4096];
    let mut done = 0;
    while done < bytes {
        let count = (bytes - done).min(buffer.len());
        let part = &mut buffer[..count];
        let source = from
            .0
            .data(store)
            .get(from.1 + done..)
            .and_then(|b| b.get(..count));
        part.copy_from_slice(source.ok_or_else(out_of_bounds)?);
        let target =
            to.0.data_mut(store)
                .get_mut(to.1 + done..)
                .and_then(|b| b.get_mut(..count));
        target.ok_or_else(out_of_bounds)?.copy_from_slice(part);
        done += count;
    }
    Ok(())
}
