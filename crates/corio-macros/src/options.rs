//! What stands in the parentheses of an attribute: `name = "value"`, with commas between.

use crate::error::Error;
use crate::expand::Attribute;
use crate::function::is_punct;
use proc_macro::{Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree, token_stream};

/// What the attribute was told.
pub(crate) struct Options {
    /// The path of the facade.
    pub(crate) facade: TokenStream,
    /// Whether time jumps instead of passing.
    pub(crate) virtual_clock: bool,
}

impl Options {
    pub(crate) fn parse(attribute: Attribute, tokens: TokenStream) -> Result<Self, Error> {
        let mut facade = None;
        let mut virtual_clock = None;
        let mut tokens = tokens.into_iter();
        while let Some((name, value)) = next_option(attribute, &mut tokens)? {
            let given_before = match name.to_string().as_str() {
                "crate" => facade.replace(path(&value)?).is_some(),
                "clock" if attribute == Attribute::Test => {
                    virtual_clock.replace(clock(&value)?).is_some()
                }
                _ => return Err(unknown(attribute, &name)),
            };
            if given_before {
                return Err(Error::new(name.span(), format!("`{name}` is given twice")));
            }
        }
        Ok(Options {
            facade: facade.unwrap_or_else(default_facade),
            virtual_clock: virtual_clock.unwrap_or(false),
        })
    }
}

/// Reads `name = "value"` and the comma behind it, or finds the end.
fn next_option(
    attribute: Attribute,
    tokens: &mut token_stream::IntoIter,
) -> Result<Option<(Ident, Literal)>, Error> {
    let malformed = |span| {
        Error::new(
            span,
            format!("expected `option = \"value\"`; {}", known(attribute)),
        )
    };
    let name = match tokens.next() {
        None => return Ok(None),
        Some(TokenTree::Ident(name)) => name,
        Some(other) => return Err(malformed(other.span())),
    };
    if !KNOWN.contains(&name.to_string().as_str()) {
        return Err(unknown(attribute, &name));
    }
    match tokens.next() {
        Some(token) if is_punct(&token, '=') => {}
        other => return Err(malformed(other.map_or(name.span(), |token| token.span()))),
    }
    let value = match tokens.next() {
        Some(TokenTree::Literal(value)) => value,
        other => return Err(malformed(other.map_or(name.span(), |token| token.span()))),
    };
    match tokens.next() {
        None => {}
        Some(token) if is_punct(&token, ',') => {}
        Some(other) => return Err(Error::new(other.span(), "expected `,` between options")),
    }
    Ok(Some((name, value)))
}

/// The options of either attribute.
const KNOWN: [&str; 2] = ["crate", "clock"];

fn known(attribute: Attribute) -> String {
    let options = match attribute {
        Attribute::Main => "`crate = \"path\"`",
        Attribute::Test => "`crate = \"path\"` and `clock = \"virtual\"`",
    };
    format!("{} knows {options}", attribute.name())
}

fn unknown(attribute: Attribute, name: &Ident) -> Error {
    let what = match name.to_string().as_str() {
        "clock" => "`clock` is an option of #[corio::test]".to_owned(),
        other => format!("unknown option `{other}`"),
    };
    Error::new(name.span(), format!("{what}; {}", known(attribute)))
}

/// The path in quotes, its tokens at the place of the string.
fn path(value: &Literal) -> Result<TokenStream, Error> {
    let wrong = || {
        Error::new(
            value.span(),
            "`crate` takes a path in quotes, as in `crate = \"my::corio\"`",
        )
    };
    let text = unquoted(value).ok_or_else(wrong)?;
    let words = text.strip_prefix("::").unwrap_or(&text).split("::");
    if !words.clone().all(is_identifier) {
        return Err(wrong());
    }
    let tokens: TokenStream = text.parse().map_err(|_| wrong())?;
    let span = Span::call_site().located_at(value.span());
    let at_the_string = tokens.into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    Ok(at_the_string.collect())
}

fn is_identifier(word: &str) -> bool {
    let word = word.strip_prefix("r#").unwrap_or(word);
    let starts_well = word
        .chars()
        .next()
        .is_some_and(|first| first == '_' || first.is_alphabetic());
    starts_well
        && word
            .chars()
            .all(|character| character == '_' || character.is_alphanumeric())
}

fn clock(value: &Literal) -> Result<bool, Error> {
    match unquoted(value).as_deref() {
        Some("virtual") => Ok(true),
        _ => Err(Error::new(
            value.span(),
            "`clock` is `\"virtual\"` or not given",
        )),
    }
}

/// The text of a plain or raw string; no option's value has an escape in it.
fn unquoted(value: &Literal) -> Option<String> {
    let text = value.to_string();
    let text = match text.strip_prefix('r') {
        Some(raw) => raw.trim_matches('#'),
        None => &text,
    };
    Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

/// `::corio`.
fn default_facade() -> TokenStream {
    TokenStream::from_iter([
        TokenTree::from(Punct::new(':', Spacing::Joint)),
        Punct::new(':', Spacing::Alone).into(),
        Ident::new("corio", Span::call_site()).into(),
    ])
}
