//! Telling code from comments and strings, so that a rule about code is not set off by a word in a text.

/// A Rust file, line by line, with parts blanked out. Columns are not kept.
#[derive(Default)]
pub(super) struct Code {
    /// The lines without comments and without what is inside of string and character literals.
    pub(super) bare: Vec<String>,
    /// The comments of each line, `//` and all.
    pub(super) comments: Vec<String>,
}

/// What the scanner is inside of.
#[derive(Clone, Copy)]
enum Inside {
    Code,
    LineComment,
    /// Block comments nest; the number says how deep.
    BlockComment(usize),
    String,
    /// A raw string ends with a quote and this many `#`.
    RawString(usize),
}

impl Code {
    /// Scans the whole text once.
    pub(super) fn of(text: &str) -> Self {
        let mut code = Code::default();
        let mut inside = Inside::Code;
        for line in text.lines() {
            let mut scanner = Line {
                rest: line,
                bare: String::new(),
                comments: String::new(),
                last: ' ',
            };
            while !scanner.rest.is_empty() {
                inside = scanner.step(inside);
            }
            if let Inside::LineComment = inside {
                inside = Inside::Code;
            }
            code.bare.push(scanner.bare);
            code.comments.push(scanner.comments);
        }
        code
    }
}

/// The line being scanned.
struct Line<'a> {
    rest: &'a str,
    bare: String,
    comments: String,
    /// The character of code before `rest`, to tell the `r` of `r"..."` from the end of a name.
    last: char,
}

impl Line<'_> {
    /// Moves over at least one character, and says what is entered by it.
    fn step(&mut self, inside: Inside) -> Inside {
        match inside {
            Inside::Code => self.step_in_code(),
            Inside::LineComment => {
                self.comment(self.rest.len());
                Inside::LineComment
            }
            Inside::BlockComment(depth) => self.step_in_block_comment(depth),
            Inside::String => match self.rest.find(['"', '\\']) {
                Some(at) if self.rest.as_bytes()[at] == b'"' => {
                    self.skip(at);
                    self.code(1);
                    Inside::Code
                }
                Some(at) => {
                    self.skip(at + 1);
                    let escaped = self.rest.chars().next().map_or(0, char::len_utf8);
                    self.skip(escaped);
                    Inside::String
                }
                None => {
                    self.skip(self.rest.len());
                    Inside::String
                }
            },
            Inside::RawString(hashes) => {
                let end = format!("\"{}", "#".repeat(hashes));
                match self.rest.find(&end) {
                    Some(at) => {
                        self.skip(at);
                        self.code(end.len());
                        Inside::Code
                    }
                    None => {
                        self.skip(self.rest.len());
                        Inside::RawString(hashes)
                    }
                }
            }
        }
    }

    fn step_in_code(&mut self) -> Inside {
        if self.rest.starts_with("//") {
            return Inside::LineComment;
        }
        if self.rest.starts_with("/*") {
            self.comment(2);
            return Inside::BlockComment(1);
        }
        if let Some(hashes) = self.raw_string_start() {
            return Inside::RawString(hashes);
        }
        match self.rest.as_bytes()[0] {
            b'"' => {
                self.code(1);
                Inside::String
            }
            b'\'' => {
                let literal = char_literal(self.rest);
                self.bare.push_str("''");
                self.last = '\'';
                self.skip(literal.unwrap_or(1));
                Inside::Code
            }
            _ => {
                let width = self.rest.chars().next().map_or(1, char::len_utf8);
                self.code(width);
                Inside::Code
            }
        }
    }

    fn step_in_block_comment(&mut self, depth: usize) -> Inside {
        let (at, depth) = match (self.rest.find("/*"), self.rest.find("*/")) {
            (Some(open), Some(close)) if open < close => (open, depth + 1),
            (Some(open), None) => (open, depth + 1),
            (_, Some(close)) => (close, depth - 1),
            (None, None) => {
                self.comment(self.rest.len());
                return Inside::BlockComment(depth);
            }
        };
        self.comment(at + 2);
        if depth == 0 {
            Inside::Code
        } else {
            Inside::BlockComment(depth)
        }
    }

    /// Moves over `r#"` and its kin if they are next; says how many `#`.
    fn raw_string_start(&mut self) -> Option<usize> {
        if self.last.is_alphanumeric() || self.last == '_' {
            return None;
        }
        let behind = ["r", "br", "cr"]
            .iter()
            .find_map(|prefix| self.rest.strip_prefix(prefix))?;
        let hashes = behind.len() - behind.trim_start_matches('#').len();
        if !behind[hashes..].starts_with('"') {
            return None;
        }
        self.code(self.rest.len() - behind.len() + hashes + 1);
        Some(hashes)
    }

    fn code(&mut self, length: usize) {
        let (code, rest) = self.rest.split_at(length);
        self.last = code.chars().next_back().unwrap_or(self.last);
        self.bare.push_str(code);
        self.rest = rest;
    }

    fn comment(&mut self, length: usize) {
        let (comment, rest) = self.rest.split_at(length);
        self.comments.push_str(comment);
        self.rest = rest;
    }

    fn skip(&mut self, length: usize) {
        self.rest = &self.rest[length..];
    }
}

/// The length of the character literal at the start; `None` if the quote starts a lifetime.
fn char_literal(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if first == '\\' {
        characters.next()?;
        return characters.find(|(_, c)| *c == '\'').map(|(at, _)| at + 1);
    }
    characters
        .next()
        .filter(|(_, c)| *c == '\'')
        .map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, bare: &[&str], comments: &[&str]) {
        let code = Code::of(text);
        assert_eq!(code.bare, bare, "{text}");
        assert_eq!(code.comments, comments, "{text}");
    }

    #[test]
    fn comments_are_not_code() {
        check(
            "a // b \"c\n/// d\ne",
            &["a ", "", "e"],
            &["// b \"c", "/// d", ""],
        );
        check(
            "a /* b /* c */\nd */ e",
            &["a ", " e"],
            &["/* b /* c */", "d */"],
        );
    }

    #[test]
    fn strings_are_emptied() {
        check(r#"f("a // \" b", c)"#, &[r#"f("", c)"#], &[""]);
        check("f(\"a\n b\") // c", &["f(\"", "\") "], &["", "// c"]);
        check(
            r##"f(r#"a " // b"#, br"\", var"x")"##,
            &[r##"f(r#""#, br"", var"")"##],
            &[""],
        );
    }

    #[test]
    fn quotes_of_characters_and_lifetimes_differ() {
        check(
            r"f::<'a>('\'', '\u{1F600}', '/', 'x'); // b",
            &["f::<''a>('', '', '', ''); "],
            &["// b"],
        );
        check("'\"' // b", &["'' "], &["// b"]);
        check("b'\\\\' r#type 'static", &["b'' r#type ''static"], &[""]);
    }
}
