//! The parts of a module.

use super::Operand;

/// What a text declares.
#[derive(Debug, Default)]
pub struct Module {
    pub entries: Vec<Entry>,
    /// Variables in shared memory that all entries see.
    pub shared: Vec<Variable>,
}

/// A variable in shared memory.
#[derive(Debug, Clone)]
pub struct Variable {
    pub name: String,
    pub align: u64,
    /// None of one that is as large as a launch asks.
    pub bytes: Option<u64>,
}

/// A kernel.
#[derive(Debug)]
pub struct Entry {
    pub name: String,
    pub parameters: Vec<Parameter>,
    /// The block that it must be launched with.
    pub block: Option<[u32; 3]>,
    pub body: Body,
}

#[derive(Debug)]
pub struct Parameter {
    pub name: String,
    pub bytes: usize,
    pub align: usize,
}

/// What a kernel does.
#[derive(Debug, Default)]
pub struct Body {
    pub statements: Vec<Statement>,
}

#[derive(Debug)]
pub enum Statement {
    /// `.reg .b32 %r<9>;`
    Registers {
        kind: String,
        names: Vec<Declared>,
        line: u32,
    },
    Variable(Variable),
    Label(String),
    /// `name: .branchtargets label, label;`
    Targets(String, Vec<String>),
    /// A brace that opens; names declared within end with the one that closes.
    Open,
    Close,
    Instruction {
        guard: Option<Guard>,
        opcode: String,
        operands: Vec<Operand>,
        line: u32,
    },
}

/// A name of registers, or as many numbered ones as are asked for.
#[derive(Debug)]
pub struct Declared {
    pub name: String,
    pub count: Option<u32>,
}

/// `@%p` and `@!%p`
#[derive(Debug)]
pub struct Guard {
    pub predicate: String,
    pub negated: bool,
}
