//! The pieces of a function, as token trees.
//!
//! Only as much of the grammar is known here as tells the pieces apart; what is inside of them is for the compiler to judge.

use crate::error::Error;
use proc_macro::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};

/// A function with a body, in the order in which its pieces are written.
pub(crate) struct Function {
    /// One `#[..]` each, doc comments among them.
    pub(crate) attributes: Vec<OuterAttribute>,
    /// `pub`, `pub(..)` or nothing.
    pub(crate) visibility: Vec<TokenTree>,
    /// Any of `const`, `async`, `unsafe`, `extern "C"`.
    pub(crate) qualifiers: Vec<TokenTree>,
    /// The keyword `fn`.
    pub(crate) keyword: Ident,
    /// The function's name.
    pub(crate) name: Ident,
    /// `<..>` or nothing.
    pub(crate) generics: Vec<TokenTree>,
    /// `(..)`.
    pub(crate) arguments: Group,
    /// `-> ..` or nothing.
    pub(crate) output: Vec<TokenTree>,
    /// `where ..` or nothing.
    pub(crate) bounds: Vec<TokenTree>,
    /// `{ .. }`.
    pub(crate) body: Group,
}

/// One attribute in front of the function.
pub(crate) struct OuterAttribute {
    /// The `#` and the brackets.
    pub(crate) tokens: [TokenTree; 2],
    /// The last word of the attribute's path: `test` of `#[my::test(..)]`.
    pub(crate) name: Option<Ident>,
}

impl Function {
    /// Takes `item` apart; `attribute` is the name to use in the message if `item` is no function.
    pub(crate) fn parse(item: TokenStream, attribute: &str) -> Result<Self, Error> {
        let mut tokens = Cursor::new(item);
        let attributes = tokens.attributes();
        let start = tokens.peek().map_or_else(Span::call_site, TokenTree::span);
        let visibility = tokens.visibility();
        let qualifiers = tokens.qualifiers();
        let no_function = || Error::new(start, format!("{attribute} stands before an `async fn`"));

        let keyword = tokens
            .ident()
            .filter(|word| word.to_string() == "fn")
            .ok_or_else(no_function)?;
        let name = tokens.ident().ok_or_else(no_function)?;
        let generics = tokens.generics();
        let arguments = tokens
            .group(Delimiter::Parenthesis)
            .ok_or_else(no_function)?;
        let no_body = || {
            Error::new(
                name.span(),
                format!("{attribute} needs a function with a body"),
            )
        };
        let body = tokens.body().ok_or_else(no_body)?;
        let (output, bounds) = tokens.output_and_bounds();
        Ok(Function {
            attributes,
            visibility,
            qualifiers,
            keyword,
            name,
            generics,
            arguments,
            output,
            bounds,
            body,
        })
    }

    /// The qualifier of that name, if the function has it.
    pub(crate) fn qualifier(&self, name: &str) -> Option<&TokenTree> {
        self.qualifiers.iter().find(|token| is_word(token, name))
    }

    /// Whether the first argument is some form of `self`.
    pub(crate) fn has_receiver(&self) -> bool {
        let before_comma = |token: &TokenTree| !is_punct(token, ',');
        self.arguments
            .stream()
            .into_iter()
            .take_while(before_comma)
            .any(|token| is_word(&token, "self"))
    }

    /// The function as it was written, without attributes and visibility.
    pub(crate) fn bare(&self) -> TokenStream {
        let mut tokens = TokenStream::new();
        tokens.extend(self.qualifiers.iter().cloned());
        tokens.extend([
            TokenTree::from(self.keyword.clone()),
            self.name.clone().into(),
        ]);
        tokens.extend(self.generics.iter().cloned());
        tokens.extend([TokenTree::from(self.arguments.clone())]);
        tokens.extend(self.output.iter().chain(&self.bounds).cloned());
        tokens.extend([TokenTree::from(self.body.clone())]);
        tokens
    }
}

/// Whether `token` is the identifier or keyword `word`.
pub(crate) fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident.to_string() == word)
}

/// Whether `token` is the punctuation `character`.
pub(crate) fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// The tokens not yet read, the next one last.
///
/// Invisible groups, which `macro_rules` leaves around a `$vis` or a `$body`, are opened on the way.
struct Cursor {
    reversed: Vec<TokenTree>,
}

impl Cursor {
    fn new(tokens: TokenStream) -> Self {
        let mut reversed: Vec<_> = tokens.into_iter().collect();
        reversed.reverse();
        Cursor { reversed }.opened()
    }

    fn opened(mut self) -> Self {
        self.open();
        self
    }

    /// Makes sure that the next token is not an invisible group.
    fn open(&mut self) {
        while let Some(TokenTree::Group(group)) = self.reversed.last() {
            if group.delimiter() != Delimiter::None {
                return;
            }
            let inner: Vec<_> = group.stream().into_iter().collect();
            self.reversed.pop();
            self.reversed.extend(inner.into_iter().rev());
        }
    }

    fn peek(&self) -> Option<&TokenTree> {
        self.reversed.last()
    }

    fn next(&mut self) -> Option<TokenTree> {
        let token = self.reversed.pop();
        self.open();
        token
    }

    fn next_if(&mut self, wanted: impl FnOnce(&TokenTree) -> bool) -> Option<TokenTree> {
        if wanted(self.peek()?) {
            self.next()
        } else {
            None
        }
    }

    fn ident(&mut self) -> Option<Ident> {
        match self.next_if(|token| matches!(token, TokenTree::Ident(_)))? {
            TokenTree::Ident(ident) => Some(ident),
            _ => None,
        }
    }

    fn group(&mut self, delimiter: Delimiter) -> Option<Group> {
        let wanted = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter);
        match self.next_if(wanted)? {
            TokenTree::Group(group) => Some(group),
            _ => None,
        }
    }

    fn attributes(&mut self) -> Vec<OuterAttribute> {
        let mut attributes = Vec::new();
        while let Some(hash) = self.next_if(|token| is_punct(token, '#')) {
            let Some(brackets) = self.group(Delimiter::Bracket) else {
                break;
            };
            let name = attribute_name(brackets.stream());
            attributes.push(OuterAttribute {
                tokens: [hash, brackets.into()],
                name,
            });
        }
        attributes
    }

    fn visibility(&mut self) -> Vec<TokenTree> {
        let mut visibility = Vec::new();
        if let Some(word) = self.next_if(|token| is_word(token, "pub")) {
            visibility.push(word);
            visibility.extend(self.group(Delimiter::Parenthesis).map(TokenTree::from));
        }
        visibility
    }

    fn qualifiers(&mut self) -> Vec<TokenTree> {
        let mut qualifiers = Vec::new();
        while let Some(word) = self.next_if(|token| {
            ["const", "async", "unsafe", "safe", "extern"]
                .iter()
                .any(|word| is_word(token, word))
        }) {
            let is_extern = is_word(&word, "extern");
            qualifiers.push(word);
            if is_extern {
                qualifiers.extend(self.next_if(|token| matches!(token, TokenTree::Literal(_))));
            }
        }
        qualifiers
    }

    /// From `<` to the `>` that closes it, or nothing. The `>` of an arrow closes nothing.
    fn generics(&mut self) -> Vec<TokenTree> {
        let mut generics = Vec::new();
        let mut depth = 0_usize;
        let mut after_minus = false;
        while let Some(token) = self.peek() {
            let is_arrow = after_minus && is_punct(token, '>');
            after_minus = matches!(token, TokenTree::Punct(p) if p.as_char() == '-' && p.spacing() == Spacing::Joint);
            if is_punct(token, '<') {
                depth += 1;
            } else if depth == 0 {
                break;
            } else if is_punct(token, '>') && !is_arrow {
                depth -= 1;
            }
            generics.extend(self.next());
            if depth == 0 {
                break;
            }
        }
        generics
    }

    /// Takes the braces off the end, also out of invisible groups.
    fn body(&mut self) -> Option<Group> {
        let TokenTree::Group(mut group) = self.reversed.first()?.clone() else {
            return None;
        };
        while group.delimiter() == Delimiter::None {
            let mut inner = group.stream().into_iter();
            match (inner.next(), inner.next()) {
                (Some(TokenTree::Group(only)), None) => group = only,
                _ => return None,
            }
        }
        if group.delimiter() != Delimiter::Brace {
            return None;
        }
        self.reversed.remove(0);
        Some(group)
    }

    /// Everything that is left, cut at `where`.
    fn output_and_bounds(mut self) -> (Vec<TokenTree>, Vec<TokenTree>) {
        self.reversed.reverse();
        let mut output = self.reversed;
        let cut = output
            .iter()
            .position(|token| is_word(token, "where"))
            .unwrap_or(output.len());
        let bounds = output.split_off(cut);
        (output, bounds)
    }
}

/// The last word of the path at the start of an attribute.
fn attribute_name(content: TokenStream) -> Option<Ident> {
    let mut tokens = Cursor::new(content);
    let mut name = None;
    loop {
        while tokens.next_if(|token| is_punct(token, ':')).is_some() {}
        match tokens.ident() {
            Some(word) => name = Some(word),
            None => return name,
        }
        if !tokens.peek().is_some_and(|token| is_punct(token, ':')) {
            return name;
        }
    }
}
