//! Sockets and their futures go where their owner goes.

use std::fmt::Debug;

use corio_net::*;

fn goes_anywhere<T: Send + Sync + Unpin + Debug>() {}

#[test]
fn sockets_halves_and_their_futures_are_send_sync_unpin_and_debug() {
    goes_anywhere::<TcpStream>();
    goes_anywhere::<TcpListener>();
    goes_anywhere::<TcpConnector>();
    goes_anywhere::<UdpSocket>();
    goes_anywhere::<BindOptions>();
    goes_anywhere::<ConnectErrors>();
    goes_anywhere::<ReadHalf<'_, TcpStream>>();
    goes_anywhere::<WriteHalf<'_, TcpStream>>();
    goes_anywhere::<OwnedReadHalf<TcpStream>>();
    goes_anywhere::<OwnedWriteHalf<TcpStream>>();
    goes_anywhere::<ReuniteError<TcpStream>>();
    goes_anywhere::<ReadSome<'_, TcpStream>>();
    goes_anywhere::<WriteSome<'_, TcpStream>>();
    goes_anywhere::<ReadExact<'_, TcpStream>>();
    goes_anywhere::<WriteAll<'_, TcpStream>>();
    goes_anywhere::<ReadVectored<'_, '_, TcpStream>>();
    goes_anywhere::<WriteVectored<'_, '_, TcpStream>>();
    goes_anywhere::<Peek<'_>>();
    goes_anywhere::<Accept<'_, TcpListener>>();
    goes_anywhere::<Incoming<'_, TcpListener>>();
    goes_anywhere::<Recv<'_, UdpSocket>>();
    goes_anywhere::<RecvFrom<'_, UdpSocket>>();
    goes_anywhere::<SendOne<'_, UdpSocket>>();
    goes_anywhere::<SendTo<'_, UdpSocket>>();
}

/// Whatever answers a look-up on a thread may be waited for on one thread only at a time.
#[test]
fn look_ups_and_connections_under_way_are_send_and_unpin() {
    fn moves<T: Send + Unpin + Debug>() {}
    moves::<Lookup>();
    moves::<Connect>();
    moves::<Bind<TcpListener>>();
    moves::<Bind<UdpSocket>>();
    moves::<UdpConnect<'_>>();
}

#[cfg(feature = "tls")]
#[test]
fn tls_and_what_makes_it_go_where_their_owner_goes() {
    use corio_net::tls::*;

    fn moves<T: Send + Unpin + Debug>() {}
    goes_anywhere::<TlsConnector>();
    goes_anywhere::<TlsAcceptor>();
    goes_anywhere::<TlsStream<TcpStream>>();
    goes_anywhere::<TlsHandshake<TcpStream>>();
    moves::<OpenTls>();
    moves::<OpeningTls>();
    // Made of streams, which stay on their thread.
    fn shows<T: Unpin + Debug>() {}
    shows::<StartTls>();
    shows::<TlsStream<Upgraded>>();
}

#[cfg(unix)]
#[test]
fn unix_sockets_and_their_futures_are_send_sync_unpin_and_debug() {
    goes_anywhere::<UnixStream>();
    goes_anywhere::<UnixListener>();
    goes_anywhere::<UnixDatagram>();
    goes_anywhere::<UnixConnect>();
    goes_anywhere::<OwnedReadHalf<UnixStream>>();
    goes_anywhere::<OwnedWriteHalf<UnixStream>>();
    goes_anywhere::<ReadSome<'_, UnixStream>>();
    goes_anywhere::<WriteSome<'_, UnixStream>>();
    goes_anywhere::<Accept<'_, UnixListener>>();
    goes_anywhere::<Recv<'_, UnixDatagram>>();
    goes_anywhere::<RecvFrom<'_, UnixDatagram>>();
    goes_anywhere::<SendOne<'_, UnixDatagram>>();
    goes_anywhere::<SendTo<'_, UnixDatagram>>();
}
