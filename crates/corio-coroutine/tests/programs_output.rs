//! The five example programs that need no loop, as functions that write to a log, print what they are said to print.

use std::cell::RefCell;

use corio_coroutine::{Coroutine, Generator};

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

macro_rules! println {
    ($($arg:tt)*) => { log(format!($($arg)*)) };
}

fn log(line: String) {
    LOG.with_borrow_mut(|log| log.push(line));
}

const STARS: &str = "********************";

fn printed() -> Vec<String> {
    LOG.take()
}

#[test]
fn interleave_lets_two_coroutines_take_turns() {
    fn three(lines: [&'static str; 3]) -> Generator<()> {
        Generator::new(async move |co| {
            for line in lines {
                println!("{line}");
                co.yield_(()).await;
            }
        })
    }
    let a = three(["1", "2", "3"]);
    let b = three(["x", "y", "z"]);
    for turn in [&a, &a, &b, &b, &a, &b] {
        turn.next().unwrap();
    }
    assert_eq!(printed(), ["1", "2", "x", "y", "3", "z"]);
}

fn fours() -> Coroutine<i32, i32> {
    Coroutine::new(async |co| {
        println!("starting...");
        loop {
            let res = co.yield_(4).await;
            println!("res: {res:?}");
        }
    })
}

#[test]
fn yield_next_resumes_with_nothing() {
    let fours = fours();
    assert!(printed().is_empty());
    println!("{}", fours.next().unwrap());
    println!("{}", "*".repeat(20));
    println!("{}", fours.next().unwrap());
    assert_eq!(printed(), ["starting...", "4", STARS, "res: None", "4"]);
}

#[test]
fn yield_send_resumes_with_a_value() {
    let fours = fours();
    println!("{}", fours.next().unwrap());
    println!("{}", "*".repeat(20));
    println!("{}", fours.send(10).unwrap());
    assert_eq!(printed(), ["starting...", "4", STARS, "res: Some(10)", "4"]);
}

#[test]
fn alternate_lets_one_endless_coroutine_drive_the_other() {
    let a = Generator::new(async |co| {
        loop {
            println!("----A----");
            co.yield_(()).await;
        }
    });
    let b: Generator<()> = Generator::new(async move |co| {
        loop {
            a.next().unwrap();
            println!("----B----");
            co.yield_(()).await;
        }
    });
    assert_eq!(b.take(2).count(), 2);
    assert_eq!(
        printed(),
        ["----A----", "----B----", "----A----", "----B----"]
    );
}

#[test]
fn producer_consumer_handles_one_item_at_a_time() {
    struct Gone;
    impl Drop for Gone {
        fn drop(&mut self) {
            println!("consumer gone");
        }
    }
    let consumer = Coroutine::new(async |co| {
        let _gone = Gone;
        while let Some(item) = co.yield_(()).await {
            println!("consumed {item}");
        }
    });
    let producer = |consumer: Coroutine<(), i32>| {
        consumer.next().unwrap();
        for item in 1..=5 {
            println!("produced {item}");
            consumer.send(item).unwrap();
        }
    };
    producer(consumer);
    let mut expected: Vec<String> = (1..=5)
        .flat_map(|n| [format!("produced {n}"), format!("consumed {n}")])
        .collect();
    expected.push("consumer gone".into());
    assert_eq!(printed(), expected);
}
