//! Macros that make Rust types into component types.

/// Implements the component traits for a struct that stands for a `record`.
///
/// ```
/// # mod wharf { pub use wharf_component as component; }
/// struct Point { x: f64, y_axis: f64 }
/// wharf_component::record!(Point { "x" => x: f64, "y-axis" => y_axis: f64 });
/// ```
#[macro_export]
macro_rules! record {
    ($rust:ty { $($wit:literal => $field:ident : $field_ty:ty),* $(,)? }) => {
        impl $crate::ComponentType for $rust {
            const ABI: $crate::CanonicalAbi =
                $crate::CanonicalAbi::record(&[$(<$field_ty as $crate::ComponentType>::ABI),*]);
            fn typecheck(ty: $crate::TypeIndex, cx: &$crate::TypeCheck<'_>) -> $crate::Result<()> {
                cx.record(ty, &[$((
                    $wit,
                    <$field_ty as $crate::ComponentType>::typecheck
                        as fn($crate::TypeIndex, &$crate::TypeCheck<'_>) -> $crate::Result<()>,
                )),*])
            }
        }
        impl $crate::Lower for $rust {
            #[allow(unused_assignments, unused_variables, unused_mut)]
            fn lower_flat(
                &self,
                cx: &mut $crate::LowerContext<'_>,
                ty: $crate::TypeIndex,
                to: &mut $crate::FlatWriter<'_>,
            ) -> $crate::Result<()> {
                let mut index = 0;
                $(
                    let field = cx.field(ty, index);
                    <$field_ty as $crate::Lower>::lower_flat(&self.$field, cx, field, to)?;
                    index += 1;
                )*
                Ok(())
            }
            #[allow(unused_assignments, unused_variables, unused_mut)]
            fn lower_memory(
                &self,
                cx: &mut $crate::LowerContext<'_>,
                ty: $crate::TypeIndex,
                offset: u32,
            ) -> $crate::Result<()> {
                let mut layout = $crate::CanonicalAbi::EMPTY;
                let mut index = 0;
                $(
                    let at = layout.push_field(&<$field_ty as $crate::ComponentType>::ABI);
                    let field = cx.field(ty, index);
                    <$field_ty as $crate::Lower>::lower_memory(&self.$field, cx, field, offset + at)?;
                    index += 1;
                )*
                Ok(())
            }
        }
        impl $crate::Lift for $rust {
            #[allow(unused_assignments, unused_variables, unused_mut)]
            fn lift_flat(
                cx: &mut $crate::LiftContext<'_>,
                ty: $crate::TypeIndex,
                from: &mut $crate::FlatReader<'_>,
            ) -> $crate::Result<Self> {
                let mut index = 0;
                $(
                    let field = cx.field(ty, index);
                    let $field = <$field_ty as $crate::Lift>::lift_flat(cx, field, from)?;
                    index += 1;
                )*
                Ok(Self { $($field),* })
            }
            #[allow(unused_assignments, unused_variables, unused_mut)]
            fn lift_memory(
                cx: &mut $crate::LiftContext<'_>,
                ty: $crate::TypeIndex,
                bytes: &[u8],
            ) -> $crate::Result<Self> {
                let mut layout = $crate::CanonicalAbi::EMPTY;
                let mut index = 0;
                $(
                    let abi = <$field_ty as $crate::ComponentType>::ABI;
                    let at = layout.push_field(&abi);
                    let field = cx.field(ty, index);
                    let part = $crate::__private::field_bytes(bytes, at, abi.size32)?;
                    let $field = <$field_ty as $crate::Lift>::lift_memory(cx, field, part)?;
                    index += 1;
                )*
                Ok(Self { $($field),* })
            }
        }
    };
}

/// Implements the component traits for an enum that stands for a `variant`: its cases have no fields or one.
///
/// ```
/// enum Shape { Circle(f64), Point }
/// wharf_component::variant!(Shape { "circle" => Circle(f64), "point" => Point });
/// ```
#[macro_export]
macro_rules! variant {
    ($rust:ty { $($wit:literal => $case:ident $(($payload:ty))?),* $(,)? }) => {
        const _: () = {
            // A name that no WIT type has in Rust, since it hides those outside.
            #[allow(dead_code)]
            #[repr(u32)]
            enum __Case { $($case),* }
            const CASES: &[::core::option::Option<$crate::CanonicalAbi>] =
                &[$($crate::__payload_abi!($($payload)?)),*];
            const PAYLOAD: u32 = $crate::CanonicalAbi::payload_offset(CASES);
            const DISCRIMINANT: u32 = $crate::__private::discriminant_size(CASES.len());

            impl $crate::ComponentType for $rust {
                const ABI: $crate::CanonicalAbi = $crate::CanonicalAbi::variant(CASES);
                fn typecheck(ty: $crate::TypeIndex, cx: &$crate::TypeCheck<'_>) -> $crate::Result<()> {
                    cx.variant(ty, &[$(($wit, $crate::__payload_check!($($payload)?))),*])
                }
            }
            impl $crate::Lower for $rust {
                #[allow(unused_variables)]
                fn lower_flat(
                    &self,
                    cx: &mut $crate::LowerContext<'_>,
                    ty: $crate::TypeIndex,
                    to: &mut $crate::FlatWriter<'_>,
                ) -> $crate::Result<()> {
                    let flat = <Self as $crate::ComponentType>::ABI.flat_count.unwrap_or(0);
                    let end = to.position() + usize::from(flat);
                    match self {
                        $(Self::$case $(($crate::__second!($payload, value)))? => {
                            to.push(__Case::$case as u32 as u64);
                            $(
                                let case = cx.case(ty, __Case::$case as usize);
                                <$payload as $crate::Lower>::lower_flat(value, cx, case, to)?;
                            )?
                        })*
                    }
                    to.pad_to(end);
                    Ok(())
                }
                #[allow(unused_variables)]
                fn lower_memory(
                    &self,
                    cx: &mut $crate::LowerContext<'_>,
                    ty: $crate::TypeIndex,
                    offset: u32,
                ) -> $crate::Result<()> {
                    match self {
                        $(Self::$case $(($crate::__second!($payload, value)))? => {
                            $crate::__private::write_discriminant(cx, offset, DISCRIMINANT, __Case::$case as u32)?;
                            $(
                                let case = cx.case(ty, __Case::$case as usize);
                                <$payload as $crate::Lower>::lower_memory(value, cx, case, offset + PAYLOAD)?;
                            )?
                        })*
                    }
                    Ok(())
                }
            }
            impl $crate::Lift for $rust {
                #[allow(unused_variables)]
                fn lift_flat(
                    cx: &mut $crate::LiftContext<'_>,
                    ty: $crate::TypeIndex,
                    from: &mut $crate::FlatReader<'_>,
                ) -> $crate::Result<Self> {
                    let flat = <Self as $crate::ComponentType>::ABI.flat_count.unwrap_or(0);
                    let end = from.position() + usize::from(flat);
                    let number = from.next_u32();
                    let value = match number {
                        $(n if n == __Case::$case as u32 => Self::$case $(({
                            let case = cx.case(ty, __Case::$case as usize);
                            <$payload as $crate::Lift>::lift_flat(cx, case, from)?
                        }))?,)*
                        _ => return $crate::__private::invalid_discriminant(),
                    };
                    from.skip_to(end);
                    Ok(value)
                }
                #[allow(unused_variables)]
                fn lift_memory(
                    cx: &mut $crate::LiftContext<'_>,
                    ty: $crate::TypeIndex,
                    bytes: &[u8],
                ) -> $crate::Result<Self> {
                    let number = $crate::__private::read_discriminant(bytes, DISCRIMINANT)?;
                    Ok(match number {
                        $(n if n == __Case::$case as u32 => Self::$case $(({
                            let case = cx.case(ty, __Case::$case as usize);
                            let size = <$payload as $crate::ComponentType>::ABI.size32;
                            let part = $crate::__private::field_bytes(bytes, PAYLOAD, size)?;
                            <$payload as $crate::Lift>::lift_memory(cx, case, part)?
                        }))?,)*
                        _ => return $crate::__private::invalid_discriminant(),
                    })
                }
            }
        };
    };
}

/// Implements the component traits for an enum without fields that stands for an `enum`.
///
/// ```
/// enum Color { Red, DarkGreen }
/// wharf_component::enumeration!(Color { "red" => Red, "dark-green" => DarkGreen });
/// ```
#[macro_export]
macro_rules! enumeration {
    ($rust:ty { $($wit:literal => $case:ident),* $(,)? }) => {
        const _: () = {
            // A name that no WIT type has in Rust, since it hides those outside.
            #[allow(dead_code)]
            #[repr(u32)]
            enum __Case { $($case),* }
            const NAMES: &[&str] = &[$($wit),*];
            const SIZE: u32 = $crate::__private::discriminant_size(NAMES.len());

            impl $crate::ComponentType for $rust {
                const ABI: $crate::CanonicalAbi = $crate::CanonicalAbi::enumeration(NAMES.len());
                fn typecheck(ty: $crate::TypeIndex, cx: &$crate::TypeCheck<'_>) -> $crate::Result<()> {
                    cx.enumeration(ty, NAMES)
                }
            }
            impl $crate::Lower for $rust {
                fn lower_flat(
                    &self,
                    _: &mut $crate::LowerContext<'_>,
                    _: $crate::TypeIndex,
                    to: &mut $crate::FlatWriter<'_>,
                ) -> $crate::Result<()> {
                    to.push(match self {
                        $(Self::$case => __Case::$case as u32 as u64,)*
                    });
                    Ok(())
                }
                fn lower_memory(
                    &self,
                    cx: &mut $crate::LowerContext<'_>,
                    _: $crate::TypeIndex,
                    offset: u32,
                ) -> $crate::Result<()> {
                    let number = match self {
                        $(Self::$case => __Case::$case as u32,)*
                    };
                    $crate::__private::write_discriminant(cx, offset, SIZE, number)
                }
            }
            impl $crate::Lift for $rust {
                fn lift_flat(
                    _: &mut $crate::LiftContext<'_>,
                    _: $crate::TypeIndex,
                    from: &mut $crate::FlatReader<'_>,
                ) -> $crate::Result<Self> {
                    Ok(match from.next_u32() {
                        $(n if n == __Case::$case as u32 => Self::$case,)*
                        _ => return $crate::__private::invalid_discriminant(),
                    })
                }
                fn lift_memory(
                    _: &mut $crate::LiftContext<'_>,
                    _: $crate::TypeIndex,
                    bytes: &[u8],
                ) -> $crate::Result<Self> {
                    Ok(match $crate::__private::read_discriminant(bytes, SIZE)? {
                        $(n if n == __Case::$case as u32 => Self::$case,)*
                        _ => return $crate::__private::invalid_discriminant(),
                    })
                }
            }
        };
    };
}

/// Defines a struct that stands for a `flags` type: a constant for each flag, set operations and the component traits.
/// The integer type is `u8`, `u16` or `u32`, by the number of flags.
///
/// ```
/// wharf_component::flags!(Permissions: u8 { "read" => READ, "write" => WRITE });
/// let both = Permissions::READ | Permissions::WRITE;
/// assert!(both.contains(Permissions::WRITE));
/// assert_eq!(both, Permissions::all());
/// ```
#[macro_export]
macro_rules! flags {
    ($(#[$attr:meta])* $rust:ident : $repr:ident { $($(#[$flag_attr:meta])* $wit:literal => $flag:ident),* $(,)? }) => {
        $(#[$attr])*
        #[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $rust { bits: $repr }

        #[allow(dead_code, non_camel_case_types, clippy::upper_case_acronyms)]
        impl $rust {
            const __NAMES: &'static [&'static str] = &[$($wit),*];
            $crate::__flag_constants!($repr, 0, $($(#[$flag_attr])* $wit => $flag),*);

            /// No flag.
            pub const fn empty() -> Self { Self { bits: 0 } }
            /// Each flag.
            pub const fn all() -> Self { Self { bits: 0 $(| Self::$flag.bits)* } }
            /// The flags as bits, the first flag lowest.
            pub const fn bits(&self) -> $repr { self.bits }
            /// The flags of these bits; bits that are no flag are dropped.
            pub const fn from_bits_truncate(bits: $repr) -> Self { Self { bits: bits & Self::all().bits } }
            /// The flags of these bits, if each is a flag.
            pub const fn from_bits(bits: $repr) -> ::core::option::Option<Self> {
                if bits & !Self::all().bits == 0 { Some(Self { bits }) } else { None }
            }
            /// No flag is set.
            pub const fn is_empty(&self) -> bool { self.bits == 0 }
            /// Each flag is set.
            pub const fn is_all(&self) -> bool { self.bits == Self::all().bits }
            /// Each flag of `other` is set.
            pub const fn contains(&self, other: Self) -> bool { self.bits & other.bits == other.bits }
            /// Some flag of `other` is set.
            pub const fn intersects(&self, other: Self) -> bool { self.bits & other.bits != 0 }
            /// Sets the flags of `other`.
            pub fn insert(&mut self, other: Self) { self.bits |= other.bits; }
            /// Clears the flags of `other`.
            pub fn remove(&mut self, other: Self) { self.bits &= !other.bits; }
            /// Flips the flags of `other`.
            pub fn toggle(&mut self, other: Self) { self.bits ^= other.bits; }
            /// Sets or clears the flags of `other`.
            pub fn set(&mut self, other: Self, value: bool) {
                if value { self.insert(other) } else { self.remove(other) }
            }
            /// The flags of both.
            pub const fn union(self, other: Self) -> Self { Self { bits: self.bits | other.bits } }
            /// The flags that both have.
            pub const fn intersection(self, other: Self) -> Self { Self { bits: self.bits & other.bits } }
            /// The flags that `other` does not have.
            pub const fn difference(self, other: Self) -> Self { Self { bits: self.bits & !other.bits } }
        }
        impl ::core::ops::BitOr for $rust {
            type Output = Self;
            fn bitor(self, other: Self) -> Self { self.union(other) }
        }
        impl ::core::ops::BitAnd for $rust {
            type Output = Self;
            fn bitand(self, other: Self) -> Self { self.intersection(other) }
        }
        impl ::core::ops::BitXor for $rust {
            type Output = Self;
            fn bitxor(self, other: Self) -> Self { Self { bits: self.bits ^ other.bits } }
        }
        impl ::core::ops::Sub for $rust {
            type Output = Self;
            fn sub(self, other: Self) -> Self { self.difference(other) }
        }
        impl ::core::ops::Not for $rust {
            type Output = Self;
            fn not(self) -> Self { Self::from_bits_truncate(!self.bits) }
        }
        impl ::core::ops::BitOrAssign for $rust {
            fn bitor_assign(&mut self, other: Self) { self.insert(other) }
        }
        impl ::core::ops::BitAndAssign for $rust {
            fn bitand_assign(&mut self, other: Self) { self.bits &= other.bits }
        }
        impl ::core::fmt::Debug for $rust {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let set = Self::__NAMES.iter().enumerate().filter(|(i, _)| u64::from(self.bits) >> i & 1 != 0);
                f.write_str(stringify!($rust))?;
                f.debug_set().entries(set.map(|(_, name)| name)).finish()
            }
        }
        impl $crate::ComponentType for $rust {
            const ABI: $crate::CanonicalAbi = $crate::CanonicalAbi::flags(Self::__NAMES.len());
            fn typecheck(ty: $crate::TypeIndex, cx: &$crate::TypeCheck<'_>) -> $crate::Result<()> {
                cx.flags(ty, Self::__NAMES)
            }
        }
        impl $crate::Lower for $rust {
            fn lower_flat(
                &self,
                _: &mut $crate::LowerContext<'_>,
                _: $crate::TypeIndex,
                to: &mut $crate::FlatWriter<'_>,
            ) -> $crate::Result<()> {
                to.push(u64::from(self.bits));
                Ok(())
            }
            fn lower_memory(
                &self,
                cx: &mut $crate::LowerContext<'_>,
                _: $crate::TypeIndex,
                offset: u32,
            ) -> $crate::Result<()> {
                let size = <Self as $crate::ComponentType>::ABI.size32;
                $crate::__private::write_discriminant(cx, offset, size, u32::from(self.bits))
            }
        }
        impl $crate::Lift for $rust {
            fn lift_flat(
                _: &mut $crate::LiftContext<'_>,
                _: $crate::TypeIndex,
                from: &mut $crate::FlatReader<'_>,
            ) -> $crate::Result<Self> {
                Ok(Self::from_bits_truncate(from.next_u32() as $repr))
            }
            fn lift_memory(
                _: &mut $crate::LiftContext<'_>,
                _: $crate::TypeIndex,
                bytes: &[u8],
            ) -> $crate::Result<Self> {
                let size = <Self as $crate::ComponentType>::ABI.size32;
                Ok(Self::from_bits_truncate($crate::__private::read_discriminant(bytes, size)? as $repr))
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __flag_constants {
    ($repr:ident, $index:expr, ) => {};
    ($repr:ident, $index:expr, $(#[$attr:meta])* $wit:literal => $flag:ident $(, $($rest:tt)*)?) => {
        #[doc = concat!("The flag `", $wit, "`.")]
        $(#[$attr])*
        pub const $flag: Self = Self { bits: 1 << ($index) };
        $crate::__flag_constants!($repr, $index + 1, $($($rest)*)?);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __payload_abi {
    () => {
        ::core::option::Option::None
    };
    ($payload:ty) => {
        ::core::option::Option::Some(<$payload as $crate::ComponentType>::ABI)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __payload_check {
    () => {
        ::core::option::Option::None
    };
    ($payload:ty) => {
        ::core::option::Option::Some(
            <$payload as $crate::ComponentType>::typecheck
                as fn($crate::TypeIndex, &$crate::TypeCheck<'_>) -> $crate::Result<()>,
        )
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __second {
    ($first:ty, $second:ident) => {
        $second
    };
}
