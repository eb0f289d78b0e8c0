//! What every program promises to print.

/// What a program prints. `%2` is two seconds at the pace of the run, `*` is anything, and the number of a line that begins with
/// `TIME` or `Napped` is the least that it may be.
pub(crate) type Promise = (&'static str, &'static [&'static str]);

pub(crate) const STARS: &str = "********************";

pub(crate) const PROMISES: &[Promise] = &[
    ("interleave", &["1", "2", "x", "y", "3", "z"]),
    ("yield_next", &["starting...", "4", STARS, "res: None", "4"]),
    (
        "yield_send",
        &["starting...", "4", STARS, "res: Some(10)", "4"],
    ),
    (
        "alternate",
        &[
            "----A----",
            "----B----",
            "----A----",
            "----B----",
            "----A----",
            "----B----",
        ],
    ),
    (
        "producer_consumer",
        &[
            "produced 1",
            "consumed 1",
            "produced 2",
            "consumed 2",
            "produced 3",
            "consumed 3",
            "produced 4",
            "consumed 4",
            "produced 5",
            "consumed 5",
        ],
    ),
    (
        "cleanup_that_awaits",
        &[
            "connection: open",
            "cancel: true",
            "cancel: true",
            "upload: asked to stop: deploy",
            "upload: said goodbye to the server",
            "connection: closed",
            "upload: cancelled: deploy",
            "connection: cancelled",
        ],
    ),
    (
        "borrowing_children",
        &[
            "client fetched page 3",
            "client fetched page 1",
            "client fetched page 2",
            "a child borrows the log",
        ],
    ),
    (
        "deadline_tree",
        &[
            "outside: no limit",
            "fast: * left",
            "fast: answered",
            "slow: * left",
            "slow: timed out",
            "endless: * left",
            "whole: timed out",
            "scope: expired true, cancelled true",
        ],
    ),
    ("define_coroutine", &["Waiting: %2", "TIME: %2"]),
    (
        "create_task",
        &[
            "<Task pending name='Task-1' coro=*create_task::do_work at *create_task.rs:*>",
            "Waiting: %2",
            "<Task finished name='Task-1' coro=*create_task::do_work at *create_task.rs:*>",
            "TIME: %2",
        ],
    ),
    (
        "done_callback",
        &["Waiting: %2", "Callback: Done after %2s", "TIME: %2"],
    ),
    ("task_result", &["Waiting: %2", "Task ret: Done after %2s"]),
    (
        "await_sleep",
        &["Waiting: %2", "Task ret: Done after %2s", "TIME: %2"],
    ),
    (
        "concurrent_wait",
        &[
            "Waiting: %1",
            "Waiting: %2",
            "Waiting: %4",
            "Task ret: Done after %1s",
            "Task ret: Done after %2s",
            "Task ret: Done after %4s",
            "TIME: %4",
            "Waiting: %1",
            "Waiting: %2",
            "Waiting: %4",
            "Task ret: Done after %1s",
            "Task ret: Done after %2s",
            "Task ret: Done after %4s",
            "TIME: %4",
        ],
    ),
    ("nested_wait", RESULTS_OF_WAIT),
    ("nested_gather", RESULTS_OF_GATHER),
    ("return_gather", RESULTS_OF_GATHER),
    ("return_wait", RESULTS_OF_WAIT),
    (
        "as_completed",
        &[
            "Waiting: %4",
            "Waiting: %2",
            "Waiting: %1",
            "Task ret: Done after %1s",
            "Task ret: Done after %2s",
            "Task ret: Done after %4s",
            "TIME: %4",
        ],
    ),
    ("states", &["Pending", "Running", "Done", "Cancelled"]),
    (
        "blocking_call",
        &[
            "Napping: 0.1",
            "Blocking: 0.5",
            "Report: executing <Task pending name='Task-2' coro=*blocking_call::block at *blocking_call.rs:*> took *",
            "Napped: 0.5",
        ],
    ),
];

/// Programs in which one time is held against another, in milliseconds that they take at least. Held up for long enough, by a machine
/// that is busy with other things, they print something else.
pub(crate) const TIMED: &[(&str, u64)] = &[
    ("as_completed", 4_000),
    ("axum_service", 1_000),
    ("blocking_call", 500),
    ("crawler", 2_000),
    ("deadline_tree", 600),
];

const RESULTS_OF_GATHER: &[&str] = &[
    "Waiting: %1",
    "Waiting: %2",
    "Waiting: %4",
    "Task ret: Done after %1s",
    "Task ret: Done after %2s",
    "Task ret: Done after %4s",
    "TIME: %4",
];

const RESULTS_OF_WAIT: &[&str] = &[
    "Waiting: %1",
    "Waiting: %2",
    "Waiting: %4",
    "done: 3, pending: 0",
    "Task ret: Done after %1s",
    "Task ret: Done after %2s",
    "Task ret: Done after %4s",
    "TIME: %4",
];

/// What these print when they are interrupted.
pub(crate) const INTERRUPTED: &[Promise] = &[
    (
        "stop_all_tasks",
        &[
            "Waiting: %1",
            "Waiting: %2",
            "Waiting: %2",
            "<Task pending name='Task-1' coro=*stop_all_tasks::do_work at *stop_all_tasks.rs:* wait_for=sleep at *stop_all_tasks.rs:*>",
            "<Task pending name='Task-2' coro=*stop_all_tasks::do_work at *stop_all_tasks.rs:* wait_for=sleep at *stop_all_tasks.rs:*>",
            "<Task pending name='Task-3' coro=*stop_all_tasks::do_work at *stop_all_tasks.rs:* wait_for=sleep at *stop_all_tasks.rs:*>",
            "<Task pending name='Task-4' coro=*Wait<*> at *stop_all_tasks.rs:* wait_for=wait at *stop_all_tasks.rs:*>",
            "true",
            "true",
            "true",
            "true",
            "TIME: 0.0",
        ],
    ),
    (
        "stop_main",
        &[
            "Waiting: %1",
            "Waiting: %2",
            "Waiting: %2",
            "<Task pending name='Task-1' coro=*stop_main::work at *stop_main.rs:* wait_for=wait at *stop_main.rs:*>",
            "<Task pending name='Task-2' coro=*stop_main::do_work at *stop_main.rs:* wait_for=sleep at *stop_main.rs:*>",
            "<Task pending name='Task-3' coro=*stop_main::do_work at *stop_main.rs:* wait_for=sleep at *stop_main.rs:*>",
            "<Task pending name='Task-4' coro=*stop_main::do_work at *stop_main.rs:* wait_for=sleep at *stop_main.rs:*>",
            "true",
            "TIME: 0.0",
        ],
    ),
];

pub(crate) const A_CROWD: Promise = (
    "million",
    &[
        "Coroutines: 10,000",
        "Asleep at once: *",
        "Memory of each: *",
        "CPU time: *",
        "Latest wake-up: * ms after its moment",
        "TIME: 2.0",
    ],
);

/// Programs with servers, which are not in the tour.
pub(crate) const SERVERS: &[Promise] = &[
    (
        "echo_server",
        &[
            "the server said: I am ann",
            "the server said: I am bob",
            "the server said: I am cid",
            "connections left: 0",
        ],
    ),
    (
        "chat",
        &[
            "ann hears: * ann is here",
            "ann hears: * bob is here",
            "bob hears: * bob is here",
            "another bob hears: * that is taken",
            "ann hears: <ann> hello, bob",
            "bob hears: <ann> hello, bob",
            "bob hears: * ann has left",
            "guests at the end: 1",
            "bob hears the end: true",
        ],
    ),
    (
        "web_service",
        &[
            r#"HTTP/1.1 200 {"service":"corio"}"#,
            r#"HTTP/1.1 200 {"below":1000000,"primes":78498}"#,
            r#"HTTP/1.1 200 {"sum":7.5}"#,
            r#"HTTP/1.1 400 {"error":"EOF while parsing a value at line 1 column 9"}"#,
            r#"HTTP/1.1 404 {"not found":"/nowhere"}"#,
            r#"HTTP/2.0 200 {"below":10,"primes":4}"#,
            r#"HTTP/2.0 200 {"below":100,"primes":25}"#,
            r#"HTTP/2.0 200 {"service":"corio"}"#,
            "stopping",
            r#"HTTP/2.0 200 {"slept":"300 ms"}"#,
            "connections ended: 2, by force: 0",
        ],
    ),
    (
        "axum_service",
        &[
            r#"POST /notes: 201 {"number":1}"#,
            r#"POST /notes: 201 {"number":2}"#,
            "POST /notes: 400 Failed to parse the request body as JSON: *",
            r#"GET /notes: 200 {"1":{"buy":"tea"},"2":{"buy":"jam"}}"#,
            r#"GET /sorted: 200 ["{\"buy\":\"jam\"}","{\"buy\":\"tea\"}"]"#,
            "DELETE /notes/1: 204",
            "GET /notes/1: 404",
            r#"GET /notes/2: 200 {"buy":"jam"}"#,
            r#"GET /forever: 504 {"error":"it took too long"}"#,
            "connections ended: 1, by force: 0",
        ],
    ),
    (
        "crawler",
        &[
            "host                     pages missing  given up retries",
            "127.0.0.1:* 58       0         0       0",
            "127.0.0.1:* 56      12         3       7",
            "127.0.0.1:* 59       0         0       0",
            "127.0.0.1:* 58       0         0      40",
            "all                        231      12         3      47",
            "limits kept: true",
        ],
    ),
    (
        "multicore_http",
        &[
            "400 of 400 requests were answered",
            "counted on all loops: 400",
            "answered by all workers: 400",
            "every worker ended in order: true",
        ],
    ),
];

/// The one that interrupts itself.
pub(crate) const GRACEFUL: Promise = (
    "graceful_shutdown",
    &[
        "server: working on a report",
        "Ctrl-C",
        "the idle client got: goodbye",
        "the busy client got: a report: done",
        "connections left: 0",
        "ended in good order",
    ],
);
