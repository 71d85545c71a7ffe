//! Random programs that store, copy and call function pointers in all ways that C has.
//!
//! A program is well defined: it calls only pointers that are not null, each with its own type, and it uses no address
//! longer than its object lives. Each statement is one line, which begins with `AT`, so that a call is known by its
//! line. All names begin with the program's own, so that many programs fit into one translation unit.

use std::fmt::Write as _;

use super::harness::Program;
use super::numbers::Numbers;

/// The types of all programs.
pub const TYPES: &str = "\
#include <stdarg.h>
#include \"run.h\"
typedef int fn(int n);
typedef int taker(fn *cb, int n);
typedef fn *getter(int n);
typedef void filler(fn **out, int n);
typedef int method(void *opaque, int n);
#define LOAD(p) ({ __typeof__(*(p)) value_ = __atomic_load_n(p, __ATOMIC_RELAXED); value_; })
#define STORE(p, v) do { __typeof__(*(p)) new_ = (v); __atomic_store_n(p, new_, __ATOMIC_RELEASE); } while (0)
";

/// Writes the program of a seed. `hidden` lets it hide pointers where nobody can be expected to follow them: in
/// integers, variable arguments, inline assembly, `void *` variables and bytes.
pub fn program(seed: u64, name: &str, hidden: bool) -> Program {
    let mut writer = Writer {
        numbers: Numbers::new(seed),
        name: name.to_owned(),
        hidden,
        records: Vec::new(),
        functions: Vec::new(),
        globals: Vec::new(),
        fresh: 0,
        header: String::new(),
        units: [String::new(), String::new()],
        ends: [String::new(), String::new()],
    };
    writer.declare_records();
    writer.declare_functions();
    writer.define_globals();
    writer.define_functions();
    let [a, b] = writer.ends.clone();
    writer.units[0].push_str(&a);
    writer.units[1].push_str(&b);
    Program { name: writer.name, header: writer.header, units: writer.units, driver: String::new() }
}

/// The type of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `int (int)`.
    Plain,
    /// Takes a callback.
    Taker,
    /// Returns a pointer.
    Getter,
    /// Writes a pointer through a pointer.
    Filler,
    /// Takes a pointer to the first record as `void *`.
    Method,
}

const KINDS: [Kind; 5] = [Kind::Plain, Kind::Taker, Kind::Getter, Kind::Filler, Kind::Method];

impl Kind {
    /// The name of the type.
    fn name(self) -> &'static str {
        match self {
            Kind::Plain => "fn",
            Kind::Taker => "taker",
            Kind::Getter => "getter",
            Kind::Filler => "filler",
            Kind::Method => "method",
        }
    }
}

/// A type of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Pointer(Kind),
    /// A pointer to a pointer to a plain function.
    Cursor,
    Number,
    Bits(usize),
    Array(usize, Box<Shape>),
    /// A record with a name.
    Record(usize),
    Struct(Vec<Member>),
    Union(Vec<Member>),
}

/// A member of a record. One without a name is an anonymous record, or an unnamed bit-field.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    name: Option<String>,
    shape: Shape,
}

impl Member {
    /// Whether initialisers pass over it.
    fn is_padding(&self) -> bool {
        self.name.is_none() && matches!(self.shape, Shape::Bits(_))
    }
}

#[derive(Clone, Debug)]
struct Function {
    name: String,
    kind: Kind,
    /// The unit that defines it.
    unit: usize,
    /// Whether other units cannot name it.
    is_static: bool,
    /// Whether this is another function's name, or a function whose body is written elsewhere.
    is_name: bool,
}

/// An object that an expression can name.
#[derive(Clone, Debug)]
struct Variable {
    text: String,
    shape: Shape,
    /// The only unit that can name it.
    unit: Option<usize>,
    /// Whether it is never assigned.
    is_const: bool,
    /// Whether its address can be kept.
    is_permanent: bool,
}

/// A scalar that an initialiser without braces comes to, or may be designated.
#[derive(Clone, Debug)]
struct Leaf {
    designator: String,
    shape: Shape,
    /// The outermost subobject that begins here. It is what a brace opens.
    opens: Option<Opening>,
    /// For an element of an array of scalars: the designator of the array, its length, and the element's index.
    element: Option<(String, usize, usize)>,
}

/// A subobject that an inner brace is for.
#[derive(Clone, Debug)]
struct Opening {
    shape: Shape,
    /// The number of its leaves.
    count: usize,
    /// Empty if it has no name.
    designator: String,
}

struct Writer {
    numbers: Numbers,
    name: String,
    hidden: bool,
    records: Vec<Vec<Member>>,
    functions: Vec<Function>,
    globals: Vec<Variable>,
    fresh: usize,
    header: String,
    units: [String; 2],
    /// What comes last in each unit.
    ends: [String; 2],
}

/// Types and objects.
impl Writer {
    fn fresh(&mut self, prefix: &str) -> String {
        self.fresh += 1;
        format!("{prefix}{}", self.fresh)
    }

    fn declare_records(&mut self) {
        for number in 0..self.numbers.between(2, 3) {
            let mut members = self.members(number, 0);
            // So that all records have something to call.
            let name = self.fresh("m");
            let at = self.numbers.below(members.len() + 1);
            members.insert(at, Member { name: Some(name), shape: Shape::Pointer(Kind::Plain) });
            let fields: Vec<String> = members.iter().map(|member| self.member(member)).collect();
            let _ = writeln!(self.header, "struct {}_r{number} {{ {} }};", self.name, fields.join(" "));
            self.records.push(members);
        }
    }

    fn members(&mut self, record: usize, depth: usize) -> Vec<Member> {
        let mut members: Vec<Member> =
            (0..self.numbers.between(1, 4)).map(|_| self.any_member(record, depth)).collect();
        if members.iter().all(Member::is_padding) {
            let name = self.fresh("m");
            members.push(Member { name: Some(name), shape: Shape::Pointer(Kind::Plain) });
        }
        members
    }

    fn any_member(&mut self, record: usize, depth: usize) -> Member {
        let name = Some(self.fresh("m"));
        let named = |shape| Member { name: name.clone(), shape };
        let pointer = Shape::Pointer(self.kind());
        match self.numbers.below(if depth < 2 { 16 } else { 10 }) {
            0..=3 => named(pointer),
            4 => named(Shape::Number),
            5 => named(Shape::Bits(self.numbers.between(1, 7))),
            6 => Member { name: None, shape: Shape::Bits(self.numbers.below(8)) },
            7 => named(Shape::Cursor),
            8 => named(Shape::Array(self.numbers.between(2, 3), Box::new(pointer))),
            9 => named(Shape::Array(2, Box::new(Shape::Array(2, Box::new(pointer))))),
            10 | 11 => named(Shape::Struct(self.members(record, depth + 1))),
            12 => Member { name: None, shape: Shape::Struct(self.members(record, depth + 1)) },
            13 => {
                let other = Member { name: Some(self.fresh("m")), shape: Shape::Number };
                let mut members = vec![Member { name: Some(self.fresh("m")), shape: pointer }, other];
                // What is written to one member is read from another.
                if self.hidden && self.numbers.percent(50) {
                    members.push(Member { name: Some(self.fresh("m")), shape: members[0].shape.clone() });
                }
                let first = self.numbers.below(2);
                members.swap(0, first);
                Member { name: if self.numbers.percent(50) { name } else { None }, shape: Shape::Union(members) }
            }
            _ if record == 0 => named(pointer),
            14 => named(Shape::Record(self.numbers.below(record))),
            _ => named(Shape::Array(2, Box::new(Shape::Record(self.numbers.below(record))))),
        }
    }

    fn kind(&mut self) -> Kind {
        if self.numbers.percent(70) { Kind::Plain } else { *self.numbers.pick(&KINDS) }
    }

    fn member(&self, member: &Member) -> String {
        let name = member.name.as_deref().unwrap_or("");
        format!("{};", self.declarator(&member.shape, name))
    }

    /// A declaration without its end.
    fn declarator(&self, shape: &Shape, name: &str) -> String {
        let body = |members: &[Member]| members.iter().map(|member| self.member(member)).collect::<Vec<_>>().join(" ");
        match shape {
            Shape::Pointer(kind) => format!("{} *{name}", kind.name()),
            Shape::Cursor => format!("fn **{name}"),
            Shape::Number => format!("long {name}"),
            // Only a bit-field without a name can have no width.
            Shape::Bits(width) => format!("int {name} : {width}"),
            Shape::Array(length, element) => self.declarator(element, &format!("{name}[{length}]")),
            Shape::Record(number) => format!("struct {}_r{number} {name}", self.name),
            Shape::Struct(members) => format!("struct {{ {} }} {name}", body(members)),
            Shape::Union(members) => format!("union {{ {} }} {name}", body(members)),
        }
    }

    fn members_of<'s>(&'s self, shape: &'s Shape) -> &'s [Member] {
        match shape {
            Shape::Record(number) => &self.records[*number],
            Shape::Struct(members) | Shape::Union(members) => members,
            _ => &[],
        }
    }

    /// Whether an object of one type is or contains one of another.
    fn has(&self, shape: &Shape, wanted: &Shape) -> bool {
        shape == wanted
            || match shape {
                Shape::Array(_, element) => self.has(element, wanted),
                other => self.members_of(other).iter().any(|member| self.has(&member.shape, wanted)),
            }
    }

    fn define_globals(&mut self) {
        for kind in KINDS {
            for _ in 0..if kind == Kind::Plain { 3 } else { 1 } {
                self.global(Shape::Pointer(kind));
            }
        }
        self.global(Shape::Cursor);
        self.global(Shape::Array(3, Box::new(Shape::Pointer(Kind::Plain))));
        self.global(Shape::Array(2, Box::new(Shape::Array(2, Box::new(Shape::Pointer(Kind::Plain))))));
        for record in 0..self.records.len() {
            self.global(Shape::Record(record));
            self.global(Shape::Array(2, Box::new(Shape::Record(record))));
        }
        for unit in 0..2 {
            let name = &self.name;
            let _ = writeln!(self.units[unit], "static _Atomic(fn *) {name}_atomic;");
        }
    }

    fn global(&mut self, shape: Shape) {
        let (name, unit) = (self.fresh(&format!("{}_g", self.name)), self.numbers.below(2));
        let is_static = self.numbers.percent(40);
        let is_table = matches!(&shape, Shape::Array(_, element) if matches!(**element, Shape::Pointer(_)));
        let is_const = is_table && self.numbers.percent(50);
        let declarator = self.declarator(&shape, &if is_const { format!("const {name}") } else { name.clone() });
        let before = if is_static { "static " } else { "" };
        if !is_static {
            let _ = writeln!(self.header, "extern {declarator};");
        }
        let value = match &shape {
            Shape::Pointer(_) | Shape::Cursor | Shape::Number => self.constant(&shape, unit),
            other => self.braces(&other.clone(), unit, None),
        };
        let _ = writeln!(self.units[unit], "{before}{declarator} = {value};");
        let unit = is_static.then_some(unit);
        self.globals.push(Variable { text: name, shape, unit, is_const, is_permanent: true });
    }
}

/// Initialisers.
impl Writer {
    /// A list of initialisers in braces: by position, with and without inner braces, by designators, and on from there
    /// by position. The values are constant without a scope.
    fn braces(&mut self, shape: &Shape, unit: usize, scope: Option<&[Variable]>) -> String {
        let (mut leaves, mut others) = (Vec::new(), Vec::new());
        self.leaves(shape, "", None, &mut leaves, &mut others);
        // The object itself is what these braces are for.
        leaves[0].opens = self.first_opening(shape);
        // clang compiles no constants that replace some of a list or of a range.
        let (mut at, mut items, mut lowest) = (0, Vec::new(), 0);
        while at < leaves.len() && !self.numbers.percent(8) {
            let mut before = String::new();
            if self.numbers.percent(30) {
                if !others.is_empty() && lowest == 0 && self.numbers.percent(30) {
                    let (leaf, next): (Leaf, usize) = self.numbers.pick(&others).clone();
                    let value = self.value(&leaf.shape, unit, scope);
                    items.push(format!("{} = {value}", leaf.designator));
                    at = next;
                    continue;
                }
                at = self.numbers.between(lowest, leaves.len() - 1);
                if let Some((array, length, index)) = &leaves[at].element
                    && index + 1 < *length
                    // clang knows no ranges in the initialisers of variables that are not static.
                    && scope.is_none()
                    && self.numbers.percent(40)
                {
                    let last = self.numbers.between(index + 1, length - 1);
                    let value = self.value(&leaves[at].shape.clone(), unit, scope);
                    items.push(format!("{array}[{index} ... {last}] = {value}"));
                    at += last - index + 1;
                    lowest = at;
                    if at == leaves.len() {
                        break;
                    }
                    continue;
                }
                before = format!("{} = ", leaves[at].designator);
            }
            let Leaf { shape, opens, .. } = leaves[at].clone();
            match opens {
                Some(opening) if self.numbers.percent(60) && (before.is_empty() || !opening.designator.is_empty()) => {
                    let before = if before.is_empty() { before } else { format!("{} = ", opening.designator) };
                    items.push(format!("{before}{}", self.braces(&opening.shape, unit, scope)));
                    at += opening.count;
                    lowest = at;
                }
                opens => {
                    let value = self.value(&shape, unit, scope);
                    // A brace around a scalar means nothing.
                    let braced = opens.is_none() && self.numbers.percent(8);
                    items.push(if braced { format!("{before}{{ {value} }}") } else { format!("{before}{value}") });
                    at += 1;
                }
            }
        }
        if items.is_empty() {
            items.push(format!("{} = 0", leaves[0].designator));
        }
        format!("{{ {} }}", items.join(", "))
    }

    /// What a brace opens at the beginning of the list of an object.
    fn first_opening(&self, shape: &Shape) -> Option<Opening> {
        let (first, designator) = match shape {
            Shape::Array(_, element) => (&**element, "[0]".to_owned()),
            other => {
                let first = self.members_of(other).iter().find(|member| !member.is_padding())?;
                (&first.shape, first.name.as_ref().map_or(String::new(), |name| format!(".{name}")))
            }
        };
        let mut leaves = Vec::new();
        self.leaves(first, "", None, &mut leaves, &mut Vec::new());
        let opening = leaves.swap_remove(0).opens?;
        Some(Opening { designator, ..opening })
    }

    /// The leaves of an object in order; and those that only a designator comes to, each with what follows it.
    fn leaves(
        &self,
        shape: &Shape,
        designator: &str,
        element: Option<(String, usize, usize)>,
        leaves: &mut Vec<Leaf>,
        others: &mut Vec<(Leaf, usize)>,
    ) {
        let first = leaves.len();
        match shape {
            Shape::Pointer(_) | Shape::Cursor | Shape::Number | Shape::Bits(_) => {
                let (designator, shape) = (designator.to_owned(), shape.clone());
                leaves.push(Leaf { designator, shape, opens: None, element });
                return;
            }
            Shape::Array(length, inner) => {
                for index in 0..*length {
                    let element = Some((designator.to_owned(), *length, index));
                    self.leaves(inner, &format!("{designator}[{index}]"), element, leaves, others);
                }
            }
            Shape::Record(_) | Shape::Struct(_) | Shape::Union(_) => {
                let members = self.members_of(shape).iter().filter(|member| !member.is_padding());
                for (number, member) in members.enumerate() {
                    let designator = match &member.name {
                        Some(name) => format!("{designator}.{name}"),
                        None => designator.to_owned(),
                    };
                    if number > 0 && matches!(shape, Shape::Union(_)) {
                        let next = leaves.len();
                        let mut only = Vec::new();
                        self.leaves(&member.shape, &designator, None, &mut only, &mut Vec::new());
                        others.extend(only.into_iter().map(|leaf| (leaf, next)));
                    } else {
                        let at = leaves.len();
                        self.leaves(&member.shape, &designator, None, leaves, others);
                        if let (None, Some(opens)) = (&member.name, &mut leaves[at].opens) {
                            opens.designator.clear();
                        }
                    }
                }
            }
        }
        let count = leaves.len() - first;
        leaves[first].opens = Some(Opening { shape: shape.clone(), count, designator: designator.to_owned() });
    }

    fn value(&mut self, shape: &Shape, unit: usize, scope: Option<&[Variable]>) -> String {
        match (shape, scope) {
            (Shape::Pointer(kind), Some(scope)) => self.expression(*kind, unit, scope, 1),
            _ => self.constant(shape, unit),
        }
    }

    /// A constant expression.
    fn constant(&mut self, shape: &Shape, unit: usize) -> String {
        let kind = match shape {
            Shape::Pointer(kind) => *kind,
            Shape::Cursor => {
                let visible: Vec<String> = self
                    .globals
                    .iter()
                    .filter(|global| global.unit.is_none_or(|only| only == unit))
                    .filter(|global| !global.is_const && global.shape == Shape::Pointer(Kind::Plain))
                    .map(|global| format!("&{}", global.text))
                    .collect();
                return if visible.is_empty() { "0".to_owned() } else { self.numbers.pick(&visible).clone() };
            }
            // In a union with a pointer, it is the null pointer.
            _ => return "0".to_owned(),
        };
        let name = self.function(kind, unit);
        let ty = kind.name();
        match self.numbers.below(20) {
            0 | 1 => "0".to_owned(),
            2 => format!("&{name}"),
            3 => format!("*{name}"),
            4 => format!("({ty} *)(void (*)(void)){name}"),
            5 => format!("(void *){name}"),
            6 => format!("(1 ? {name} : {})", self.function(kind, unit)),
            7 => format!("(0 ? {} : &{name})", self.function(kind, unit)),
            8 => format!("({ty} *)(const void *)&{name}"),
            _ => name,
        }
    }

    /// The name of a function that a unit can name.
    fn function(&mut self, kind: Kind, unit: usize) -> String {
        let can = |function: &&Function| function.kind == kind && (!function.is_static || function.unit == unit);
        let all: Vec<String> = self.functions.iter().filter(can).map(|function| function.name.clone()).collect();
        self.numbers.pick(&all).clone()
    }
}

/// Expressions.
impl Writer {
    /// An object of a type, if a scope has one: a variable, or something in one.
    fn place(&mut self, wanted: &Shape, unit: usize, scope: &[Variable], how: Use) -> Option<String> {
        let fits = |variable: &&Variable| {
            variable.unit.is_none_or(|only| only == unit)
                && (how == Use::Read || !variable.is_const)
                && (how != Use::Keep || variable.is_permanent)
                && self.has(&variable.shape, wanted)
        };
        let all: Vec<&Variable> = self.globals.iter().chain(scope).filter(fits).collect();
        if all.is_empty() {
            return None;
        }
        let variable = (*self.numbers.pick(&all)).clone();
        let (mut text, mut shape) = (variable.text, variable.shape);
        while shape != *wanted {
            (text, shape) = match shape {
                Shape::Array(length, element) => {
                    let index = match self.numbers.below(4) {
                        0 => "(n & 1)".to_owned(),
                        1 if length > 2 => "(n & 1) + 1".to_owned(),
                        _ => self.numbers.below(length).to_string(),
                    };
                    let text = match self.numbers.below(8) {
                        0 => format!("(*({text} + {index}))"),
                        1 => format!("({index})[{text}]"),
                        _ => format!("{text}[{index}]"),
                    };
                    (text, *element)
                }
                other => {
                    let members = self.members_of(&other).iter().filter(|member| self.has(&member.shape, wanted));
                    let members: Vec<Member> = members.cloned().collect();
                    let member = self.numbers.pick(&members).clone();
                    let text = member.name.map_or(text.clone(), |name| match text.strip_prefix("(*") {
                        Some(rest) if rest.ends_with(')') && !rest.contains(['+', '[', '(']) => {
                            format!("{}->{name}", &rest[..rest.len() - 1])
                        }
                        _ => format!("{text}.{name}"),
                    });
                    (text, member.shape)
                }
            };
        }
        Some(text)
    }

    /// A pointer to a function, or null.
    fn expression(&mut self, kind: Kind, unit: usize, scope: &[Variable], depth: usize) -> String {
        let ty = kind.name();
        let choice = self.numbers.below(if depth == 0 { 8 } else { 32 });
        if choice <= 3 {
            return self.function(kind, unit);
        }
        let place = self.place(&Shape::Pointer(kind), unit, scope, Use::Read);
        let Some(place) = place else { return self.function(kind, unit) };
        if choice <= 7 {
            return place;
        }
        let target = self.place(&Shape::Pointer(kind), unit, scope, Use::Write).unwrap_or_else(|| place.clone());
        let inner = self.expression(kind, unit, scope, depth - 1);
        let temporary = self.fresh("t");
        match choice {
            8 => format!("&{}", self.function(kind, unit)),
            9 => format!("(*{})", self.function(kind, unit)),
            10 | 11 => format!("(chance(2) ? {inner} : {})", self.expression(kind, unit, scope, depth - 1)),
            12 => format!("({inner} ?: {})", self.function(kind, unit)),
            13 => format!("(chance(2), {inner})"),
            14 => format!("({{ {ty} *{temporary} = {inner}; {temporary}; }})"),
            15 => format!("({{ __auto_type {temporary} = ({ty} *){inner}; {temporary}; }})"),
            16 => format!("({ty} *)(void (*)(void)){inner}"),
            17 => format!("({ty} *)(void *){inner}"),
            18 => format!("__atomic_load_n(&{target}, __ATOMIC_SEQ_CST)"),
            19 => format!("LOAD(&{target})"),
            20 => format!("__atomic_exchange_n(&{target}, {inner}, __ATOMIC_SEQ_CST)"),
            21 => format!("__sync_lock_test_and_set(&{target}, {inner})"),
            22 => format!("*({ty} **)&{place}"),
            23 => format!("({target} = {inner})"),
            24 => {
                format!("({{ {ty} *{temporary}; memcpy(&{temporary}, &{place}, sizeof {temporary}); {temporary}; }})")
            }
            25 => format!("({{ {ty} *{temporary}; __atomic_load(&{target}, &{temporary}, 0); {temporary}; }})"),
            26 => format!("*(chance(2) ? &{target} : &{target})"),
            27 => format!("(({ty} *[]){{ {inner}, {place} }})[n & 1]"),
            28 => self.member_of_record(kind, unit, scope).unwrap_or(inner),
            29 if self.hidden => self.hidden_expression(kind, &inner, &temporary),
            _ if kind == Kind::Plain => self.plain_expression(unit, scope, &inner, depth),
            _ => inner,
        }
    }

    /// What only pointers to plain functions come from: results, cursors and an atomic variable.
    fn plain_expression(&mut self, unit: usize, scope: &[Variable], inner: &str, depth: usize) -> String {
        let temporary = self.fresh("t");
        match self.numbers.below(6) {
            0 => format!("{}(n - 1)", self.function(Kind::Getter, unit)),
            1 => {
                let getter = self.expression(Kind::Getter, unit, scope, depth - 1);
                format!("({{ getter *{temporary} = {getter}; {temporary} ? {temporary}(n - 1) : 0; }})")
            }
            2 => match self.place(&Shape::Cursor, unit, scope, Use::Read) {
                Some(cursor) => {
                    format!("({{ fn **{temporary} = {cursor}; {temporary} ? *{temporary} : (fn *)0; }})")
                }
                None => inner.to_owned(),
            },
            3 => format!("atomic_load(&{}_atomic)", self.name),
            4 => format!("atomic_exchange(&{}_atomic, {inner})", self.name),
            _ => format!("({{ fn *{temporary} = 0; {}(&{temporary}, n - 1); {temporary}; }})", {
                self.function(Kind::Filler, unit)
            }),
        }
    }

    /// A member of a compound literal, or of a record that a function returns.
    fn member_of_record(&mut self, kind: Kind, unit: usize, scope: &[Variable]) -> Option<String> {
        let wanted = Shape::Pointer(kind);
        let able: Vec<usize> =
            (0..self.records.len()).filter(|record| self.has(&Shape::Record(*record), &wanted)).collect();
        if able.is_empty() {
            return None;
        }
        let record = *self.numbers.pick(&able);
        let shape = Shape::Record(record);
        let text = match self.place(&shape, unit, scope, Use::Read) {
            Some(place) if self.numbers.percent(40) => format!("{}_v{record}({place}, n - 1)", self.name),
            _ => {
                let literal = self.braces(&shape, unit, Some(scope));
                format!("((struct {}_r{record}){literal})", self.name)
            }
        };
        let value = Variable { text, shape, unit: None, is_const: true, is_permanent: false };
        let globals = std::mem::take(&mut self.globals);
        let place = self.place(&wanted, unit, &[value], Use::Read);
        self.globals = globals;
        // What a function returns is no array that can be indexed by a pointer into it.
        place
    }

    /// What cannot be followed, or only with luck.
    fn hidden_expression(&mut self, kind: Kind, inner: &str, temporary: &str) -> String {
        let ty = kind.name();
        match self.numbers.below(5) {
            0 => format!("({ty} *)(uintptr_t){inner}"),
            1 => format!("({{ void *{temporary} = (void *){inner}; ({ty} *){temporary}; }})"),
            2 => format!("({{ {ty} *{temporary} = {inner}; __asm__(\"\" : \"+r\"({temporary})); {temporary}; }})"),
            3 => format!("({ty} *){}_variable(1, {inner})", self.name),
            _ => format!(
                "({{ {ty} *from_ = {inner}, *{temporary}; char bytes_[sizeof from_]; memcpy(bytes_, &from_, sizeof \
                 bytes_); memcpy(&{temporary}, bytes_, sizeof bytes_); {temporary}; }})"
            ),
        }
    }
}

/// What a place is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Read,
    Write,
    /// Its address is stored.
    Keep,
}

/// Statements and functions.
impl Writer {
    /// A statement of one line.
    fn statement(&mut self, unit: usize, scope: &[Variable]) -> String {
        let kind = self.kind();
        let pointer = Shape::Pointer(kind);
        let value = self.expression(kind, unit, scope, 2);
        let place = self.place(&pointer, unit, scope, Use::Write);
        let Some(place) = place else { return self.call(kind, &value, unit, scope) };
        let ty = kind.name();
        let temporary = self.fresh("t");
        match self.numbers.below(30) {
            0..=3 => format!("{place} = {value};"),
            4 => {
                let other = self.place(&pointer, unit, scope, Use::Write).unwrap_or_else(|| place.clone());
                format!("{place} = {other} = {value};")
            }
            5 => format!("__atomic_store_n(&{place}, {value}, __ATOMIC_RELEASE);"),
            6 => format!("STORE(&{place}, {value});"),
            7 => format!(
                "{{ {ty} *{temporary} = {place}; \
                 __atomic_compare_exchange_n(&{place}, &{temporary}, {value}, 0, 0, 0); }}"
            ),
            8 => format!("__sync_val_compare_and_swap(&{place}, {place}, {value});"),
            9 => format!("{{ {ty} *{temporary} = {value}; memcpy(&{place}, &{temporary}, sizeof {place}); }}"),
            10 => format!("*({ty} **)&{place} = {value};"),
            11 => format!("{{ {ty} **{temporary} = &{place}; *{temporary} = {value}; }}"),
            12 => format!("{{ {ty} **{temporary} = &{place}; {ty} ***deep_ = &{temporary}; **deep_ = {value}; }}"),
            13 => format!("if (chance(2)) {place} = {value}; else {}", self.call(kind, &value, unit, scope)),
            14 => format!("{{ __typeof__({place}) {temporary} = {value}; {place} = {temporary}; }}"),
            15 => self.record_statement(unit, scope),
            16 => self.record_statement(unit, scope),
            17 => self.loop_statement(unit, scope),
            18 => self.cursor_statement(unit, scope),
            19 => format!("{{ {ty} *{temporary} = {value}; __atomic_store(&{place}, &{temporary}, 0); }}"),
            20 => format!("switch (chance(3)) {{ case 0: {place} = {value}; break; default: {} }}", {
                self.call(kind, &place, unit, scope)
            }),
            21 => self.direct_call(unit, scope),
            22 => self.plain_statement(unit, scope),
            23..=25 => self.place_call(kind, unit, scope),
            _ => self.call(kind, &value, unit, scope),
        }
    }

    /// A call of what an expression yields, unless that is null.
    fn call(&mut self, kind: Kind, value: &str, unit: usize, scope: &[Variable]) -> String {
        let (temporary, ty) = (self.fresh("t"), kind.name());
        match self.numbers.below(4) {
            0 => match self.application(kind, &format!("(*{temporary})"), (unit, scope, 1)) {
                Some(call) => format!("{{ {ty} *{temporary} = {value}; if ({temporary}) {call}; }}"),
                None => ";".to_owned(),
            },
            1 => {
                let function = self.function(kind, unit);
                let callee = format!("(chance(2) ? {function} : {})", self.function(kind, unit));
                self.application(kind, &callee, (unit, scope, 1)).map_or(";".to_owned(), |call| format!("{call};"))
            }
            2 => {
                let callee = format!("(({ty} *){value} ?: {})", self.function(kind, unit));
                self.application(kind, &callee, (unit, scope, 1)).map_or(";".to_owned(), |call| format!("{call};"))
            }
            _ => match self.application(kind, &temporary, (unit, scope, 1)) {
                Some(call) => format!("{{ {ty} *{temporary} = {value}; if ({temporary}) {call}; }}"),
                None => ";".to_owned(),
            },
        }
    }

    /// A call through a place itself. Its arguments must not change the place.
    fn place_call(&mut self, kind: Kind, unit: usize, scope: &[Variable]) -> String {
        let Some(place) = self.place(&Shape::Pointer(kind), unit, scope, Use::Read) else { return ";".to_owned() };
        let callee = match self.numbers.below(4) {
            0 => format!("(*{place})"),
            1 => format!("(**{place})"),
            _ => format!("({place})"),
        };
        match self.application(kind, &callee, (unit, scope, 0)) {
            Some(call) => format!("if ({place}) {call};"),
            None => ";".to_owned(),
        }
    }

    /// A call of a callee with arguments.
    fn application(
        &mut self,
        kind: Kind,
        callee: &str,
        (unit, scope, depth): (usize, &[Variable], usize),
    ) -> Option<String> {
        Some(match kind {
            Kind::Plain => format!("n += {callee}(n - 1)"),
            Kind::Taker => format!("n += {callee}({}, n - 1)", self.expression(Kind::Plain, unit, scope, depth)),
            Kind::Getter => {
                let place = self.place(&Shape::Pointer(Kind::Plain), unit, scope, Use::Write)?;
                format!("{place} = {callee}(n - 1)")
            }
            Kind::Filler => {
                let place = self.place(&Shape::Pointer(Kind::Plain), unit, scope, Use::Write)?;
                format!("{callee}(&{place}, n - 1)")
            }
            Kind::Method => {
                let place = self.place(&Shape::Record(0), unit, scope, Use::Write)?;
                format!("n += {callee}(&{place}, n - 1)")
            }
        })
    }

    fn direct_call(&mut self, unit: usize, scope: &[Variable]) -> String {
        let kind = *self.numbers.pick(&KINDS);
        let callee = self.function(kind, unit);
        self.application(kind, &callee, (unit, scope, 1)).map_or(";".to_owned(), |call| format!("{call};"))
    }

    /// A statement about whole records.
    fn record_statement(&mut self, unit: usize, scope: &[Variable]) -> String {
        let record = self.numbers.below(self.records.len());
        let shape = Shape::Record(record);
        let Some(place) = self.place(&shape, unit, scope, Use::Write) else { return ";".to_owned() };
        let other = self.place(&shape, unit, scope, Use::Read).unwrap_or_else(|| place.clone());
        let name = self.name.clone();
        match self.numbers.below(6) {
            0 => format!("{place} = {other};"),
            1 => format!("memmove(&{place}, &{other}, sizeof {place});"),
            2 => format!("{place} = {name}_v{record}({other}, n - 1);"),
            3 => format!("n += {name}_s{record}(&{place}, n - 1);"),
            4 => format!("{place} = (struct {name}_r{record}){};", self.braces(&shape, unit, Some(scope))),
            _ => {
                let literal = self.braces(&shape, unit, Some(scope));
                format!("n += {name}_s{record}(&(struct {name}_r{record}){literal}, n - 1);")
            }
        }
    }

    /// A loop over a table or over an array of records, by a pointer.
    fn loop_statement(&mut self, unit: usize, scope: &[Variable]) -> String {
        if self.numbers.percent(50) {
            let length = self.numbers.between(2, 3);
            let table = Shape::Array(length, Box::new(Shape::Pointer(Kind::Plain)));
            let Some(table) = self.place(&table, unit, scope, Use::Read) else { return ";".to_owned() };
            return format!(
                "for (fn *const *c_ = {table}, *const *end_ = c_ + {length}; c_ < end_; c_++) {{ \
                 if (*c_) n += (*c_)(n - 1); }}"
            );
        }
        let record = self.numbers.below(self.records.len());
        let array = Shape::Array(2, Box::new(Shape::Record(record)));
        let Some(array) = self.place(&array, unit, scope, Use::Write) else { return ";".to_owned() };
        let shape = Shape::Record(record);
        let element = Variable { text: "(*c_)".to_owned(), shape, unit: None, is_const: false, is_permanent: false };
        let globals = std::mem::take(&mut self.globals);
        let member = self.place(&Shape::Pointer(Kind::Plain), unit, &[element], Use::Read);
        self.globals = globals;
        let Some(member) = member else { return ";".to_owned() };
        let name = &self.name;
        format!(
            "for (struct {name}_r{record} *c_ = {array}, *end_ = c_ + 2; c_ < end_; c_++) {{ \
             if ({member}) n += {member}(n - 1); }}"
        )
    }

    /// A statement about a pointer to a slot that lasts.
    fn cursor_statement(&mut self, unit: usize, scope: &[Variable]) -> String {
        let plain = Shape::Pointer(Kind::Plain);
        let (Some(cursor), Some(place)) =
            (self.place(&Shape::Cursor, unit, scope, Use::Write), self.place(&plain, unit, scope, Use::Keep))
        else {
            return ";".to_owned();
        };
        match self.numbers.below(4) {
            0 => format!("{cursor} = &{place};"),
            1 => format!("if ({cursor}) *{cursor} = {};", self.expression(Kind::Plain, unit, scope, 0)),
            2 => format!("if ({cursor} && *{cursor}) n += (*{cursor})(n - 1);"),
            _ => format!("if ({cursor}) {}({cursor}, n - 1);", self.function(Kind::Filler, unit)),
        }
    }

    /// A statement that only pointers to plain functions have.
    fn plain_statement(&mut self, unit: usize, scope: &[Variable]) -> String {
        let value = self.expression(Kind::Plain, unit, scope, 1);
        let name = self.name.clone();
        match self.numbers.below(4) {
            0 => format!("atomic_store(&{name}_atomic, {value});"),
            1 => format!("{{ fn *held_ __attribute__((cleanup({name}_release{unit}))) = {value}; }}"),
            2 => format!("n += {name}_relay({}, {value}, n - 1);", self.function(Kind::Taker, unit)),
            _ => format!("{{ fn *old_ = 0; atomic_compare_exchange_strong(&{name}_atomic, &old_, {value}); }}"),
        }
    }

    fn declare_functions(&mut self) {
        let counts = [(Kind::Plain, 5, "t"), (Kind::Taker, 2, "k"), (Kind::Getter, 2, "o"), (Kind::Filler, 2, "w")];
        for (kind, count, short) in counts.into_iter().chain([(Kind::Method, 2, "d")]) {
            for number in 0..count {
                // The last may be defined twice, by each unit for itself.
                let is_static = number + 1 == count && self.numbers.percent(50);
                let name = format!("{}_{short}{number}{}", self.name, if is_static { "_twin" } else { "" });
                let unit = if is_static { 0 } else { self.numbers.below(2) };
                let before = if is_static { "static __attribute__((unused)) " } else { "" };
                for at in 0..if is_static { 2 } else { 1 } {
                    let (name, unit) = (name.clone(), if is_static { at } else { unit });
                    let text = format!("{before}{} {name};\n", kind.name());
                    if is_static {
                        self.units[unit].push_str(&text)
                    } else {
                        self.header.push_str(&text)
                    }
                    self.functions.push(Function { name, kind, unit, is_static, is_name: false });
                }
            }
        }
        self.declare_other_names();
        let name = self.name.clone();
        for record in 0..self.records.len() {
            let ty = format!("struct {name}_r{record}");
            let _ = writeln!(self.header, "{ty} {name}_v{record}({ty} s, int n);");
            let _ = writeln!(self.header, "int {name}_s{record}({ty} *s, int n);");
        }
        let _ = writeln!(self.header, "int {name}_relay(taker *h, fn *cb, int n);\nvoid {name}_main(void);");
        let _ = writeln!(self.header, "void *{name}_variable(int count, ...);");
        for unit in 0..2 {
            let _ = writeln!(self.units[unit], "static void {name}_release{unit}(fn **held);");
        }
    }

    /// Names that are other functions, and a weak body that gives way.
    fn declare_other_names(&mut self) {
        let name = self.name.clone();
        let (target, unit) = {
            let can = |function: &&Function| function.kind == Kind::Plain && !function.is_static;
            let all: Vec<&Function> = self.functions.iter().filter(can).collect();
            let target = *self.numbers.pick(&all);
            (target.name.clone(), target.unit)
        };
        let other = format!("{name}_other");
        match self.numbers.below(5) {
            0 => {
                let _ = writeln!(self.header, "fn {other};");
                let _ = writeln!(self.units[unit], "int {other}(int n) __attribute__((alias(\"{target}\")));");
            }
            1 => {
                let _ = writeln!(self.header, "fn {other};");
                // Before, it would be a second declaration for clang.
                let _ = writeln!(self.ends[unit], "#pragma weak {other} = {target}");
            }
            2 => {
                let _ = writeln!(self.header, "int {other}(int n) __asm__(\"{target}\");");
            }
            3 => {
                let _ = writeln!(self.header, "fn {other};");
                for (unit, weak) in [(0, "__attribute__((weak)) "), (1, "")] {
                    let _ = writeln!(self.units[unit], "{weak}int {other}(int n) {{ ENTER; return n + {unit}; }}");
                }
            }
            _ => {
                let _ = writeln!(
                    self.units[unit],
                    "static __attribute__((unused)) fn {other} __attribute__((weakref(\"{target}\")));"
                );
                let function = Function { name: other, kind: Kind::Plain, unit, is_static: true, is_name: true };
                self.functions.push(function);
                return;
            }
        }
        self.functions.push(Function { name: other, kind: Kind::Plain, unit, is_static: false, is_name: true });
    }

    fn define_functions(&mut self) {
        for function in self.functions.clone() {
            if !function.is_name {
                self.define(&function);
            }
        }
        let name = self.name.clone();
        for record in 0..self.records.len() {
            let (ty, shape) = (format!("struct {name}_r{record}"), Shape::Record(record));
            let by_value = local("s", shape.clone());
            let unit = self.numbers.below(2);
            let head = format!("{ty} {name}_v{record}({ty} s, int n)");
            self.body(unit, &head, "s", vec![by_value], "return s;");
            let by_address = local("(*s)", shape);
            let unit = self.numbers.below(2);
            let head = format!("int {name}_s{record}({ty} *s, int n)");
            self.body(unit, &head, "n", vec![by_address], "return n;");
        }
        let (unit, callback) = (self.numbers.below(2), local("cb", Shape::Pointer(Kind::Plain)));
        let handler = local("h", Shape::Pointer(Kind::Taker));
        let head = format!("int {name}_relay(taker *h, fn *cb, int n)");
        self.body(unit, &head, "n", vec![handler, callback], "if (h) n += h(cb, n - 1); return n;");
        for unit in 0..2 {
            let head = format!("static void {name}_release{unit}(fn **held)");
            let last = "if (*held) (*held)(1);";
            let _ = writeln!(self.units[unit], "{head}\n{{ ENTER; if (spent()) return; AT;\nAT; {last}\n}}");
        }
        let _ = writeln!(
            self.units[0],
            "void *{name}_variable(int count, ...)\n{{ ENTER; va_list list; va_start(list, count); void *value = \
             va_arg(list, void *); va_end(list); return value; }}"
        );
        let unit = self.numbers.below(2);
        self.body(unit, &format!("void {name}_main(void)"), "", Vec::new(), "");
    }

    fn define(&mut self, function: &Function) {
        let (name, storage) = (&function.name, if function.is_static { "static " } else { "" });
        let callback = local("cb", Shape::Pointer(Kind::Plain));
        let spelled = *self.numbers.pick(&["fn *cb", "fn cb", "int (*cb)(int)", "int cb(int n)"]);
        match function.kind {
            Kind::Plain => {
                self.body(function.unit, &format!("{storage}int {name}(int n)"), "n", Vec::new(), "return n;");
            }
            Kind::Taker => {
                let head = format!("{storage}int {name}({spelled}, int n)");
                self.body(function.unit, &head, "n", vec![callback], "if (cb) n += cb(n - 1); return n;");
            }
            Kind::Getter => {
                let raw = self.numbers.percent(50);
                let head = if raw { format!("int (*{name}(int n))(int)") } else { format!("fn *{name}(int n)") };
                self.body(function.unit, &format!("{storage}{head}"), "0", Vec::new(), "return RESULT;");
            }
            Kind::Filler => {
                let out = local("(*out)", Shape::Pointer(Kind::Plain));
                let head = format!("{storage}void {name}(fn **out, int n)");
                self.body(function.unit, &head, "", vec![out], "*out = RESULT;");
            }
            Kind::Method => {
                let record = local("(*s)", Shape::Record(0));
                let head = format!("{storage}int {name}(void *opaque, int n)");
                self.body(function.unit, &head, "n", vec![record], "return n;");
            }
        }
    }

    /// Writes a function: what it returns when the run has gone on for long enough, its parameters, its last line.
    fn body(&mut self, unit: usize, head: &str, early: &str, mut scope: Vec<Variable>, last: &str) {
        let mut text = format!("{head}\n{{ ENTER; ");
        if head.contains("(void)") {
            text.push_str("int n = chance(8); ");
        }
        if head.contains("void *opaque") {
            let _ = write!(text, "struct {}_r0 *s = opaque; ", self.name);
        }
        let _ = writeln!(text, "if (spent()) return {early};");
        for _ in 0..self.numbers.below(3) {
            let name = self.fresh("l");
            let record = self.numbers.below(self.records.len());
            let table = Shape::Array(2, Box::new(Shape::Pointer(Kind::Plain)));
            let shape = match self.numbers.below(5) {
                0 => Shape::Record(record),
                1 => table,
                _ => Shape::Pointer(self.kind()),
            };
            let is_permanent = self.numbers.percent(25);
            let value = match (&shape, is_permanent) {
                (Shape::Pointer(_), true) => self.constant(&shape.clone(), unit),
                (Shape::Pointer(kind), false) => self.expression(*kind, unit, &scope, 1),
                (other, true) => self.braces(&other.clone(), unit, None),
                (other, false) => self.braces(&other.clone(), unit, Some(&scope)),
            };
            let before = if is_permanent { "static " } else { "" };
            let _ = writeln!(text, "AT; {before}{} = {value};", self.declarator(&shape, &name));
            scope.push(Variable { text: name, shape, unit: None, is_const: false, is_permanent });
        }
        for _ in 0..if head.contains("_main(") { 14 } else { self.numbers.between(1, 4) } {
            let _ = writeln!(text, "AT; {}", self.statement(unit, &scope));
        }
        if head.contains("_main(") {
            // What nobody in the program calls may be called by others, with anything.
            let can = |function: &&Function| !function.is_static || function.unit == unit;
            for Function { name, kind, .. } in self.functions.clone().iter().filter(can) {
                if matches!(kind, Kind::Taker | Kind::Filler)
                    && let Some(call) = self.application(*kind, name, (unit, &scope, 0))
                {
                    let _ = writeln!(text, "AT; {call};");
                }
            }
            let (taker, given) = (self.function(Kind::Taker, unit), self.function(Kind::Plain, unit));
            let _ = writeln!(text, "AT; n += {}_relay({taker}, {given}, n - 1);", self.name);
        }
        let result = self.expression(Kind::Plain, unit, &scope, 2);
        let _ = writeln!(text, "AT; {}\n}}", last.replace("RESULT", &result));
        self.units[unit].push_str(&text);
    }
}

fn local(text: &str, shape: Shape) -> Variable {
    Variable { text: text.to_owned(), shape, unit: None, is_const: false, is_permanent: false }
}
