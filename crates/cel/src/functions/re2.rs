//! From the regular expressions that the API server reads (Go's, which are RE2's) to those of the `regex` crate.
//! <https://github.com/google/re2/wiki/Syntax>
//!
//! The crate reads more and reads some things otherwise: counted repetitions of any count, operations on sets in classes,
//! verbose mode, Unicode classes for `\d`. What Go refuses is refused here, and what it reads otherwise is written anew.

use std::iter::Peekable;
use std::str::Chars;

/// The most that `{n}` may count, also in repetitions of repetitions.
const MOST_REPEATS: u32 = 1000;

/// A pattern for the `regex` crate.
///
/// # Errors
/// Go refuses the pattern: why.
pub fn translate(pattern: &str) -> Result<String, String> {
    let mut reader = Re2Reader {
        rest: pattern.chars().peekable(),
        out: String::new(),
        follows: Follows::Nothing,
        counts: vec![1],
        last: 1,
    };
    while let Some(c) = reader.rest.next() {
        reader.one(c)?;
    }
    Ok(reader.out)
}

/// What a repetition would repeat.
#[derive(Clone, Copy, PartialEq)]
enum Follows {
    Nothing,
    Item,
    Repetition,
}

struct Re2Reader<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
    follows: Follows,
    /// How often each group that is open repeats what is in it, at most.
    counts: Vec<u32>,
    /// How often the last item repeats what is in it.
    last: u32,
}

impl Re2Reader<'_> {
    fn one(&mut self, c: char) -> Result<(), String> {
        match c {
            '\\' => return self.escape(),
            '[' => {
                self.class()?;
                self.item(1);
            }
            '(' => return self.group(),
            ')' => {
                self.out.push(')');
                let inner = if self.counts.len() > 1 {
                    self.counts.pop()
                } else {
                    None
                };
                self.item(inner.unwrap_or(1));
            }
            '|' => {
                self.out.push('|');
                self.follows = Follows::Nothing;
            }
            '*' | '+' | '?' => {
                self.repetition(&c.to_string(), 1)?;
            }
            '{' => match counted(self.rest.clone()) {
                Some((text, most)) => {
                    for _ in 1..text.len() {
                        self.rest.next();
                    }
                    self.repetition(&text, most?)?;
                }
                None => {
                    self.out.push_str("\\{");
                    self.item(1);
                }
            },
            '}' | ']' => {
                self.out.push('\\');
                self.out.push(c);
                self.item(1);
            }
            c => {
                self.out.push(c);
                self.item(1);
            }
        }
        Ok(())
    }

    fn item(&mut self, counts: u32) {
        self.follows = Follows::Item;
        self.last = counts;
        if let Some(open) = self.counts.last_mut() {
            *open = (*open).max(counts);
        }
    }

    fn repetition(&mut self, operator: &str, count: u32) -> Result<(), String> {
        match self.follows {
            Follows::Nothing => {
                return Err(format!("`{operator}` has nothing to repeat"));
            }
            Follows::Repetition => {
                return Err(format!("`{operator}` repeats a repetition"));
            }
            Follows::Item => {}
        }
        let total = self.last.saturating_mul(count.max(1));
        if total > MOST_REPEATS {
            return Err(format!(
                "`{operator}` repeats more than {MOST_REPEATS} times"
            ));
        }
        self.out.push_str(operator);
        if self.rest.peek() == Some(&'?') {
            self.rest.next();
            self.out.push('?');
        }
        self.item(total);
        self.follows = Follows::Repetition;
        Ok(())
    }

    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        self.follows = Follows::Nothing;
        if self.rest.peek() != Some(&'?') {
            self.counts.push(1);
            return Ok(());
        }
        self.rest.next();
        self.out.push('?');
        let mut head = String::new();
        for c in self.rest.by_ref() {
            head.push(c);
            if matches!(c, ':' | ')' | '>') || c == '<' && head != "<" && head != "P<" {
                break;
            }
        }
        let is_name = head.strip_prefix("P<").or_else(|| head.strip_prefix('<'));
        if let Some(name) = is_name {
            let bare = name.strip_suffix('>').unwrap_or_default();
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if bare.is_empty() || !bare.chars().all(is_word) {
                return Err(format!("`(?{head}` is not a named group"));
            }
            self.out.push_str("P<");
            // The crate wants a letter first.
            self.out.push('_');
            self.out.push_str(name);
            self.counts.push(1);
            return Ok(());
        }
        let flags = head.trim_end_matches([':', ')']);
        let is_flag = |c: char| "imsU-".contains(c);
        if !flags.chars().all(is_flag) || flags.matches('-').count() > 1 || flags.ends_with('-') {
            return Err(format!("`(?{head}` is not a group"));
        }
        if head.ends_with(':') {
            self.counts.push(1);
        } else if !head.ends_with(')') || flags.is_empty() {
            return Err(format!("`(?{head}` is not a group"));
        }
        self.out.push_str(&head);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(c) = self.rest.next() else {
            return Err("nothing follows the last `\\`".to_owned());
        };
        match c {
            'A' | 'z' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'b' | 'B' => self
                .out
                .push_str(if c == 'b' { "(?-u:\\b)" } else { "(?-u:\\B)" }),
            'Q' => {
                let mut quoted = String::new();
                while let Some(c) = self.rest.next() {
                    if c == '\\' && self.rest.peek() == Some(&'E') {
                        self.rest.next();
                        break;
                    }
                    quoted.push(c);
                }
                if quoted.is_empty() {
                    return Ok(());
                }
                self.out.push_str(&regex::escape(&quoted));
            }
            'd' | 's' | 'w' | 'D' | 'S' | 'W' => {
                let (negated, ranges) = perl(c);
                self.out.push_str(if negated { "[^" } else { "[" });
                self.out.push_str(ranges);
                self.out.push(']');
            }
            'p' | 'P' => {
                let class = unicode(c, &mut self.rest)?;
                self.out.push_str(&class);
            }
            c => {
                let literal = escaped(c, &mut self.rest)?;
                self.out.push_str(&regex::escape(&literal.to_string()));
            }
        }
        self.item(1);
        Ok(())
    }

    /// A class, each of its ranges written anew.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.rest.peek() == Some(&'^') {
            self.rest.next();
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(c) = self.rest.next() else {
                return Err("a `[` is not closed".to_owned());
            };
            if c == ']' && !first {
                break;
            }
            first = false;
            if c == '[' && self.rest.peek() == Some(&':') && self.posix()? {
                continue;
            }
            if c == '\\' {
                match self.rest.peek().copied() {
                    Some(perl_class @ ('d' | 's' | 'w' | 'D' | 'S' | 'W')) => {
                        self.rest.next();
                        let (negated, ranges) = perl(perl_class);
                        let class = if negated {
                            format!("[^{ranges}]")
                        } else {
                            ranges.to_owned()
                        };
                        self.out.push_str(&class);
                        continue;
                    }
                    Some(kind @ ('p' | 'P')) => {
                        self.rest.next();
                        let class = unicode(kind, &mut self.rest)?;
                        self.out.push_str(&class);
                        continue;
                    }
                    _ => {}
                }
            }
            self.range(c)?;
        }
        self.out.push(']');
        Ok(())
    }

    /// `a` or `a-z`.
    fn range(&mut self, first: char) -> Result<(), String> {
        let low = self.class_char(first)?;
        let mut ahead = self.rest.clone();
        let mut high = low;
        if ahead.next() == Some('-') && ahead.peek().is_some_and(|c| *c != ']') {
            self.rest.next();
            let next = self.rest.next().unwrap_or_default();
            high = self.class_char(next)?;
            if high < low {
                return Err(format!("`{low}-{high}` is not a range"));
            }
        }
        self.out.push_str(&format!("\\x{{{:X}}}", u32::from(low)));
        if high != low {
            self.out.push_str(&format!("-\\x{{{:X}}}", u32::from(high)));
        }
        Ok(())
    }

    fn class_char(&mut self, c: char) -> Result<char, String> {
        if c != '\\' {
            return Ok(c);
        }
        match self.rest.next() {
            Some(c) => escaped(c, &mut self.rest),
            None => Err("a `[` is not closed".to_owned()),
        }
    }

    /// `[:alpha:]`, its `[` read; whether it was one.
    fn posix(&mut self) -> Result<bool, String> {
        let ahead: String = self.rest.clone().collect();
        let Some(end) = ahead.find(":]") else {
            return Ok(false);
        };
        let name = &ahead[1..end.max(1)];
        const KNOWN: &[&str] = &[
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print",
            "punct", "space", "upper", "word", "xdigit",
        ];
        if !KNOWN.contains(&name.trim_start_matches('^')) || name.starts_with("^^") {
            return Err(format!("`[:{name}:]` is not a class"));
        }
        self.out.push_str(&format!("[:{name}:]"));
        for _ in ahead[..end + 2].chars() {
            self.rest.next();
        }
        Ok(true)
    }
}

/// A repetition such as `{2,5}`, its `{` read, and how often it repeats at most; nothing if it is only a brace.
fn counted(rest: Peekable<Chars<'_>>) -> Option<(String, Result<u32, String>)> {
    let mut text = String::from("{");
    for c in rest {
        text.push(c);
        if c == '}' {
            break;
        }
        if !c.is_ascii_digit() && c != ',' {
            return None;
        }
    }
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let (least, most) = match inner.split_once(',') {
        Some((least, most)) => (least, most),
        None => (inner, inner),
    };
    if least.is_empty() || most.contains(',') {
        return None;
    }
    // Go reads no number with a leading zero as one.
    let is_number = |digits: &str| !(digits.len() > 1 && digits.starts_with('0'));
    if !is_number(least) || !is_number(most) {
        return None;
    }
    let number = |digits: &str| digits.parse::<u32>().unwrap_or(u32::MAX);
    let (low, high) = (
        number(least),
        if most.is_empty() {
            None
        } else {
            Some(number(most))
        },
    );
    let bad = || Err(format!("`{text}` is not a repetition"));
    let count = match high {
        _ if low > MOST_REPEATS => bad(),
        Some(high) if high > MOST_REPEATS || high < low => bad(),
        Some(high) => Ok(high),
        None => Ok(low),
    };
    Some((text, count))
}

/// The ranges of `\d` and its like, of ASCII only; whether they are excluded.
fn perl(c: char) -> (bool, &'static str) {
    let ranges = match c.to_ascii_lowercase() {
        'd' => "0-9",
        's' => "\\t\\n\\x0C\\r\\x20",
        _ => "0-9A-Za-z_",
    };
    (c.is_ascii_uppercase(), ranges)
}

/// `\pL`, `\p{Greek}`, `\p{^Greek}`, their `\p` read.
fn unicode(kind: char, rest: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let mut name = String::new();
    match rest.next() {
        Some('{') => loop {
            match rest.next() {
                Some('}') => break,
                Some(c) => name.push(c),
                None => return Err("a `\\p{` is not closed".to_owned()),
            }
        },
        Some(c) => name.push(c),
        None => return Err("nothing follows `\\p`".to_owned()),
    }
    let negated = name.starts_with('^') != (kind == 'P');
    let bare = name.trim_start_matches('^');
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if bare.is_empty()
        || !bare.chars().all(is_name)
        || !bare.starts_with(|c: char| c.is_ascii_uppercase())
    {
        return Err(format!("`\\p{{{name}}}` is not a class"));
    }
    if bare == "Any" {
        return Ok(if negated {
            "[^\\x{0}-\\x{10FFFF}]"
        } else {
            "[\\x{0}-\\x{10FFFF}]"
        }
        .to_owned());
    }
    Ok(format!("\\{}{{{bare}}}", if negated { 'P' } else { 'p' }))
}

/// The character that an escape stands for, its `\` and `c` read.
fn escaped(c: char, rest: &mut Peekable<Chars<'_>>) -> Result<char, String> {
    let refuse = || Err(format!("`\\{c}` is not an escape"));
    let code = match c {
        'a' => 7,
        'f' => 12,
        't' => 9,
        'n' => 10,
        'r' => 13,
        'v' => 11,
        '0'..='7' => {
            let is_octal = |rest: &mut Peekable<Chars<'_>>| {
                rest.peek().is_some_and(|c| ('0'..='7').contains(c))
            };
            if c != '0' && !is_octal(rest) {
                return refuse();
            }
            let mut code = c.to_digit(8).unwrap_or(0);
            for _ in 0..2 {
                if is_octal(rest) {
                    code = code * 8 + rest.next().and_then(|c| c.to_digit(8)).unwrap_or(0);
                }
            }
            code
        }
        'x' => {
            let mut digits = String::new();
            if rest.peek() == Some(&'{') {
                rest.next();
                loop {
                    match rest.next() {
                        Some('}') => break,
                        Some(c) => digits.push(c),
                        None => return refuse(),
                    }
                }
            } else {
                digits.extend(rest.by_ref().take(2));
                if digits.chars().count() < 2 {
                    return refuse();
                }
            }
            let is_hexadecimal =
                !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
            match u32::from_str_radix(&digits, 16) {
                Ok(code) if is_hexadecimal => code,
                _ => return refuse(),
            }
        }
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => return Ok(c),
        _ => return refuse(),
    };
    char::from_u32(code).map_or_else(refuse, Ok)
}
