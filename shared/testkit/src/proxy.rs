//! A TCP proxy that is a bad network on command: delay, pause, cut, reset after some bytes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

/// How many pieces of data may be on their way at a time, of at most so many octets each: more than any test sends in a moment.
const UNDER_WAY: usize = 64;
const PIECE: usize = 16 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    Fair,
    Delay(Duration),
    Pause,
    Cut,
}

/// A proxy on a loopback port of its own in front of one address; ended, with its connections, with this value.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    connections: Arc<AtomicU64>,
    forwarded: Arc<AtomicU64>,
    cut_after: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts one in front of this address.
    pub async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (weather, forecast) = watch::channel(Weather::Fair);
        let line = Line { weather: forecast, connections: Arc::default(), forwarded: Arc::default(), cut_after: Arc::new(u64::MAX.into()) };
        let task = tokio::spawn(accept(listener, upstream, line.clone()));
        let Line { connections, forwarded, cut_after, .. } = line;
        Self { address, weather, connections, forwarded, cut_after, task }
    }

    /// Where to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// From now on every piece of data comes this much later, and holds up none that comes after it: a line that is long, not narrow.
    pub fn delay(&self, by: Duration) {
        self.weather.send_replace(Weather::Delay(by));
    }
    /// From now on nothing passes, and connections stay open: a network that swallows.
    pub fn pause(&self) {
        self.weather.send_replace(Weather::Pause);
    }
    /// Resets every connection, and each new one, until [`Self::heal`].
    pub fn cut(&self) {
        self.weather.send_replace(Weather::Cut);
    }
    /// Everything passes again at once, after what is on its way.
    pub fn heal(&self) {
        self.cut_after.store(u64::MAX, Ordering::SeqCst);
        self.weather.send_replace(Weather::Fair);
    }
    /// Resets the connection that passes on the byte after this many more from clients.
    pub fn cut_after(&self, bytes: u64) {
        self.cut_after.store(self.forwarded.load(Ordering::SeqCst) + bytes, Ordering::SeqCst);
    }
    /// How many times a client connected.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }
    /// How many bytes came from clients.
    pub fn forwarded(&self) -> u64 {
        self.forwarded.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.weather.send_replace(Weather::Cut);
        self.task.abort();
    }
}

#[derive(Clone)]
struct Line {
    weather: watch::Receiver<Weather>,
    connections: Arc<AtomicU64>,
    forwarded: Arc<AtomicU64>,
    cut_after: Arc<AtomicU64>,
}

async fn accept(listener: TcpListener, upstream: SocketAddr, line: Line) {
    while let Ok((client, _)) = listener.accept().await {
        line.connections.fetch_add(1, Ordering::SeqCst);
        let line = line.clone();
        tokio::spawn(async move {
            // Set before anything else: whoever drops the stream, it ends by a reset and not by a polite end of data.
            if client.set_zero_linger().is_err() || *line.weather.borrow() == Weather::Cut {
                return;
            }
            let Ok(server) = TcpStream::connect(upstream).await else { return };
            drop((client.set_nodelay(true), server.set_nodelay(true)));
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            let (up, down) = (line.clone(), line);
            tokio::select! {
                () = pump(from_client, to_server, up, true) => {}
                () = pump(from_server, to_client, down, false) => {}
            }
        });
    }
}

/// Passes data on one way until the end of data, an error or a cut.
async fn pump(from: tcp::OwnedReadHalf, to: tcp::OwnedWriteHalf, line: Line, counted: bool) {
    let (sent, pieces) = mpsc::channel(UNDER_WAY);
    let reading = take(from, sent, line.weather.clone());
    tokio::select! {
        // When all is read, what is on its way still comes.
        () = async { reading.await; std::future::pending().await } => {}
        () = give(pieces, to, line, counted) => {}
    }
}

/// Reads, and says of each piece when it is due.
async fn take(mut from: tcp::OwnedReadHalf, sent: mpsc::Sender<(Instant, Vec<u8>)>, mut weather: watch::Receiver<Weather>) {
    let mut buffer = vec![0; PIECE];
    while weather.wait_for(|weather| *weather != Weather::Pause).await.is_ok() {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        let due = match *weather.borrow() {
            Weather::Delay(by) => Instant::now() + by,
            Weather::Fair | Weather::Pause | Weather::Cut => Instant::now(),
        };
        if sent.send((due, buffer[..length].to_vec())).await.is_err() {
            return;
        }
    }
}

/// Writes each piece when it is due and the weather lets it pass.
async fn give(mut pieces: mpsc::Receiver<(Instant, Vec<u8>)>, mut to: tcp::OwnedWriteHalf, mut line: Line, counted: bool) {
    let mut storm = line.weather.clone();
    loop {
        let (due, mut piece) = tokio::select! {
            piece = pieces.recv() => match piece { Some(piece) => piece, None => return },
            _ = storm.wait_for(|weather| *weather == Weather::Cut) => return,
        };
        tokio::select! {
            () = tokio::time::sleep_until(due) => {}
            _ = storm.wait_for(|weather| *weather == Weather::Cut) => return,
        }
        match line.weather.wait_for(|weather| *weather != Weather::Pause).await {
            Ok(weather) if *weather != Weather::Cut => {}
            _ => return,
        }
        if counted {
            let before = line.forwarded.fetch_add(piece.len() as u64, Ordering::SeqCst);
            let left = line.cut_after.load(Ordering::SeqCst).saturating_sub(before);
            if left < piece.len() as u64 {
                line.cut_after.store(u64::MAX, Ordering::SeqCst);
                piece.truncate(usize::try_from(left).unwrap_or(0));
                drop(to.write_all(&piece).await);
                return;
            }
        }
        if to.write_all(&piece).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    drop(tokio::io::copy(&mut from, &mut to).await);
                });
            }
        });
        address
    }

    async fn say(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
        stream.write_all(text).await?;
        let mut heard = vec![0; text.len()];
        stream.read_exact(&mut heard).await?;
        Ok(heard)
    }

    #[tokio::test]
    async fn it_passes_delays_pauses_cuts_and_heals() {
        let proxy = Proxy::start(echo().await).await;
        let mut stream = TcpStream::connect(proxy.address()).await.expect("it listens");
        assert_eq!(say(&mut stream, b"one").await.expect("it passes"), b"one");

        proxy.delay(Duration::from_millis(30));
        let begun = Instant::now();
        say(&mut stream, b"two").await.expect("it passes");
        assert!(begun.elapsed() >= Duration::from_millis(60), "there and back");

        proxy.pause();
        assert!(tokio::time::timeout(Duration::from_millis(50), say(&mut stream, b"six")).await.is_err());
        proxy.heal();
        let mut late = [0; 3];
        stream.read_exact(&mut late).await.expect("what was held comes");
        assert_eq!(&late, b"six");

        proxy.cut();
        assert!(stream.read_exact(&mut late).await.is_err());
        let mut refused = TcpStream::connect(proxy.address()).await.expect("the port is open");
        assert!(say(&mut refused, b"no").await.is_err());

        proxy.heal();
        let mut again = TcpStream::connect(proxy.address()).await.expect("it listens");
        assert_eq!(say(&mut again, b"back").await.expect("it passes"), b"back");
        assert_eq!(proxy.connections(), 3);
    }

    #[tokio::test]
    async fn a_delay_makes_the_line_long_and_not_narrow() {
        const BY: Duration = Duration::from_millis(600);
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let proxy = Proxy::start(server.local_addr().expect("an address")).await;
        proxy.delay(BY);
        let mut client = TcpStream::connect(proxy.address()).await.expect("it listens");
        let (mut accepted, _) = server.accept().await.expect("the proxy connects");

        // A second piece sent while the first one is under way is as late as that, and no later.
        let mut sent = Vec::new();
        for piece in [b"1", b"2"] {
            sent.push(Instant::now());
            client.write_all(piece).await.expect("it takes it");
            tokio::time::sleep(BY / 4).await;
        }
        for sent in sent {
            accepted.read_u8().await.expect("it comes");
            let late = sent.elapsed();
            assert!(late >= BY && late < BY * 3 / 2, "{late:?} late");
        }

        // Much at once takes hardly longer than little.
        let much = 40 * PIECE;
        let begun = Instant::now();
        client.write_all(&vec![0; much]).await.expect("it takes it");
        accepted.read_exact(&mut vec![0; much]).await.expect("it comes");
        let took = begun.elapsed();
        assert!(took >= BY && took < BY * 3, "{took:?} for {much} octets");
    }

    #[tokio::test]
    async fn what_is_on_its_way_when_a_client_goes_still_comes() {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let proxy = Proxy::start(server.local_addr().expect("an address")).await;
        proxy.delay(Duration::from_millis(50));
        let mut client = TcpStream::connect(proxy.address()).await.expect("it listens");
        client.write_all(b"bye").await.expect("it takes it");
        drop(client);
        let (mut accepted, _) = server.accept().await.expect("the proxy connects");
        let mut heard = [0; 3];
        accepted.read_exact(&mut heard).await.expect("it comes");
        assert_eq!(&heard, b"bye");
    }

    #[tokio::test]
    async fn it_cuts_after_a_number_of_bytes() {
        let proxy = Proxy::start(echo().await).await;
        let mut stream = TcpStream::connect(proxy.address()).await.expect("it listens");
        say(&mut stream, b"before").await.expect("it passes");
        proxy.cut_after(4);
        assert!(say(&mut stream, b"123456").await.is_err());
        assert_eq!(proxy.forwarded(), 12);
    }
}
