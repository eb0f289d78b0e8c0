//! One message at one place.

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// What is wrong, and the place to change.
pub(crate) struct Error {
    message: String,
    span: Span,
}

impl Error {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Error {
            message: message.into(),
            span,
        }
    }

    /// `::core::compile_error! { "message" }`, every token of it at the place to change.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let span = self.span;
        let mut message = Literal::string(&self.message);
        message.set_span(span);
        let mut braces = Group::new(Delimiter::Brace, TokenTree::from(message).into());
        braces.set_span(span);
        let punct = |character, spacing| {
            let mut punct = Punct::new(character, spacing);
            punct.set_span(span);
            TokenTree::from(punct)
        };
        TokenStream::from_iter([
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            Ident::new("core", span).into(),
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            Ident::new("compile_error", span).into(),
            punct('!', Spacing::Alone),
            braces.into(),
        ])
    }
}
