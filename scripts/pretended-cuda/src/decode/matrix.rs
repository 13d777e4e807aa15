//! Products of matrices, and their fragments from memory and to it.

use super::call::Call;
use super::scope::Decoded;
use crate::machine::Operation;
use crate::machine::memory::Space;
use crate::machine::registers::Class;
use crate::matrix::{Direction, Layout, Matrix, Multiply, Number, Part, Rows, Shape, Transfer};

pub fn decode(call: &mut Call<'_>) -> Decoded<Operation> {
    let matrix = match call.name {
        "mma" => multiply(call, Layout::Placed)?,
        "ldmatrix" => rows(call)?,
        _ => match call.next()? {
            "mma" => multiply(call, Layout::Plain)?,
            "load" => transfer(call, Direction::Load)?,
            "store" => transfer(call, Direction::Store)?,
            other => return Err(format!("`.{other}` is not known here")),
        },
    };
    Ok(Operation::Matrix(Box::new(matrix)))
}

/// `m16n8k16`
fn shape(name: &str) -> Option<Shape> {
    let (m, rest) = name.strip_prefix('m')?.split_once('n')?;
    let (n, k) = rest.split_once('k')?;
    let (m, n, k) = (m.parse().ok()?, n.parse().ok()?, k.parse().ok()?);
    Some(Shape { m, n, k })
}

fn number(name: &str) -> Option<Number> {
    Some(match name {
        "f16" => Number::F16,
        "bf16" => Number::Bf16,
        "tf32" => Number::Tf32,
        "f32" => Number::F32,
        _ => return None,
    })
}

/// Whether there is such a product.
fn known(layout: Layout, number: Number, shape: Shape) -> bool {
    let Shape { m, n, k } = shape;
    match (layout, number) {
        (Layout::Placed, Number::F16 | Number::Bf16) => matches!((m, n, k), (16, 8, 8 | 16)),
        (Layout::Placed, Number::Tf32) => matches!((m, n, k), (16, 8, 4 | 8)),
        (Layout::Plain, Number::F16 | Number::Bf16) => {
            matches!((m, n, k), (16, 16, 16) | (8, 32, 16) | (32, 8, 16))
        }
        (Layout::Plain, Number::Tf32) => (m, n, k) == (16, 16, 8),
        _ => false,
    }
}

fn multiply(call: &mut Call<'_>, layout: Layout) -> Decoded<Matrix> {
    call.expect("sync")?;
    call.expect("aligned")?;
    let mut by = None;
    if layout == Layout::Plain {
        by = Some((call.next()?, call.next()?));
    }
    let shape = shape(call.next()?).ok_or("not known of this shape")?;
    let by = match by {
        Some(by) => by,
        None => (call.next()?, call.next()?),
    };
    let expected = match layout {
        Layout::Placed => by == ("row", "col"),
        // A fragment knows how it was loaded.
        Layout::Plain => matches!(by, ("row" | "col", "row" | "col")),
    };
    let [d, a] = [call.next()?, call.next()?];
    let [a, b, c] = match call.next() {
        Ok(b) => [a, b, call.next()?],
        // Of halves `wmma` names the types of its sums alone.
        Err(_) if layout == Layout::Plain => ["f16", "f16", a],
        Err(missing) => return Err(missing),
    };
    let found = number(a).filter(|&number| known(layout, number, shape));
    let number = found.filter(|_| expected && a == b && (d, c) == ("f32", "f32"));
    let number = number.ok_or("not known of these types and this shape")?;
    call.count(4)?;
    let d = fragment(call, 0, shape.registers(Part::C, Number::F32), true)?;
    let a = operand(call, 1, (layout, Part::A, number, shape), false)?;
    let b = operand(call, 2, (layout, Part::B, number, shape), false)?;
    let c = fragment(call, 3, shape.registers(Part::C, Number::F32), false)?;
    Ok(Matrix::Multiply(Multiply {
        shape,
        number,
        layout,
        d,
        a,
        b,
        c,
    }))
}

fn fragment(call: &mut Call<'_>, index: usize, count: usize, written: bool) -> Decoded<Vec<usize>> {
    let rows = call.rows(index, Class::Word, written)?;
    if rows.len() == count {
        return Ok(rows);
    }
    Err(format!(
        "a fragment of {} registers where {count} are known",
        rows.len()
    ))
}

/// Registers of `wmma`'s fragments of halves, which the device has room to hold twice over.
const OF_HALVES: usize = 8;

/// The registers of an A or B that hold its elements.
fn operand(
    call: &mut Call<'_>,
    index: usize,
    (layout, part, number, shape): (Layout, Part, Number, Shape),
    written: bool,
) -> Decoded<Vec<usize>> {
    let needed = shape.registers(part, number);
    if (layout, number) != (Layout::Plain, Number::F16) {
        return fragment(call, index, needed, written);
    }
    let mut rows = fragment(call, index, OF_HALVES, written)?;
    rows.truncate(needed);
    Ok(rows)
}

/// `wmma.load.a.sync.aligned.row.m16n16k16.shared.bf16 {..}, [address], stride;`
fn transfer(call: &mut Call<'_>, direction: Direction) -> Decoded<Matrix> {
    let part = match call.next()? {
        "a" => Part::A,
        "b" => Part::B,
        "c" | "d" => Part::C,
        other => return Err(format!("`.{other}` is not known here")),
    };
    call.expect("sync")?;
    call.expect("aligned")?;
    let by_columns = match call.next()? {
        "row" => false,
        "col" => true,
        other => return Err(format!("`.{other}` is not known here")),
    };
    let shape = shape(call.next()?).ok_or("not known of this shape")?;
    let space = call.space();
    let number = number(call.next()?).ok_or("not known of this type")?;
    let known = match (part, number) {
        (Part::C, Number::F32) => {
            known(Layout::Plain, Number::Bf16, shape) || known(Layout::Plain, Number::Tf32, shape)
        }
        (Part::C, _) | (_, Number::F32) => false,
        _ => known(Layout::Plain, number, shape),
    };
    if !known {
        return Err("not known of this type and this shape".to_owned());
    }
    let (values, at) = if direction == Direction::Load {
        (0, 1)
    } else {
        (1, 0)
    };
    let written = direction == Direction::Load;
    let registers = match part {
        Part::C => fragment(call, values, shape.registers(part, number), written)?,
        _ => operand(call, values, (Layout::Plain, part, number, shape), written)?,
    };
    let (base, offset) = call.address(at)?;
    let stride = if call.operands.len() > 2 {
        Some(call.from(2, Class::Word)?)
    } else {
        None
    };
    let size = shape.of(part);
    Ok(Matrix::Transfer(Transfer {
        direction,
        number,
        size,
        by_columns,
        space,
        base,
        offset,
        stride,
        registers,
    }))
}

/// `ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {..}, [address];`
fn rows(call: &mut Call<'_>) -> Decoded<Matrix> {
    call.expect("sync")?;
    call.expect("aligned")?;
    call.expect("m8n8")?;
    let count = match call.next()? {
        "x1" => 1,
        "x2" => 2,
        "x4" => 4,
        other => return Err(format!("`.{other}` is not known here")),
    };
    let transposed = call.has("trans");
    let space = call.space();
    call.expect("b16")?;
    call.count(2)?;
    let to = fragment(call, 0, count, true)?;
    let (base, offset) = call.address(1)?;
    // Only shared memory has what it reads.
    let space = if space == Space::Global {
        Err("not known of global memory".to_owned())
    } else {
        Ok(space)
    }?;
    Ok(Matrix::Rows(Rows {
        to,
        transposed,
        space,
        base,
        offset,
    }))
}
