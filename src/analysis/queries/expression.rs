//! Path expressions, in vrc's language: a regular expression over sets of functions and slots. It matches paths from a
//! caller to its callees.
//!
//! ```text
//! alternatives  = sequence { "|" sequence }
//! sequence      = item { item }                      one calls the next
//! item          = "..." | atom [ "*" ]               "..." is any path, also none
//! atom          = node | "(" alternatives ")"
//! node          = [ "!" ] primary { operator }
//! primary       = NAME | '"' text '"' | "/" regex "/" | "[" set "]"
//! operator      = ":callers" | ":callees" | ":all_callers" | ":all_callees"
//! set           = both { "|" both };  both = member { "," member }     a comma is "and"
//! member        = node, where a bare word is a label; or nothing, which is everything
//! ```

use regex::Regex;

use super::QueryError;

/// A set of functions and slots.
#[derive(Clone, Debug)]
pub enum Set {
    /// Everything.
    All,
    /// The vertices with this name.
    Name(String),
    /// The vertices with a name that the expression matches.
    Matching(Regex),
    /// The vertices with this label.
    Label(String),
    /// Everything but the members of the set.
    Not(Box<Set>),
    /// The intersection of these sets.
    And(Vec<Set>),
    /// The union of these sets.
    Or(Vec<Set>),
    /// The neighbours of the members of a set.
    Near(Box<Set>, Neighbours),
}

/// A relation to the members of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbours {
    /// Callers, instead of callees.
    pub callers: bool,
    /// Also callers of callers, and so on.
    pub all: bool,
}

/// A regular expression over sets.
#[derive(Clone, Debug)]
pub enum Expression {
    /// One function or slot.
    One(Set),
    /// Any number of times, or not at all.
    Star(Box<Expression>),
    /// These in sequence.
    Sequence(Vec<Expression>),
    /// One of these.
    Either(Vec<Expression>),
}

/// How deeply an expression may be nested.
const MAX_NESTING: usize = 100;

/// Parses an expression.
///
/// # Errors
///
/// The syntax is wrong.
pub fn parse(expression: &str) -> Result<Expression, QueryError> {
    let mut parser = Parser { expression, text: expression.chars().collect(), at: 0, depth: 0 };
    let path = parser.alternatives()?;
    parser.skip_blanks();
    match parser.peek() {
        None => Ok(path),
        Some(_) => Err(parser.error("unexpected text")),
    }
}

struct Parser<'t> {
    expression: &'t str,
    text: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn alternatives(&mut self) -> Result<Expression, QueryError> {
        self.deeper()?;
        let mut paths = vec![self.sequence()?];
        while self.takes('|') {
            paths.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(if paths.len() == 1 { paths.remove(0) } else { Expression::Either(paths) })
    }

    fn sequence(&mut self) -> Result<Expression, QueryError> {
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some('|' | ')') if !items.is_empty() => break,
                None | Some('|' | ')') => return Err(self.error("expected a function")),
                _ => items.push(self.item()?),
            }
        }
        Ok(if items.len() == 1 { items.remove(0) } else { Expression::Sequence(items) })
    }

    fn item(&mut self) -> Result<Expression, QueryError> {
        if self.takes_word("...") {
            return Ok(Expression::Star(Box::new(Expression::One(Set::All))));
        }
        let atom = if self.takes('(') {
            let path = self.alternatives()?;
            self.needs(')')?;
            path
        } else {
            Expression::One(self.node(false)?)
        };
        Ok(if self.takes('*') { Expression::Star(Box::new(atom)) } else { atom })
    }

    /// One node. `inside` brackets, a bare word is a label, and an empty node matches everything.
    fn node(&mut self, inside: bool) -> Result<Set, QueryError> {
        let not = self.takes('!');
        let mut set = match self.peek_solid() {
            Some('"') => Set::Name(self.quoted('"')?),
            Some('/') => {
                let at = self.at;
                let pattern = self.quoted('/')?;
                Set::Matching(Regex::new(&pattern).map_err(|error| {
                    let why = error.to_string();
                    let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                    self.error_at(at, &format!("invalid regular expression: {why}"))
                })?)
            }
            Some('[') => {
                self.at += 1;
                let set = self.set()?;
                self.needs(']')?;
                set
            }
            Some(letter) if is_word(letter) => match inside {
                true => Set::Label(self.words()),
                false => Set::Name(self.word()),
            },
            _ if inside => Set::And(Vec::new()),
            _ => return Err(self.error("a name, \"a name\", /a regular expression/ or [a label] is missing here")),
        };
        while let Some(relation) = self.operator()? {
            set = Set::Near(Box::new(set), relation);
        }
        Ok(if not { Set::Not(Box::new(set)) } else { set })
    }

    fn set(&mut self) -> Result<Set, QueryError> {
        self.deeper()?;
        let mut either = Vec::new();
        loop {
            let mut both = vec![self.node(true)?];
            while self.takes(',') {
                both.push(self.node(true)?);
            }
            either.push(Set::And(both));
            if !self.takes('|') {
                break;
            }
        }
        self.depth -= 1;
        Ok(Set::Or(either))
    }

    fn operator(&mut self) -> Result<Option<Neighbours>, QueryError> {
        const OPERATORS: [(&str, Neighbours); 4] = [
            (":all_callers", Neighbours { callers: true, all: true }),
            (":all_callees", Neighbours { callers: false, all: true }),
            (":callers", Neighbours { callers: true, all: false }),
            (":callees", Neighbours { callers: false, all: false }),
        ];
        if self.peek_solid() != Some(':') {
            return Ok(None);
        }
        for (word, relation) in OPERATORS {
            if self.takes_word(word) {
                return Ok(Some(relation));
            }
        }
        Err(self.error("expected :callers, :callees, :all_callers or :all_callees"))
    }

    fn quoted(&mut self, quote: char) -> Result<String, QueryError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(self.error_at(start, &format!("no closing {quote}"))),
                Some('\\') if self.text.get(self.at + 1) == Some(&quote) => {
                    text.push(quote);
                    self.at += 2;
                }
                Some(letter) if letter == quote => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(letter) => {
                    text.push(letter);
                    self.at += 1;
                }
            }
        }
    }

    /// A word. It can contain `::`, and `-` or a single `.` before a letter.
    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(letter) = self.peek() {
            let next = |ahead: usize| self.text.get(self.at + ahead).copied();
            if is_word(letter) || (letter == '-' || letter == '.') && next(1).is_some_and(is_word) {
                word.push(letter);
                self.at += 1;
            } else if letter == ':' && next(1) == Some(':') && next(2).is_some_and(is_word) {
                word.push_str("::");
                self.at += 2;
            } else {
                break;
            }
        }
        word
    }

    /// Several words: what a pack calls an effect can be more than one.
    fn words(&mut self) -> String {
        let mut words = self.word();
        while self.peek_solid().is_some_and(is_word) {
            words.push(' ');
            words.push_str(&self.word());
        }
        words
    }

    fn deeper(&mut self) -> Result<(), QueryError> {
        self.depth += 1;
        if self.depth > MAX_NESTING { Err(self.error("nested too deeply")) } else { Ok(()) }
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn peek_solid(&mut self) -> Option<char> {
        self.skip_blanks();
        self.peek()
    }

    fn takes(&mut self, letter: char) -> bool {
        let takes = self.peek_solid() == Some(letter);
        self.at += usize::from(takes);
        takes
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let takes = self.text[self.at..].iter().copied().take(word.len()).eq(word.chars());
        if takes {
            self.at += word.len();
        }
        takes
    }

    fn needs(&mut self, letter: char) -> Result<(), QueryError> {
        if self.takes(letter) { Ok(()) } else { Err(self.error(&format!("expected `{letter}`"))) }
    }

    fn error(&self, problem: &str) -> QueryError {
        self.error_at(self.at, problem)
    }

    fn error_at(&self, at: usize, problem: &str) -> QueryError {
        QueryError::Expression { expression: self.expression.to_owned(), at, problem: problem.to_owned() }
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The automaton of an expression, in Glushkov's form: a state for each set that is written in it.
#[derive(Debug, Default)]
pub struct Automaton {
    /// The sets; states are their positions.
    pub sets: Vec<Set>,
    /// Where a path may begin.
    pub first: Vec<usize>,
    /// Where a path may end.
    pub last: Vec<usize>,
    /// For each state, those that may follow.
    pub follow: Vec<Vec<usize>>,
}

/// The states that a part of an expression can begin and end with, and whether it matches the empty path.
struct Fragment {
    empty: bool,
    first: Vec<usize>,
    last: Vec<usize>,
}

impl Automaton {
    /// Builds the automaton of an expression.
    pub fn new(path: Expression) -> Automaton {
        let mut automaton = Automaton::default();
        let fragment = automaton.fragment(path);
        automaton.first = fragment.first;
        automaton.last = fragment.last;
        for follow in &mut automaton.follow {
            follow.sort_unstable();
            follow.dedup();
        }
        automaton
    }

    fn fragment(&mut self, path: Expression) -> Fragment {
        match path {
            Expression::One(set) => {
                let state = self.sets.len();
                self.sets.push(set);
                self.follow.push(Vec::new());
                Fragment { empty: false, first: vec![state], last: vec![state] }
            }
            Expression::Star(inner) => {
                let fragment = self.fragment(*inner);
                self.join(&fragment.last, &fragment.first);
                Fragment { empty: true, ..fragment }
            }
            Expression::Either(paths) => {
                let mut whole = Fragment { empty: false, first: Vec::new(), last: Vec::new() };
                for path in paths {
                    let fragment = self.fragment(path);
                    whole.empty |= fragment.empty;
                    whole.first.extend(fragment.first);
                    whole.last.extend(fragment.last);
                }
                whole
            }
            Expression::Sequence(paths) => {
                let mut whole = Fragment { empty: true, first: Vec::new(), last: Vec::new() };
                for path in paths {
                    let fragment = self.fragment(path);
                    self.join(&whole.last, &fragment.first);
                    if whole.empty {
                        whole.first.extend(&fragment.first);
                    }
                    if !fragment.empty {
                        whole.last.clear();
                    }
                    whole.last.extend(fragment.last);
                    whole.empty &= fragment.empty;
                }
                whole
            }
        }
    }

    fn join(&mut self, from: &[usize], to: &[usize]) {
        for state in from {
            self.follow[*state].extend(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether the automaton accepts a word whose letters are the names of sets.
    fn accepts(expression: &str, word: &[&str]) -> bool {
        let automaton = Automaton::new(parse(expression).unwrap());
        let is = |state: &usize, letter: &str| match &automaton.sets[*state] {
            Set::Name(name) => name == letter,
            Set::All => true,
            other => panic!("{other:?}"),
        };
        let Some((start, rest)) = word.split_first() else { return false };
        let mut states: Vec<usize> = automaton.first.iter().copied().filter(|state| is(state, start)).collect();
        for letter in rest {
            states = states.iter().flat_map(|state| automaton.follow[*state].clone()).collect();
            states.retain(|state| is(state, letter));
        }
        states.iter().any(|state| automaton.last.contains(state))
    }

    #[test]
    fn an_expression_accepts_its_paths_and_no_others() {
        assert!(accepts("a b", &["a", "b"]));
        assert!(!accepts("a b", &["a"]) && !accepts("a b", &["b", "a"]) && !accepts("a b", &["a", "b", "b"]));
        assert!(accepts("a ... b", &["a", "b"]) && accepts("a...b", &["a", "x", "y", "b"]));
        assert!(!accepts("a ... b", &["a", "x"]));
        assert!(accepts("a b* c", &["a", "c"]) && accepts("a b* c", &["a", "b", "b", "c"]));
        assert!(!accepts("a b* c", &["a", "x", "c"]));
        assert!(accepts("a (b c)* d", &["a", "b", "c", "b", "c", "d"]) && !accepts("a (b c)* d", &["a", "b", "d"]));
        assert!(accepts("(a | b) c", &["b", "c"]) && accepts("a | b c", &["a"]) && !accepts("a | b c", &["c"]));
        assert!(accepts("a* b*", &["a"]) && accepts("a* b*", &["b", "b"]) && !accepts("a* b*", &["b", "a"]));
    }

    #[test]
    fn names_may_hold_what_slots_are_called() {
        assert!(accepts("S::f a.b \"parameter 1 of f\"", &["S::f", "a.b", "parameter 1 of f"]));
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        let error = |expression: &str| match parse(expression).unwrap_err() {
            QueryError::Expression { at, .. } => at,
            other => panic!("{other}"),
        };
        assert_eq!(error(""), 0);
        assert_eq!(error("a |"), 3);
        assert_eq!(error("a (b"), 4);
        assert_eq!(error("a [b"), 4);
        assert_eq!(error("a \"b"), 2);
        assert_eq!(error("a /(/"), 2);
        assert_eq!(error("a :calers"), 2);
        assert_eq!(error("a ) b"), 2);
        assert_eq!(error(&"(".repeat(100_000)), 100);
        let shown = parse("a |").unwrap_err().to_string();
        assert!(shown.starts_with("a |\n   ^ "), "{shown}");
    }

    proptest! {
        #[test]
        fn nothing_makes_the_parser_panic(text in r#"[a-c:."/\[\]()!|,* \\é]{0,40}"#) {
            if let Ok(path) = parse(&text) {
                let automaton = Automaton::new(path);
                prop_assert_eq!(automaton.sets.len(), automaton.follow.len());
            }
        }
    }
}
