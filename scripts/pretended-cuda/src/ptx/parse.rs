//! From words to modules.

use super::Refused;
use super::entry::{Body, Declared, Entry, Guard, Module, Parameter, Statement, Variable};
use super::operand::{Operand, number};
use super::tokens::{Token, tokens};

type Parsed<T> = Result<T, Refused>;

/// Reads a module.
pub fn parse(text: &str) -> Parsed<Module> {
    let tokens = tokens(text)?;
    Parser {
        tokens: &tokens,
        at: 0,
    }
    .module()
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a str {
        self.tokens.get(self.at).map_or("", |token| token.text)
    }

    /// What comes after what is next.
    fn after(&self) -> &'a str {
        self.tokens.get(self.at + 1).map_or("", |token| token.text)
    }

    fn line(&self) -> u32 {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens
            .get(self.at.min(last))
            .map_or(0, |token| token.line)
    }

    fn next(&mut self) -> &'a str {
        let text = self.peek();
        self.at += 1;
        text
    }

    fn refused<T>(&self, why: impl Into<String>) -> Parsed<T> {
        Err(Refused::new(self.line(), why))
    }

    fn is(&mut self, text: &str) -> bool {
        let found = self.peek() == text;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.is(text) {
            return Ok(());
        }
        self.refused(format!("`{}` where `{text}` was expected", self.peek()))
    }

    fn whole(&mut self) -> Parsed<u64> {
        match number(self.peek()) {
            Some(Operand::Whole(value)) if u64::try_from(value).is_ok() => {
                self.at += 1;
                Ok(value as u64)
            }
            _ => self.refused(format!("`{}` where a number was expected", self.peek())),
        }
    }

    fn module(mut self) -> Parsed<Module> {
        let mut module = Module::default();
        let mut external = false;
        while self.at < self.tokens.len() {
            match self.next() {
                ".version" | ".address_size" => self.at += 1,
                ".target" => {
                    self.at += 1;
                    while self.is(",") {
                        self.at += 1;
                    }
                }
                ".visible" | ".weak" => {}
                ".extern" => external = true,
                ".entry" if !external => module.entries.push(self.entry()?),
                ".shared" => {
                    module.shared.push(self.variable()?);
                    external = false;
                }
                other => {
                    self.at -= 1;
                    return self.refused(format!("`{other}` in a module is not known"));
                }
            }
        }
        Ok(module)
    }

    /// What follows `.shared`.
    fn variable(&mut self) -> Parsed<Variable> {
        let align = if self.is(".align") {
            Some(self.whole()?)
        } else {
            None
        };
        let size = self.element()?;
        let name = self.next().to_owned();
        let mut bytes = Some(size);
        while self.is("[") {
            if self.is("]") {
                bytes = None;
            } else {
                let count = self.whole()?;
                bytes = bytes.map(|bytes| bytes * count);
                self.expect("]")?;
            }
        }
        self.expect(";")?;
        let align = align.unwrap_or(size).max(1);
        Ok(Variable { name, align, bytes })
    }

    /// The bytes of a type.
    fn element(&mut self) -> Parsed<u64> {
        let kind = self.peek();
        let bits = match kind.get(..2) {
            Some(".b" | ".u" | ".s" | ".f") => kind[2..].parse().unwrap_or(0),
            _ => 0,
        };
        if !matches!(bits, 8 | 16 | 32 | 64) {
            return self.refused(format!("the type `{kind}` is not known"));
        }
        self.at += 1;
        Ok(bits / 8)
    }

    fn entry(&mut self) -> Parsed<Entry> {
        let name = self.next().to_owned();
        let mut parameters = Vec::new();
        if self.is("(") && !self.is(")") {
            loop {
                parameters.push(self.parameter()?);
                if self.is(")") {
                    break;
                }
                self.expect(",")?;
            }
        }
        let mut block = None;
        loop {
            match self.next() {
                ".reqntid" => block = Some(self.extent()?),
                ".maxntid" => drop(self.extent()?),
                ".maxnreg" | ".minnctapersm" | ".maxnctapersm" => drop(self.whole()?),
                "{" => break,
                other => {
                    self.at -= 1;
                    return self.refused(format!("`{other}` before a kernel's body is not known"));
                }
            }
        }
        let body = self.body()?;
        Ok(Entry {
            name,
            parameters,
            block,
            body,
        })
    }

    /// Up to three numbers.
    fn extent(&mut self) -> Parsed<[u32; 3]> {
        let mut extent = [1; 3];
        for (axis, size) in extent.iter_mut().enumerate() {
            if axis > 0 && !self.is(",") {
                break;
            }
            *size = u32::try_from(self.whole()?).unwrap_or(u32::MAX);
        }
        Ok(extent)
    }

    fn parameter(&mut self) -> Parsed<Parameter> {
        self.expect(".param")?;
        // It may come before the type and, for what a pointer points at, after it.
        let before = if self.is(".align") {
            Some(self.whole()?)
        } else {
            None
        };
        let size = self.element()?;
        if self.is(".ptr") {
            let _space = [".global", ".shared", ".const", ".local"]
                .iter()
                .any(|space| self.is(space));
            if self.is(".align") {
                self.whole()?;
            }
        }
        let name = self.next().to_owned();
        let mut bytes = size;
        if self.is("[") {
            bytes *= self.whole()?;
            self.expect("]")?;
        }
        let align = before.unwrap_or(size).max(1) as usize;
        Ok(Parameter {
            name,
            bytes: bytes as usize,
            align,
        })
    }

    /// All up to the brace that closes.
    fn body(&mut self) -> Parsed<Body> {
        let mut body = Body::default();
        let mut depth = 0;
        loop {
            let line = self.line();
            if self.at >= self.tokens.len() {
                return self.refused("a body without an end");
            }
            let statement = match self.next() {
                "}" if depth == 0 => return Ok(body),
                "}" => {
                    depth -= 1;
                    Statement::Close
                }
                "{" => {
                    depth += 1;
                    Statement::Open
                }
                ".reg" => self.registers(line)?,
                ".shared" => Statement::Variable(self.variable()?),
                ".pragma" => {
                    self.at += 1;
                    self.expect(";")?;
                    continue;
                }
                ".loc" => {
                    self.at += 3;
                    continue;
                }
                word if self.peek() == ":" && self.after() != ":" => {
                    self.at += 1;
                    self.labelled(word.to_owned())?
                }
                _ => {
                    self.at -= 1;
                    self.instruction(line)?
                }
            };
            body.statements.push(statement);
        }
    }

    /// A label, or the table of labels that it is the name of.
    fn labelled(&mut self, name: String) -> Parsed<Statement> {
        if !self.is(".branchtargets") {
            return Ok(Statement::Label(name));
        }
        let mut labels = vec![self.name()?];
        while self.is(",") {
            labels.push(self.name()?);
        }
        self.expect(";")?;
        Ok(Statement::Targets(name, labels))
    }

    fn registers(&mut self, line: u32) -> Parsed<Statement> {
        let kind = self.next().trim_start_matches('.').to_owned();
        let mut names = Vec::new();
        loop {
            let name = self.next().to_owned();
            let mut count = None;
            if self.is("<") {
                count = Some(u32::try_from(self.whole()?).unwrap_or(u32::MAX));
                self.expect(">")?;
            }
            names.push(Declared { name, count });
            if self.is(";") {
                return Ok(Statement::Registers { kind, names, line });
            }
            self.expect(",")?;
        }
    }

    fn instruction(&mut self, line: u32) -> Parsed<Statement> {
        let mut guard = None;
        if self.is("@") {
            let negated = self.is("!");
            let predicate = self.next().to_owned();
            guard = Some(Guard { predicate, negated });
        }
        let mut opcode = self.next().to_owned();
        // `.L1::no_allocate`: two signs and a word that belong to the opcode.
        while self.is(":") {
            self.expect(":")?;
            opcode.push_str("::");
            opcode.push_str(self.next());
        }
        if !opcode.starts_with(|first: char| first.is_ascii_alphabetic()) {
            self.at -= 1;
            return self.refused(format!("`{opcode}` where an instruction was expected"));
        }
        let mut operands = Vec::new();
        if !self.is(";") {
            loop {
                operands.push(self.operand()?);
                if self.is(";") {
                    break;
                }
                self.expect(",")?;
            }
        }
        Ok(Statement::Instruction {
            guard,
            opcode,
            operands,
            line,
        })
    }

    fn operand(&mut self) -> Parsed<Operand> {
        match self.peek() {
            "{" => {
                self.at += 1;
                self.list()
            }
            "[" => {
                self.at += 1;
                self.address()
            }
            "!" => {
                self.at += 1;
                Ok(Operand::Not(self.name()?))
            }
            _ => {
                let value = self.value()?;
                match value {
                    Operand::Name(first) if self.is("|") => Ok(Operand::Pair(first, self.name()?)),
                    value => Ok(value),
                }
            }
        }
    }

    fn list(&mut self) -> Parsed<Operand> {
        let mut operands = Vec::new();
        loop {
            operands.push(self.value()?);
            if self.is("}") {
                return Ok(Operand::List(operands));
            }
            self.expect(",")?;
        }
    }

    fn address(&mut self) -> Parsed<Operand> {
        let base = self.value()?;
        let mut offset = 0;
        if self.is("+") || self.peek() == "-" {
            offset = self.signed()?;
        }
        self.expect("]")?;
        Ok(Operand::Address(Box::new(base), offset))
    }

    fn signed(&mut self) -> Parsed<i64> {
        let sign = if self.is("-") { -1 } else { 1 };
        Ok(self.whole()? as i64 * sign)
    }

    /// A number or a name.
    fn value(&mut self) -> Parsed<Operand> {
        let negative = self.is("-");
        let Some(value) = number(self.peek()) else {
            return if negative {
                self.refused("a sign before what is no number")
            } else {
                Ok(Operand::Name(self.name()?))
            };
        };
        self.at += 1;
        if negative {
            let why = "a sign before what is no number";
            return value
                .negative()
                .ok_or_else(|| Refused::new(self.line(), why));
        }
        Ok(value)
    }

    fn name(&mut self) -> Parsed<String> {
        let name = self.peek();
        let first = |first: char| first.is_ascii_alphabetic() || matches!(first, '_' | '$' | '%');
        if !name.starts_with(first) {
            return self.refused(format!("`{name}` where an operand was expected"));
        }
        self.at += 1;
        Ok(name.to_owned())
    }
}
