//! Prints a user's whole conversation list: type, id and time of each conversation, separated by tabs.
//!
//!     rustc -O list.rs && ZIM_BASE_URL=... ZIM_APP_ID=... ZIM_SERVER_SECRET=... ./list USER_ID [PAGE_SIZE]
//!
//! Rust 1.70 without crates. The standard library has neither TLS nor HTTP nor MD5: this speaks plain HTTP/1.1 to an
//! emulator. A real program takes `ureq`, `md-5` and `serde_json`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, error::Error, fs::File, process::exit, thread::sleep};

const PATIENCE: [u64; 5] = [1, 7, 660300005, 660000001, 660000003];

/// RFC 1321.
fn md5(text: &str) -> String {
    const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0x80);
    while bytes.len() % 64 != 56 {
        bytes.push(0);
    }
    bytes.extend((text.len() as u64 * 8).to_le_bytes());
    let mut state: [u32; 4] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
    for block in bytes.chunks(64) {
        let words: Vec<u32> = block.chunks(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect();
        let [mut a, mut b, mut c, mut d] = state;
        for i in 0..64 {
            let (mixed, word) = match i / 16 {
                0 => ((b & c) | (!b & d), i),
                1 => ((d & b) | (!d & c), (5 * i + 1) % 16),
                2 => (b ^ c ^ d, (3 * i + 5) % 16),
                _ => (c ^ (b | !d), 7 * i % 16),
            };
            let sine = ((i as f64 + 1.0).sin().abs() * 4294967296.0) as u32;
            let sum = a.wrapping_add(mixed).wrapping_add(sine).wrapping_add(words[word]);
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(SHIFTS[i / 16][i % 4]));
        }
        for (whole, part) in state.iter_mut().zip([a, b, c, d]) {
            *whole = whole.wrapping_add(part);
        }
    }
    state.iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("{byte:02x}")).collect()
}

/// One signed request; the body of the answer.
fn request(body: &str) -> Result<String, Box<dyn Error>> {
    let (base, app) = (env::var("ZIM_BASE_URL")?, env::var("ZIM_APP_ID")?);
    let host = base.strip_prefix("http://").ok_or("plain http only")?;
    let mut random = [0; 8];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    let nonce: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let signature = md5(&format!("{app}{nonce}{}{timestamp}", env::var("ZIM_SERVER_SECRET")?));
    let mut socket = TcpStream::connect(host)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        socket,
        "POST /?Action=QueryConversationList&AppId={app}&SignatureNonce={nonce}&Timestamp={timestamp}\
         &SignatureVersion=2.0&Signature={signature} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut received = Vec::new();
    socket.read_to_end(&mut received)?;
    let text = String::from_utf8(received)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no HTTP answer")?;
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    if length != Some(body.len()) {
        return Err("the answer is cut off".into());
    }
    Ok(body.to_string())
}

/// What follows `"name":`, up to the next comma or brace that is outside of texts; texts without their quotes.
fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let rest = json.split_once(&format!("\"{name}\":"))?.1.trim_start();
    match rest.strip_prefix('"') {
        Some(text) => Some(text.split_once('"')?.0),
        None => Some(rest.split([',', '}']).next()?.trim()),
    }
}

/// The answer to a request, which is repeated (signed anew) while the service asks for patience.
fn patiently(body: &str) -> Result<String, Box<dyn Error>> {
    for attempt in 1.. {
        let answer = request(body)?;
        let code: u64 = member(&answer, "Code").ok_or("the answer has no Code")?.parse()?;
        if code == 0 {
            return Ok(answer);
        }
        if attempt == 8 || !PATIENCE.contains(&code) {
            return Err(format!("{code} {}", member(&answer, "Message").unwrap_or("")).into());
        }
        sleep(Duration::from_secs(attempt));
    }
    unreachable!()
}

fn print(user: &str, size: &str) -> Result<(), Box<dyn Error>> {
    let mut next = "0".to_string();
    loop {
        let answer = patiently(&format!(r#"{{"FromUserId":"{user}","Limit":{size},"Next":{next}}}"#))?;
        // An entry starts with a brace and a quote; no id holds a quote.
        for entry in answer.split("{\"").skip(2).map(|rest| format!("\"{rest}")) {
            let id = member(&entry, "ConvId").ok_or("an entry has no ConvId")?;
            let time = member(&entry, "UpdateTime").ok_or("an entry has no UpdateTime")?;
            println!("{}\t{id}\t{time}", member(&entry, "ConvType").unwrap_or("0"));
        }
        next = member(&answer, "Next").ok_or("the answer has no Next")?.to_string();
        if next == "0" {
            return Ok(());
        }
    }
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let size = arguments.get(2).map_or("500", String::as_str);
    if let Err(error) = print(&arguments[1], size) {
        eprintln!("{error}");
        exit(1);
    }
}
