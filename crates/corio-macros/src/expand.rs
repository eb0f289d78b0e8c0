//! The rules, and the function that is written in place of the annotated one.

use crate::error::Error;
use crate::function::Function;
use crate::options::Options;
use proc_macro::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// Which of the two attributes is at work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribute {
    /// `#[corio::main]`
    Main,
    /// `#[corio::test]`
    Test,
}

impl Attribute {
    /// The attribute as users write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Attribute::Main => "#[corio::main]",
            Attribute::Test => "#[corio::test]",
        }
    }
}

/// Rewrites `item`, or says what is wrong with it.
pub(crate) fn expand(attribute: Attribute, options: TokenStream, item: TokenStream) -> TokenStream {
    let function = match Function::parse(item.clone(), attribute.name()) {
        Ok(function) => function,
        Err(error) => return TokenStream::from_iter([error.into_tokens(), item]),
    };
    match check(attribute, &function).and_then(|()| Options::parse(attribute, options)) {
        Ok(options) => entering_the_loop(attribute, &options, &function),
        Err(error) => with_error(error, &function),
    }
}

/// What the attribute asks of the function.
fn check(attribute: Attribute, function: &Function) -> Result<(), Error> {
    let name = attribute.name();
    if attribute == Attribute::Test {
        let other_test = |word: &&Ident| word.to_string() == "test";
        if let Some(word) = function
            .attributes
            .iter()
            .filter_map(|it| it.name.as_ref())
            .find(other_test)
        {
            return Err(Error::new(
                word.span(),
                format!("{name} already makes this a test: remove the other attribute"),
            ));
        }
    }
    for qualifier in ["const", "unsafe", "extern"] {
        if let Some(token) = function.qualifier(qualifier) {
            return Err(Error::new(
                token.span(),
                format!("a function under {name} cannot be `{qualifier}`"),
            ));
        }
    }
    if function.qualifier("async").is_none() {
        return Err(Error::new(
            function.keyword.span(),
            format!("{name} needs an `async fn`: add `async`"),
        ));
    }
    if let Some(token) = function.generics.first().or(function.bounds.first()) {
        return Err(Error::new(
            token.span(),
            format!("a function under {name} cannot be generic"),
        ));
    }
    if !function.arguments.stream().is_empty() {
        return Err(Error::new(
            function.arguments.span(),
            format!("a function under {name} cannot take arguments"),
        ));
    }
    Ok(())
}

/// `fn name() -> R { async fn name() -> R { .. } ::corio::run(name()) }`, with everything that stood in front of it.
///
/// The inner function has the signature of the outer one, so `?` and `return` have a type to go by, and the same name, so that
/// the type name of its future still names the function.
fn entering_the_loop(attribute: Attribute, options: &Options, function: &Function) -> TokenStream {
    let mut body = function.bare();
    body.extend(options.facade.clone());
    body.extend(quote(if options.virtual_clock {
        "::__private::run_virtual"
    } else {
        "::run"
    }));
    let call = [
        TokenTree::from(function.name.clone()),
        Group::new(Delimiter::Parenthesis, TokenStream::new()).into(),
    ];
    body.extend([TokenTree::from(Group::new(
        Delimiter::Parenthesis,
        TokenStream::from_iter(call),
    ))]);

    let mut item = TokenStream::new();
    if attribute == Attribute::Test {
        // By its full path: `test` alone may be this very attribute, brought in by a `use`.
        item.extend(quote("#[::core::prelude::v1::test]"));
    }
    item.extend(
        function
            .attributes
            .iter()
            .flat_map(|attribute| attribute.tokens.clone()),
    );
    item.extend(outer_function(function, function.output.clone(), body));
    item
}

/// A function of the same name, so that nothing that mentions it goes wrong as well, with the message in its body.
///
/// The function as written is kept inside: what it uses stays used. A `#[cfg]` is kept because it may switch the message off.
fn with_error(error: Error, function: &Function) -> TokenStream {
    let mut body = error.into_tokens();
    if !function.has_receiver() {
        body.extend(quote("#[allow(dead_code)]"));
        body.extend(function.bare());
    }
    let is_cfg = |name: &Ident| name.to_string() == "cfg";
    let cfgs = function
        .attributes
        .iter()
        .filter(|attribute| attribute.name.as_ref().is_some_and(is_cfg));
    let mut item: TokenStream = cfgs
        .flat_map(|attribute| attribute.tokens.clone())
        .collect();
    item.extend(outer_function(function, Vec::new(), body));
    item
}

/// `pub fn name() -> output { body }`.
fn outer_function(function: &Function, output: Vec<TokenTree>, body: TokenStream) -> TokenStream {
    let mut braces = Group::new(Delimiter::Brace, body);
    braces.set_span(function.body.span());
    let mut tokens: TokenStream = function.visibility.iter().cloned().collect();
    tokens.extend([
        TokenTree::from(function.keyword.clone()),
        function.name.clone().into(),
    ]);
    tokens.extend([TokenTree::from(Group::new(
        Delimiter::Parenthesis,
        TokenStream::new(),
    ))]);
    tokens.extend(output);
    tokens.extend([TokenTree::from(braces)]);
    tokens
}

/// The tokens of a piece of code that is known to be well-formed, at the place of the attribute.
fn quote(code: &str) -> TokenStream {
    code.parse().unwrap_or_default()
}
