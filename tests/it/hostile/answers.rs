//! Workers that answer something else than they should: somebody may have taken over a process that parsed a hostile
//! text. The run ends, and nothing panics.

use std::path::{Path, PathBuf};

use cowrap_session::{Input, Isolation, Progress, Request, SharingRequest, check};

/// A program between cowrap and a worker, which changes answers. `@COWRAP` and `@SEED` are replaced.
const PROXY: &str = r#"#!/usr/bin/env python3
import os, random, socket, struct, subprocess, threading
random = random.Random(@SEED)
cowrap = socket.socket(fileno=0)
own, other = socket.socketpair()
environment = dict(os.environ, LIBCLANG_PATH="@LIBCLANG")
worker = subprocess.Popen(["@COWRAP", "--worker"], stdin=other, env=environment)
other.close()

def forward():
    while True:
        data = cowrap.recv(65536)
        if not data:
            break
        own.sendall(data)
    own.shutdown(socket.SHUT_WR)

threading.Thread(target=forward, daemon=True).start()

def receive(length):
    data = b""
    while len(data) < length:
        more = own.recv(length - len(data))
        if not more:
            os._exit(0)
        data += more
    return data

def changed(frame):
    frame = bytearray(frame)
    kind = random.randrange(8)
    at = random.randrange(len(frame)) if frame else 0
    if kind < 3 and frame:
        frame[at] = random.choice([0, 1, 2, 0x7f, 0x80, 0xff, random.randrange(256)])
    elif kind == 3:
        del frame[at:at + random.randrange(1, 9)]
    elif kind == 4:
        frame[at:at] = frame[at:at + 64]
    elif kind == 5:
        frame = bytearray(random.randbytes(random.randrange(64)))
    elif kind == 6:
        frame = frame[:at]
    elif kind == 7:
        return struct.pack("<I", 0xffffffff) + bytes(frame)
    return struct.pack("<I", len(frame)) + bytes(frame)

number = 0
while True:
    head = receive(4)
    frame = receive(struct.unpack("<I", head)[0])
    # The first answer says which libclang there is: mostly it is true.
    is_true = random.random() < (0.9 if number == 0 else 0.6)
    cowrap.sendall(head + frame if is_true else changed(frame))
    number += 1
"#;

struct Quiet;

impl Progress for Quiet {
    fn start(&self, _: usize) {}
    fn step(&self) {}
    fn finish(&self) {}
}

fn proxy(directory: &Path, seed: u64) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.join("proxy");
    let libclang = std::env::var("LIBCLANG_PATH").unwrap_or_default();
    let text = PROXY.replace("@SEED", &seed.to_string()).replace("@LIBCLANG", &libclang);
    std::fs::write(&path, text.replace("@COWRAP", env!("CARGO_BIN_EXE_cowrap"))).expect("a file");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    path
}

#[test]
fn a_worker_that_lies_costs_its_units() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/miniblock");
    let mut reports = 0;
    for seed in 0..16 {
        let scratch = tempfile::tempdir().expect("a directory");
        let mut request = Request::new(Input::Database(Some(root.clone())), root.clone());
        request.isolation = Isolation::Processes { program: proxy(scratch.path(), seed) };
        request.sharing = if seed % 2 == 0 { SharingRequest::Yes } else { SharingRequest::No };
        let outcome = std::panic::catch_unwind(|| check(&request, &Quiet));
        match outcome.unwrap_or_else(|_| panic!("seed {seed}: see above")) {
            Ok(report) => {
                reports += 1;
                for problem in &report.problems {
                    // A panic in a thread that reads units is reported as one.
                    assert!(!problem.message.contains("panic"), "seed {seed}: {problem:?}");
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    assert!(reports > 4, "{reports} reports");
}
