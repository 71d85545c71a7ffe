//! Random programs of structured control flow with guards: conditions on the context, on parameters, and on chance.
//!
//! Every function has the same parameters. Roots are called by the run, with any arguments, in each context that
//! their marks allow; helpers are called by roots and by earlier helpers, with constants among others. A statement
//! begins with `AT` and has a line of its own.

use std::fmt::Write as _;

use super::harness::Program;
use super::numbers::Numbers;

/// The declarations of all programs.
pub const TYPES: &str = "\
#define FLOW
#include \"run.h\"
enum mode { MODE_A, MODE_B, MODE_C = 4 };
enum { NEVER = 0, ALWAYS = 1 };
typedef struct QemuMutex { const void *owner; } QemuMutex;
void qemu_mutex_lock(QemuMutex *mutex);
void qemu_mutex_unlock(QemuMutex *mutex);
bool qemu_in_coroutine(void);
int coroutine_fn co_leaf(void);
int no_coroutine_fn block_leaf(void);
int plain_leaf(void);
void die(void) __attribute__((noreturn));
#define check(condition) ((condition) ? (void)0 : die())
#define likely(x) __builtin_expect(!!(x), 1)
";

/// Which constructs a program has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Those that are followed exactly: whatever is reported can happen.
    Exact,
    /// All of them: also jumps, loops that assign variables, and predicates that nobody follows.
    All,
}

/// The marks of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    None,
    Coroutine,
    Outside,
    Mixed,
}

const MODES: [&str; 3] = ["MODE_A", "MODE_B", "MODE_C"];

/// Writes the program of a seed.
pub fn program(seed: u64, name: &str, family: Family) -> Program {
    let mut writer = Writer {
        numbers: Numbers::new(seed ^ 0x5eed),
        name: name.to_owned(),
        family,
        text: String::new(),
        labels: 0,
        placed: 0,
        depth: 0,
        loops: 0,
        in_expression: 0,
        locks: [String::new(), String::new()],
        locked: [false; 2],
        helpers: 0,
        first_callable: 0,
    };
    // A helper calls only later ones, so the last is the first to be written.
    writer.helpers = writer.numbers.between(1, 3);
    for helper in (0..writer.helpers).rev() {
        let mark = writer.mark(75);
        writer.first_callable = helper + 1;
        writer.function("h", helper, mark);
    }
    writer.first_callable = 0;
    let roots = writer.numbers.between(2, 4);
    let (mut declared, mut cases) = (String::new(), String::new());
    for root in 0..roots {
        let mark = writer.mark(50);
        writer.function("f", root, mark);
        let context = match mark {
            Mark::Coroutine => "true",
            Mark::Outside => "false",
            Mark::None | Mark::Mixed => "chance(2)",
        };
        let _ = writeln!(declared, "int {name}_f{root}(bool a, int b, int m);");
        let _ = writeln!(
            cases,
            "    case {root}: inside = {context}; {name}_f{root}(chance(2), chance(8), modes[chance(3)]); break;"
        );
    }
    let driver = format!(
        "{declared}void {name}_main(void)\n{{\n    static const int modes[] = {{ 0, 1, 4 }};\n    \
         switch (chance({roots})) {{\n{cases}    }}\n}}\n"
    );
    Program { name: name.to_owned(), header: String::new(), units: [writer.text, String::new()], driver }
}

struct Writer {
    numbers: Numbers,
    name: String,
    family: Family,
    text: String,
    /// How many labels the function has, and how many of them are written.
    labels: usize,
    placed: usize,
    /// How many statements the one that is being written is inside of, and how many of these are loops or `switch`.
    depth: usize,
    loops: usize,
    /// How many statement expressions the one that is being written is inside of.
    in_expression: usize,
    /// The locks of the function, and whether the statement that is being written is between taking and releasing them.
    locks: [String; 2],
    locked: [bool; 2],
    helpers: usize,
    /// The first helper that may be called: there is no recursion.
    first_callable: usize,
}

impl Writer {
    fn mark(&mut self, unmarked: usize) -> Mark {
        match self.numbers.below(100) {
            number if number < unmarked => Mark::None,
            _ => *self.numbers.pick(&[Mark::Coroutine, Mark::Outside, Mark::Mixed]),
        }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn function(&mut self, short: &str, number: usize, mark: Mark) {
        self.labels = if self.family == Family::All { self.numbers.below(3) } else { 0 };
        self.placed = 0;
        // `m` is an enumeration for helpers, and a number for the run.
        let (storage, mode) = if short == "h" { ("static __attribute__((unused)) ", "enum mode") } else { ("", "int") };
        let (mark, written) = match mark {
            Mark::None => (0, ""),
            Mark::Coroutine => (1, "coroutine_fn "),
            Mark::Outside => (2, "no_coroutine_fn "),
            Mark::Mixed => (3, "coroutine_mixed_fn "),
        };
        self.locks = [0, 1].map(|lock| format!("{}_{short}{number}_lock{lock}", self.name));
        self.line(&format!("static QemuMutex {};", self.locks.join(", ")));
        let head = format!("{storage}int {written}{}_{short}{number}(bool a, int b, {mode} m)", self.name);
        self.line(&format!("{head} {{ ENTER_AS({mark});"));
        let (first, second) = (self.condition(1), self.condition(1));
        self.line(&format!("AT; bool v0 = {first};"));
        self.line(&format!("AT; bool v1 = {second};"));
        if self.numbers.percent(15) {
            let asserted = *self.numbers.pick(&["check(qemu_in_coroutine());", "check(!qemu_in_coroutine());"]);
            self.line(&format!("AT; {asserted}"));
        }
        for _ in 0..self.numbers.between(2, 5) {
            self.statement();
        }
        while self.placed < self.labels {
            self.place_label();
            self.statement();
        }
        self.line("AT; (void)v0; (void)v1; return b;\n}");
    }

    fn place_label(&mut self) {
        self.line(&format!("l{}: AT;", self.placed));
        self.placed += 1;
    }

    /// A condition.
    fn condition(&mut self, depth: usize) -> String {
        let choice = self.numbers.below(if depth == 0 { 12 } else { 26 });
        let inner = |writer: &mut Writer| writer.condition(depth - 1);
        match choice {
            0..=3 => "qemu_in_coroutine()".to_owned(),
            4 => "!qemu_in_coroutine()".to_owned(),
            5 => "chance(2)".to_owned(),
            6 => "a".to_owned(),
            7 => "!a".to_owned(),
            8 => (*self.numbers.pick(&["b & 2", "b == 4", "b != 4", "b"])).to_owned(),
            9 => format!("m == {}", self.numbers.pick(&MODES)),
            10 => (*self.numbers.pick(&["NEVER", "ALWAYS", "sizeof(char) == 1", "MODE_C == 4", "0", "1"])).to_owned(),
            11 => "chance(3)".to_owned(),
            12 | 13 => format!("({} && {})", inner(self), inner(self)),
            14 | 15 => format!("({} || {})", inner(self), inner(self)),
            16 => format!("!({})", inner(self)),
            17 => format!("(bool)({})", inner(self)),
            18 => format!("likely({})", inner(self)),
            19 => format!("({} ? {} : {})", inner(self), inner(self), inner(self)),
            20 => format!("({{ int r_; if ({}) r_ = 1; else r_ = 0; r_; }})", inner(self)),
            21 => format!("((bool)({}) == qemu_in_coroutine())", inner(self)),
            22 => format!("(plain_leaf(), {})", inner(self)),
            23 => format!("({} && ({}, true))", inner(self), self.call()),
            _ => "qemu_in_coroutine()".to_owned(),
        }
    }

    /// A call as an expression.
    fn call(&mut self) -> String {
        let helpers = self.helpers - self.first_callable.min(self.helpers);
        match self.numbers.below(10) {
            0..=3 => "co_leaf()".to_owned(),
            4 | 5 => "block_leaf()".to_owned(),
            6 => "plain_leaf()".to_owned(),
            _ if helpers == 0 => "co_leaf()".to_owned(),
            _ => {
                let helper = self.first_callable + self.numbers.below(helpers);
                let flag = *self.numbers.pick(&["true", "false", "a", "!a", "qemu_in_coroutine()", "chance(2)", "1"]);
                let number = *self.numbers.pick(&["0", "2", "4", "6", "b", "chance(8)", "NEVER"]);
                let mode = *self.numbers.pick(&["MODE_A", "MODE_B", "MODE_C", "m", "MODE_A"]);
                format!("{}_h{helper}({flag}, {number}, {mode})", self.name)
            }
        }
    }

    /// Some statements in braces, which begin on the line that is open.
    fn block(&mut self) {
        self.depth += 1;
        for _ in 0..self.numbers.between(1, 3) {
            self.statement();
        }
        self.depth -= 1;
    }

    fn loop_block(&mut self) {
        self.loops += 1;
        self.block();
        self.loops -= 1;
    }

    fn statement(&mut self) {
        if self.placed < self.labels && self.in_expression == 0 && self.numbers.percent(25) {
            self.place_label();
        }
        let nested = self.depth < 3;
        match self.numbers.below(30) {
            0..=5 => {
                let call = self.call();
                self.line(&format!("AT; {call};"));
            }
            6..=10 if nested => {
                let condition = self.condition(2);
                self.line(&format!("AT; if ({condition}) {{"));
                self.block();
                if self.numbers.percent(50) {
                    self.line("} else {");
                    self.block();
                }
                self.line("}");
            }
            11 | 12 => {
                let (condition, call) = (self.condition(2), self.call());
                self.line(&format!("AT; {condition} && {call};"));
            }
            13 => {
                let (condition, one, other) = (self.condition(2), self.call(), self.call());
                self.line(&format!("AT; {condition} ? {one} : {other};"));
            }
            14 | 15 => {
                let (condition, leave) = (self.condition(1), self.leave());
                self.line(&format!("AT; if ({condition}) {leave}"));
            }
            16 => {
                let condition = self.condition(1);
                self.line(&format!("AT; check({condition} || chance(4));"));
            }
            17 | 18 if nested => self.loop_statement(),
            19 | 20 if nested => self.switch_statement(),
            21 if nested => {
                self.line("AT; (void)({");
                self.in_expression += 1;
                self.block();
                self.in_expression -= 1;
                self.line("0; });");
            }
            22 | 23 => self.lock_statement(),
            24 if self.family == Family::All || self.loops == 0 => {
                let (variable, condition) = (self.numbers.below(2), self.condition(1));
                self.line(&format!("AT; v{variable} = {condition};"));
            }
            25 | 26 => {
                let (variable, call) = (self.numbers.below(2), self.call());
                self.line(&format!("AT; if (v{variable}) {call};"));
            }
            27 if self.labels > 0 && self.in_expression == 0 => self.jump(),
            _ => {
                let call = self.call();
                self.line(&format!("AT; if (qemu_in_coroutine()) {call};"));
            }
        }
    }

    /// A statement that does not go on to the next.
    fn leave(&mut self) -> String {
        let way = self.numbers.below(6);
        match way {
            0 => "die();".to_owned(),
            1 if self.loops > 0 => "break;".to_owned(),
            2 if self.labels > 0 && self.in_expression == 0 => format!("goto l{};", self.numbers.below(self.labels)),
            _ => "return -1;".to_owned(),
        }
    }

    fn loop_statement(&mut self) {
        let condition = self.condition(1);
        match self.numbers.below(4) {
            0 => {
                self.line(&format!("while ((AT, {condition} && chance(3))) {{"));
                self.loop_block();
                self.line("}");
            }
            1 => {
                self.line("do {");
                self.loop_block();
                self.line(&format!("}} while ((AT, {condition} && chance(3)));"));
            }
            2 => {
                self.line("AT; for (int i = 0; (AT, i < 2); i++) {");
                self.line(&format!("AT; if ({condition}) continue;"));
                self.loop_block();
                self.line("}");
            }
            _ => {
                self.line("for (;;) {");
                self.loop_block();
                self.line("AT; if (chance(2)) break;\n}");
            }
        }
    }

    fn switch_statement(&mut self) {
        let value = match self.numbers.below(4) {
            0 => "m",
            1 if self.family == Family::All => "qemu_in_coroutine()",
            2 => "b",
            _ => "chance(5)",
        };
        self.line(&format!("AT; switch ({value}) {{"));
        let labels: &[&str] = if value == "m" { &MODES } else { &["0", "1", "4"] };
        for label in &labels[..self.numbers.between(1, 3)] {
            self.line(&format!("case {label}:"));
            self.loop_block();
            if self.numbers.percent(60) {
                self.line("AT; break;");
            }
        }
        if self.numbers.percent(50) {
            self.line("default:");
            self.loop_block();
        }
        // A label stands before a statement.
        self.line("AT;\n}");
    }

    fn lock_statement(&mut self) {
        let number = self.numbers.below(2);
        let (lock, was_locked) = (self.locks[number].clone(), self.locked[number]);
        if was_locked {
            // Now and then too early, and then once more.
            self.line(&format!("AT; qemu_mutex_unlock(&{lock});\nAT; co_leaf();"));
            if self.numbers.percent(50) {
                self.line(&format!("AT; qemu_mutex_lock(&{lock});"));
            }
            return;
        }
        self.line(&format!("AT; qemu_mutex_lock(&{lock});"));
        self.locked[number] = true;
        self.depth += 1;
        for _ in 0..self.numbers.between(1, 2) {
            self.statement();
        }
        self.depth -= 1;
        self.locked[number] = false;
        if self.numbers.percent(30) {
            let condition = self.condition(0);
            self.line(&format!("AT; if ({condition}) {{ qemu_mutex_unlock(&{lock}); return -2; }}"));
        }
        self.line(&format!("AT; qemu_mutex_unlock(&{lock});"));
    }

    fn jump(&mut self) {
        let label = self.numbers.below(self.labels);
        match self.numbers.below(4) {
            0 => self.line(&format!("AT; JUMP(l{label});")),
            1 if self.labels == 2 => self.line("AT; { void *to_ = chance(2) ? &&l0 : &&l1; goto *to_; }"),
            _ => {
                let condition = self.condition(1);
                self.line(&format!("AT; if ({condition} && chance(3)) goto l{label};"));
            }
        }
    }
}
