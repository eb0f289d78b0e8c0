//! What `#[corio::main]` makes of a function, entered through a stand-in for the facade.

use crate::fake;

/// Documented, visible, not called `main`.
#[corio_macros::main(crate = "crate::fake")]
pub(crate) async fn start() -> Result<u32, std::num::ParseIntError> {
    let number: u32 = async { "20" }.await.parse()?;
    if number == 20 {
        return Ok(number + 1);
    }
    "never".parse()
}

#[test]
fn question_mark_and_return_use_the_declared_type() {
    assert_eq!(start(), Ok(21));
    assert_eq!(fake::take_calls(), ["run"]);
}

#[test]
fn errors_come_out_as_values() {
    #[corio_macros::main(crate = "fake")]
    async fn broken() -> Result<(), std::num::ParseIntError> {
        "x".parse::<u8>()?;
        Ok(())
    }
    assert!(broken().is_err());
}

#[test]
fn the_function_may_return_nothing_an_opaque_type_or_never() {
    #[corio_macros::main(crate = "crate::fake")]
    async fn nothing() {}
    #[corio_macros::main(crate = "crate::fake")]
    async fn opaque() -> impl std::fmt::Display {
        "shown"
    }
    #[corio_macros::main(crate = "crate::fake")]
    async fn never() -> ! {
        std::panic::panic_any(7_u8)
    }
    nothing();
    assert_eq!(opaque().to_string(), "shown");
    let panic = std::panic::catch_unwind(|| never())
        .map(|never| match never {})
        .unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&7_u8));
}

#[test]
fn the_body_may_await_borrow_and_call_itself() {
    #[corio_macros::main(crate = r"crate::fake")]
    async fn factorial() -> u32 {
        async fn of(number: &u32) -> u32 {
            if *number == 0 {
                1
            } else {
                *number * Box::pin(of(&(number - 1))).await
            }
        }
        let start = 5;
        of(&start).await
    }
    assert_eq!(factorial(), 120);
}

#[test]
fn the_future_is_named_after_the_function() {
    #[corio_macros::main(crate = "naming")]
    async fn serve() -> &'static str {
        unreachable!()
    }
    let name = serve();
    assert!(
        name.trim_end_matches("::{{closure}}").ends_with("::serve"),
        "{name}"
    );
}

mod naming {
    pub(super) fn run<F: Future>(_: F) -> &'static str {
        std::any::type_name::<F>()
    }
}

#[test]
fn attributes_stay() {
    #[corio_macros::main(crate = "crate::fake")]
    #[must_use]
    #[cfg(any())]
    async fn absent() -> u8 {
        compile_error!("the cfg is gone")
    }

    #[corio_macros::main(crate = "crate::fake")]
    #[expect(unused_variables)]
    async fn lenient() {
        let unused = 1;
    }
    lenient();
}

macro_rules! through_a_macro {
    ($(#[$meta:meta])* $vis:vis $name:ident -> $output:ty $body:block) => {
        $(#[$meta])*
        #[corio_macros::main(crate = "crate::fake")]
        $vis async fn $name() -> $output $body
    };
}

through_a_macro! {
    /// From a macro, private.
    private -> u8 { async { 3 }.await }
}
through_a_macro! {
    #[must_use]
    pub(crate) public -> Vec<u8> { vec![4] }
}

#[test]
fn macros_may_write_the_function() {
    assert_eq!(private(), 3);
    assert_eq!(public(), [4]);
}
