//! Macros that make records, variants and enums of Rust into component types.

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
