//! Servers over TCP: echo, connections that come and go, and pages over HTTP, under the same load for every runtime.

#[cfg(target_os = "linux")]
fn main() {
    corio_benches::sockets::report::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the benchmarks of sockets are for Linux");
}
