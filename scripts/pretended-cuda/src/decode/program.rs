//! A kernel as a whole.

use super::call::Call;
use super::scope::{Decoded, Scope};
use super::{
    access, atomic, bits, collective, compare, control, convert, float, integer, matrix, transfer,
};
use crate::machine::program::Told;
use crate::machine::registers::Class;
use crate::machine::{Guard, Instruction, Operation, Program};
use crate::ptx::{Entry, Operand, Refused, Statement, Variable};

/// Decodes a kernel. The shared variables are those that its module declares outside.
pub fn program(entry: &Entry, shared: &[Variable]) -> Result<Program, Refused> {
    let mut scope = Scope::new(entry);
    shared.iter().for_each(|variable| scope.variable(variable));
    note_places(entry, &mut scope);
    let mut code = Vec::new();
    for statement in &entry.body.statements {
        match statement {
            Statement::Registers { kind, names, line } => {
                scope
                    .declare(kind, names)
                    .map_err(|why| Refused::new(*line, why))?;
            }
            Statement::Open => scope.open(),
            Statement::Close => scope.close(),
            Statement::Variable(_) | Statement::Label(_) | Statement::Targets(..) => {}
            Statement::Instruction {
                guard,
                opcode,
                operands,
                line,
            } => {
                let refused = |why| Refused::new(*line, format!("{opcode}: {why}"));
                let operation = operation(&mut scope, opcode, operands).map_err(refused)?;
                let guard = match guard {
                    None => None,
                    Some(guard) => Some(decoded_guard(&scope, guard).map_err(refused)?),
                };
                let line = *line;
                code.push(Instruction {
                    guard,
                    operation,
                    line,
                });
            }
        }
    }
    let line = code.last().map_or(0, |last: &Instruction| last.line);
    let operation = Operation::Exit;
    code.push(Instruction {
        guard: None,
        operation,
        line,
    });
    Ok(Program {
        name: entry.name.clone(),
        code,
        parameter_bytes: scope.parameter_bytes,
        parameters: scope.parameter_extents,
        block: entry.block,
        shared: scope.shared_bytes as usize,
        registers: scope.needed,
        told: Told::default(),
    })
}

/// Notes what may be named before it is declared: labels and variables.
fn note_places(entry: &Entry, scope: &mut Scope) {
    let mut at = 0;
    for statement in &entry.body.statements {
        match statement {
            Statement::Label(name) => drop(scope.labels.insert(name.clone(), at)),
            Statement::Targets(name, labels) => {
                drop(scope.tables.insert(name.clone(), labels.clone()));
            }
            Statement::Variable(variable) => scope.variable(variable),
            Statement::Instruction { .. } => at += 1,
            _ => {}
        }
    }
    scope.place_open_ended();
}

fn decoded_guard(scope: &Scope, guard: &crate::ptx::Guard) -> Decoded<Guard> {
    let name = &guard.predicate;
    let slot = scope
        .declared(name)
        .ok_or_else(|| format!("`{name}` is not known"))?;
    let predicate = scope.of_class(slot, Class::Predicate, name)?;
    let negated = guard.negated;
    Ok(Guard { predicate, negated })
}

fn operation(scope: &mut Scope, opcode: &str, operands: &[Operand]) -> Decoded<Operation> {
    let mut call = Call::new(scope, opcode, operands);
    let operation = match call.name {
        "add" | "sub" | "mul" | "mad" | "fma" | "div" | "min" | "max" | "abs" | "neg" => {
            arithmetic(&mut call)
        }
        "rem" | "popc" | "clz" => integer::decode(&mut call),
        "rcp" | "sqrt" | "rsqrt" | "sin" | "cos" | "ex2" | "lg2" | "tanh" | "copysign"
        | "testp" => float::decode(&mut call),
        "and" | "or" | "xor" | "not" | "cnot" | "shl" | "shr" | "shf" | "bfe" | "bfi" | "brev"
        | "prmt" | "lop3" | "bfind" => bits::decode(&mut call),
        "setp" | "selp" => compare::decode(&mut call),
        "cvt" => convert::decode(&mut call),
        "mov" | "cvta" => transfer::decode(&mut call),
        "ld" | "ldu" | "st" => access::decode(&mut call),
        "atom" | "red" => atomic::decode(&mut call),
        "shfl" | "vote" | "activemask" | "redux" => collective::decode(&mut call),
        "bar" | "barrier" | "bra" | "brx" | "ret" | "exit" | "trap" | "membar" | "fence" => {
            control::decode(&mut call)
        }
        "mma" | "wmma" | "ldmatrix" => matrix::decode(&mut call),
        _ => Err("not a known instruction".to_owned()),
    }?;
    call.finish()?;
    Ok(operation)
}

/// What there is for whole numbers and for others, by type.
fn arithmetic(call: &mut Call<'_>) -> Decoded<Operation> {
    let float = |word: &&str| {
        matches!(
            *word,
            "f32" | "f64" | "f16" | "bf16" | "f16x2" | "bf16x2" | "f32x2"
        )
    };
    if call.modifiers.iter().any(float) {
        float::decode(call)
    } else {
        integer::decode(call)
    }
}
