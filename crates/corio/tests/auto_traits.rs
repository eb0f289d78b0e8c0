//! Which thread may hold what: a change of this table is a change of the API.
//!
//! What a program holds across an await is `Send` whenever its data is: keys into the loop, not pointers. Handles of tasks and
//! what is made of them never leave their thread.

use std::cell::Cell;
use std::error::Error;
use std::future::Ready;
use std::rc::Rc;
use std::sync::MutexGuard;

use corio::context::{ContextVar, Token};
#[cfg(feature = "coroutine")]
use corio::coroutine;

/// `Send` and `Sync`.
type Both = ();
/// `Send`, not `Sync`.
type Moves = Cell<()>;
/// `Sync`, not `Send`.
type Shares = MutexGuard<'static, ()>;
/// Neither.
type Stays = Rc<()>;

/// Answers by overload resolution: the inherent constant exists only for types with the trait.
macro_rules! implements {
    ($type:ty: $bound:ident) => {{
        #[allow(dead_code)]
        trait Otherwise {
            const ANSWER: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        struct Ask<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: ?Sized + $bound> Ask<T> {
            const ANSWER: bool = true;
        }
        <Ask<$type>>::ANSWER
    }};
}

/// Each row says `Send`, `Sync`, `Unpin`.
macro_rules! table {
    ($($type:ty => $send:literal $sync:literal $unpin:literal;)+) => {{
        let mut wrong = Vec::new();
        $(
            let found = [implements!($type: Send), implements!($type: Sync), implements!($type: Unpin)];
            if found != [$send, $sync, $unpin] {
                wrong.push(format!("{} => {found:?};", stringify!($type)));
            }
        )+
        assert!(wrong.is_empty(), "not as in the table:\n{}", wrong.join("\n"));
    }};
}

/// For values whose types have no name.
fn is_send_and_sync<T: Send + Sync>(_: &T) {}

#[test]
fn tasks_promises_and_what_waits_for_them_never_leave_their_thread() {
    table! {
        corio::Task<Both>                        => false false true;
        corio::AnyTask                           => false false true;
        corio::Promise<Both>                     => false false true;
        corio::Handle                            => false false true;
        corio::TimerHandle                       => false false true;
        corio::OwnedWait<Both>                   => false false true;
        corio::Watch<'static, Both>              => false false true;
        corio::PromiseWait<Both>                 => false false true;
        corio::PromiseWatch<'static, Both>       => false false true;
        corio::EventLoop                         => false false true;
        corio::Runner                            => false false true;
        corio::Gather<Vec<corio::Task<Both>>>    => false false true;
        corio::GatherResults<Vec<corio::Task<Both>>> => false false true;
        corio::TryGather<corio::Task<Result<(), ()>>> => false false true;
        corio::Wait<corio::Task<Both>>           => false false true;
        corio::AsCompleted<corio::Task<Both>>    => false false true;
        corio::AsCompletedWithin<corio::Task<Both>> => false false true;
        corio::NextCompleted<'static, corio::Task<Both>> => false false true;
        corio::NextCompletedWithin<'static, corio::Task<Both>> => false false true;
        corio::Shield<corio::Task<Both>>         => false false true;
        corio::TaskGroup<Both>                   => false false true;
        corio::StaggeredRace<Both, Both>         => false false true;
    }
}

#[test]
fn sleeps_limits_scopes_and_catchers_go_where_their_work_may_go() {
    table! {
        corio::Sleep                             => true  true  true;
        corio::Interval                          => true  true  true;
        corio::Tick<'static>                     => true  true  true;
        corio::YieldNow                          => true  true  true;
        corio::ToThread<Both>                    => true  false true;
        corio::signal::CtrlC                     => true  true  true;
        corio::signal::Signal                    => true  true  true;
        corio::signal::Recv<'static>             => true  true  true;
        corio::BlockingPool                      => true  true  true;
        corio::workers::Workers                  => true  true  true;
        corio::workers::Worker                   => true  true  true;
        corio::workers::RunningWorkers<Both>     => true  true  true;
        corio::CancelScope                       => true  true  true;
        corio::Timeout<Ready<Both>>              => true  true  true;
        corio::Timeout<Ready<Moves>>             => true  false true;
        corio::Timeout<Ready<Shares>>            => false true  true;
        corio::Timeout<Ready<Stays>>             => false false true;
        corio::MoveOnAfter<Ready<Both>>          => true  true  true;
        corio::MoveOnAfter<Ready<Moves>>         => true  false true;
        corio::MoveOnAfter<Ready<Stays>>         => false false true;
        corio::RunScope<Ready<Both>>             => true  true  true;
        corio::RunScope<Ready<Moves>>            => true  false true;
        corio::RunScope<Ready<Stays>>            => false false true;
        corio::CatchCancel<Ready<Both>>          => true  true  true;
        corio::CatchCancel<Ready<Moves>>         => true  false true;
        corio::CatchCancel<Ready<Shares>>        => false true  true;
        corio::CatchCancel<Ready<Stays>>         => false false true;
        corio::Propagate                         => true  true  true;
        corio::time::Sleep                       => true  true  true;
    }
    is_send_and_sync(&corio::finally(std::future::ready(1), async || ()));
    is_send_and_sync(&corio::with(1, async |_: &mut i32| (), async |_: i32| ()));
}

/// An `async fn` that sleeps, limits and cleans up is taken by a server that moves futures between threads.
#[test]
fn a_future_that_holds_them_across_awaits_is_send() {
    async fn handler() -> Result<(), corio::TimeoutError> {
        let second = std::time::Duration::from_secs(1);
        corio::sleep(second).await;
        corio::timeout(second, corio::sleep(second)).await?;
        corio::finally(corio::yield_now(), async || corio::sleep(second).await).await;
        let scope = corio::CancelScope::new();
        drop(scope.run(corio::sleep(second)).await);
        if let Err(cancelled) = corio::catch_cancel(corio::sleep(second)).await {
            cancelled.propagate().await
        }
        corio::interval(second).tick().await;
        Ok(())
    }
    fn goes_anywhere<F: Future + Send + 'static>(_: F) {}
    goes_anywhere(handler());
}

#[test]
fn handles_for_other_threads_and_plain_data_go_anywhere() {
    table! {
        corio::Remote                            => true  true  true;
        corio::RemoteTask<Both>                  => true  true  true;
        corio::RemoteTask<Moves>                 => true  true  true;
        corio::RemoteTask<Stays>                 => false false true;
        corio::TaskId                            => true  true  true;
        corio::TaskState                         => true  true  true;
        corio::CallbackId                        => true  true  true;
        corio::PromiseCallbackId                 => true  true  true;
        corio::Report                            => true  true  true;
        corio::ExitReport                        => true  true  true;
        corio::TaskInfo                          => true  true  true;
        corio::inspect::Waiting                  => false false true;
        corio::EventLoopBuilder                  => true  true  true;
        corio::RunnerBuilder                     => true  true  true;
        corio::ReturnWhen                        => true  true  true;
        ContextVar<Both>                         => true  true  true;
        ContextVar<Moves>                        => true  true  true;
        Token<Both>                              => true  true  true;
        corio::context::With<i32, Ready<Both>>   => true  true  true;
        corio::context::With<i32, Ready<Stays>>  => false false true;
    }
}

#[test]
fn errors_go_anywhere_and_live_for_ever() {
    fn is_error<E: Error + Send + Sync + 'static>() {}
    fn is_cloned<E: Clone>() {}
    is_error::<corio::TaskError>();
    is_error::<corio::RunError>();
    is_error::<corio::Cancelled>();
    is_error::<corio::Panic>();
    is_error::<corio::TimeoutError>();
    is_error::<corio::InvalidState>();
    is_error::<corio::LoopClosed>();
    is_error::<corio::GroupError<std::io::Error>>();
    is_cloned::<corio::TaskError>();
    is_cloned::<corio::RunError>();
    is_cloned::<corio::Cancelled>();
    table! {
        corio::TaskError                         => true  true  true;
        corio::RunError                          => true  true  true;
        corio::Cancelled                         => true  true  true;
        corio::Panic                             => true  true  true;
        corio::TimeoutError                      => true  true  true;
        corio::InvalidState                      => true  true  true;
        corio::LoopClosed                        => true  true  true;
        corio::GroupError<Both>                  => true  true  true;
        corio::GroupError<Moves>                 => true  false true;
        corio::GroupError<Stays>                 => false false true;
        corio::Failures<Both>                    => true  true  true;
        corio::Failure<Both>                     => true  true  true;
        corio::Failure<Stays>                    => false false true;
    }
    let _: std::io::Error = corio::TaskError::NotDone.into();
}

#[cfg(feature = "coroutine")]
#[test]
fn coroutines_stay_where_they_are() {
    fn is_error<E: Error + Send + Sync + 'static>() {}
    is_error::<coroutine::ResumeError>();
    is_error::<coroutine::CloseError>();
    table! {
        coroutine::Coroutine<Both>               => false false true;
        coroutine::Generator<Both>               => false false true;
        coroutine::AsyncCoroutine<Both>          => false false true;
        coroutine::AsyncGenerator<Both>          => false false true;
        coroutine::Yielder<Both>                 => false false true;
        coroutine::Yield<'static, Both, Both>    => false false true;
        coroutine::TryYield<'static, Both, Both> => false false true;
        coroutine::Raise<'static, Both, Both>    => false false true;
        coroutine::CoroutineState                => true  true  true;
        coroutine::ResumeError                   => true  true  true;
        coroutine::CloseError                    => true  true  true;
        coroutine::Interrupt                     => true  true  true;
        coroutine::Thrown                        => true  true  true;
    }
}

/// Sockets go where their owner goes. Streams and servers belong to a loop.
#[cfg(feature = "net")]
#[test]
fn sockets_go_anywhere_and_streams_and_servers_stay_on_their_loop() {
    use corio::net;
    table! {
        net::TcpStream                           => true  true  true;
        net::TcpListener                         => true  true  true;
        net::TcpConnector                        => true  true  true;
        net::UdpSocket                           => true  true  true;
        net::BindOptions                         => true  true  true;
        net::ConnectErrors                       => true  true  true;
        net::Connect                             => true  false true;
        net::Lookup                              => true  false true;
        net::Bind<net::TcpListener>              => true  false true;
        net::UdpConnect<'static>                 => true  false true;
        net::ReadHalf<'static, net::TcpStream>   => true  true  true;
        net::WriteHalf<'static, net::TcpStream>  => true  true  true;
        net::OwnedReadHalf<net::TcpStream>       => true  true  true;
        net::OwnedWriteHalf<net::TcpStream>      => true  true  true;
        net::ReuniteError<net::TcpStream>        => true  true  true;
        net::ReadSome<'static, net::TcpStream>   => true  true  true;
        net::WriteSome<'static, net::TcpStream>  => true  true  true;
        net::ReadExact<'static, net::TcpStream>  => true  true  true;
        net::WriteAll<'static, net::TcpStream>   => true  true  true;
        net::ReadVectored<'static, 'static, net::TcpStream> => true true true;
        net::WriteVectored<'static, 'static, net::TcpStream> => true true true;
        net::Peek<'static>                       => true  true  true;
        net::Accept<'static, net::TcpListener>   => true  true  true;
        net::Incoming<'static, net::TcpListener> => true  true  true;
        net::Recv<'static, net::UdpSocket>       => true  true  true;
        net::RecvFrom<'static, net::UdpSocket>   => true  true  true;
        net::SendOne<'static, net::UdpSocket>    => true  true  true;
        net::SendTo<'static, net::UdpSocket>     => true  true  true;
        net::StreamReader                        => false false true;
        net::StreamWriter                        => false false true;
        net::StreamFeeder                        => false false true;
        net::Lines<'static>                      => false false true;
        net::NextLine<'static, 'static>          => false false true;
        net::Read<'static>                       => false false true;
        net::ReadToEnd<'static>                  => false false true;
        net::ReadExactly<'static>                => false false true;
        net::ReadUntil<'static>                  => false false true;
        net::ReadLine<'static>                   => false false true;
        net::Drain<'static>                      => false false true;
        net::ConnectionClosed<'static>           => false false true;
        net::StreamOptions                       => true  true  true;
        net::OpenConnection                      => true  false true;
        net::Opening                             => true  false true;
        net::Server                              => false false true;
        net::ServerClosed                        => false false true;
        net::ServeForever                        => false false true;
        net::Shutdown                            => false false true;
        net::ShutdownReport                      => true  true  true;
        net::ServeError                          => true  true  true;
        net::ServeOptions                        => true  true  true;
        net::StartServer<fn()>                   => true  false true;
        net::Starting<fn()>                      => true  false true;
        net::ListenPlaces                        => true  false true;
        net::IncompleteReadError                 => true  true  true;
        net::LimitOverrunError                   => true  true  true;
        net::ReadError                           => true  true  true;
    }
    fn is_error<E: Error + Send + Sync + 'static>() {}
    is_error::<net::ReadError>();
    is_error::<net::IncompleteReadError>();
    is_error::<net::LimitOverrunError>();
    is_error::<net::ServeError>();
    let _: std::io::Error = net::ServeError::Closed.into();
}

#[cfg(all(unix, feature = "net"))]
#[test]
fn sockets_of_the_unix_domain_go_anywhere() {
    use corio::net;
    table! {
        net::UnixStream                          => true  true  true;
        net::UnixListener                        => true  true  true;
        net::UnixDatagram                        => true  true  true;
        net::UnixConnect                         => true  true  true;
        net::OpenUnixConnection                  => true  true  true;
        net::OpeningUnix                         => true  true  true;
        net::StartUnixServer<fn()>               => true  true  true;
    }
}

/// What the values of a handle cannot change: a task of values that go anywhere does not.
#[test]
fn a_handle_stays_whatever_its_value_is() {
    assert!(implements!(Moves: Send) && !implements!(Moves: Sync));
    assert!(implements!(Shares: Sync) && !implements!(Shares: Send));
    table! {
        corio::Task<Moves>                       => false false true;
        corio::Task<Shares>                      => false false true;
        corio::Promise<Shares>                   => false false true;
        corio::Shield<Ready<Both>>               => false false true;
        corio::Gather<Vec<Ready<Both>>>          => false false true;
        corio::AsCompleted<Ready<Both>>          => false false true;
    }
}
