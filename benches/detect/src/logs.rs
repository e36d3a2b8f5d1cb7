//! Made-up logs of the sorts that an application around MLX writes.
//!
//! The same seed gives the same bytes. Clean lines hold what detectors stumble over and must leave:
//! times, UUIDs, hashes, versions, loopback addresses, counters, floats.

use std::io::Write as _;

/// A sort of log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// `mlx_lm.server` at INFO.
    Server,
    /// `mlx_lm.server` at DEBUG: bodies of answers over many lines.
    ServerDebug,
    /// uvicorn's access log, from the machine itself.
    Uvicorn,
    /// Python's `logging` with a time, level and logger.
    Logging,
    /// One JSON object a line.
    Json,
    /// `key=value`.
    Logfmt,
    /// Training: losses and progress bars.
    Training,
    /// Tracebacks.
    Traceback,
    /// nginx's combined format: each line begins with an address, so each is dirty.
    Nginx,
}

impl Sort {
    /// Those whose lines may be clean.
    pub(crate) const CLEAN: [Self; 8] = [
        Self::Server,
        Self::ServerDebug,
        Self::Uvicorn,
        Self::Logging,
        Self::Json,
        Self::Logfmt,
        Self::Training,
        Self::Traceback,
    ];

    /// Its name in the tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Server => "mlx_lm.server, INFO",
            Self::ServerDebug => "mlx_lm.server, DEBUG",
            Self::Uvicorn => "uvicorn access",
            Self::Logging => "Python logging",
            Self::Json => "JSON lines",
            Self::Logfmt => "key=value",
            Self::Training => "training, progress bars",
            Self::Traceback => "tracebacks",
            Self::Nginx => "nginx access (an address a line)",
        }
    }
}

/// A log of all sorts of about `bytes` bytes, in which `percent` of 100 lines carry a value.
pub(crate) fn mixed(bytes: usize, percent: u64) -> Vec<u8> {
    let mut log = Log::new(0x7ac3_11d5 + percent);
    let (mut lines, mut dirty) = (0_u64, 0_u64);
    while log.text.len() < bytes {
        // A stretch of one sort, as one process writes it.
        let sort = Sort::CLEAN[log.below(Sort::CLEAN.len())];
        for _ in 0..8 {
            let before = log.text.len();
            log.clean(sort);
            lines += memchr::memchr_iter(b'\n', &log.text[before..]).count() as u64;
            while dirty * 100 < lines * percent {
                log.dirty(sort);
                dirty += 1;
                lines += 1;
            }
        }
    }
    log.text
}

/// A log of one sort of about `bytes` bytes, without a value unless its sort has one in each line.
pub(crate) fn of(sort: Sort, bytes: usize) -> Vec<u8> {
    let mut log = Log::new(0x51de_0001);
    while log.text.len() < bytes {
        log.clean(sort);
    }
    log.text
}

struct Log {
    state: u64,
    text: Vec<u8>,
    /// Milliseconds since the log began.
    clock: u64,
}

const WORDS: [&str; 48] = [
    "the",
    "model",
    "worker",
    "cache",
    "loaded",
    "request",
    "from",
    "batch",
    "queue",
    "finished",
    "with",
    "weights",
    "layer",
    "tokens",
    "prompt",
    "server",
    "started",
    "waiting",
    "for",
    "next",
    "step",
    "adapter",
    "merged",
    "into",
    "memory",
    "released",
    "after",
    "timeout",
    "connection",
    "closed",
    "by",
    "peer",
    "retrying",
    "in",
    "seconds",
    "checkpoint",
    "saved",
    "to",
    "disk",
    "evaluating",
    "validation",
    "set",
    "device",
    "selected",
    "slow",
    "response",
    "health",
    "check",
];

const LOGGERS: [&str; 8] = [
    "app.worker",
    "app.api",
    "mlx_lm.server",
    "uvicorn.error",
    "httpx",
    "app.cache",
    "app.db.session",
    "app.scheduler",
];

const PATHS: [&str; 8] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/models",
    "/health",
    "/metrics",
    "/api/v2/sessions/8213/messages?page=2&limit=50",
    "/static/js/main.4f2a91c7.js",
    "/v1/embeddings",
];

const LEVELS: [&str; 4] = ["INFO", "INFO", "DEBUG", "WARNING"];

/// Values, with the words around them. The secrets are made up, the people invented; numbers are
/// those that issuers document for tests.
const DIRTY: [&str; 20] = [
    "welcome mail sent to jane.roe@example.com",
    "login by omar.haddad@mail.example.org from 203.0.113.7",
    "client 198.51.100.23 closed the connection",
    "charge failed for 4111 1111 1111 1111, retry 2",
    "card 5555-5555-5555-4444 declined",
    "callback to +1 415-555-0132 scheduled",
    "please call (415) 555-0132 about the order",
    "connecting to postgres://app:C4naryPassw0rd@db.internal:5432/prod",
    "{'api_key': 'Zf3D0LXCM3EIMbgJpUNnCanary', 'n': 3}",
    "config loaded: password=C4nary-Hunter2x9 timeout=30",
    "Authorization: Bearer mF9.B5fCanaryToken41JqM0123456789",
    "OPENAI_API_KEY=sk-proj-CanaryDoNotUse0123456789abcdefABCDEF0123",
    "using hf_CanaryDoNotUseAbCdEfGhIjKlMnOpQrStUv for the hub",
    "aws key AKIACANARY3DONOTUSE7 rotated",
    "applicant 078-05-1120 verified",
    "refund to DE89370400440532013000 booked",
    "device 3c:22:fb:0a:9d:1e joined",
    "peer 2001:db8:85a3::8a2e:370:7334 answered",
    "prompt tokens [151644, 872, 198, 3838, 374, 279, 6722, 315, 9625, 13]",
    "session eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlQ2FuYXJ5 opened",
];

impl Log {
    fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, text: Vec::new(), clock: 0 }
    }

    /// xorshift64*.
    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("below a small limit")
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("writing to memory does not fail");
    }

    fn words(&mut self, least: usize, most: usize) -> String {
        let count = least + self.below(most - least + 1);
        (0..count).map(|_| self.pick(&WORDS)).collect::<Vec<_>>().join(" ")
    }

    fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }

    /// Hours, minutes, seconds, milliseconds.
    fn time(&mut self) -> (u64, u64, u64, u64) {
        self.clock += self.next() % 700;
        let seconds = self.clock / 1000;
        (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60, self.clock % 1000)
    }

    /// `2026-11-21 02:37:40,123`.
    fn asctime(&mut self) -> String {
        let (h, m, s, ms) = self.time();
        format!("2026-11-21 {h:02}:{m:02}:{s:02},{ms:03}")
    }

    fn dirty(&mut self, sort: Sort) {
        let value = self.pick(&DIRTY);
        let time = self.asctime();
        let logger = self.pick(&LOGGERS);
        match sort {
            Sort::Json => {
                let value = value.replace('"', "'");
                self.put(format_args!(
                    "{{\"ts\": \"{time}\", \"level\": \"info\", \"logger\": \"{logger}\", \"message\": \"{value}\", \"n\": 3}}\n"
                ));
            }
            Sort::Logfmt => {
                self.put(format_args!("ts=\"{time}\" level=info msg=\"{value}\" n=3\n"));
            }
            _ => self.put(format_args!("{time} - INFO - {logger} - {value}\n")),
        }
    }

    fn clean(&mut self, sort: Sort) {
        match sort {
            Sort::Server => self.server(),
            Sort::ServerDebug => self.server_debug(),
            Sort::Uvicorn => {
                let (port, path, status) = (
                    40_000 + self.below(20_000),
                    self.pick(&PATHS),
                    self.pick(&["200 OK", "200 OK", "404 Not Found", "422 Unprocessable Entity"]),
                );
                let method = self.pick(&["GET", "POST"]);
                self.put(format_args!(
                    "INFO:     127.0.0.1:{port} - \"{method} {path} HTTP/1.1\" {status}\n"
                ));
            }
            Sort::Logging => {
                let (time, level, logger) =
                    (self.asctime(), self.pick(&LEVELS), self.pick(&LOGGERS));
                let words = self.words(4, 12);
                let count = self.below(5000);
                let id = self.uuid();
                match self.below(4) {
                    0 => {
                        self.put(format_args!(
                            "{time} {level} {logger}: {words} ({count} items)\n"
                        ));
                    }
                    1 => self.put(format_args!("{time} - {level} - {logger} - {words}\n")),
                    2 => {
                        self.put(format_args!("{time} {level} [{logger}] request {id}: {words}\n"));
                    }
                    _ => self.put(format_args!(
                        "{time} - {level} - {logger} - {words} took {}.{:02} ms\n",
                        count / 100,
                        count % 100
                    )),
                }
            }
            Sort::Json => self.json(),
            Sort::Logfmt => {
                let (time, id, path) = (self.asctime(), self.uuid(), self.pick(&PATHS));
                let (words, ms) = (self.words(2, 6), self.below(900));
                self.put(format_args!(
                    "ts={}T{}Z level=info msg=\"{words}\" method=GET path={path} status=200 duration={ms}ms request_id={id} bytes={}\n",
                    &time[..10], &time[11..19], ms * 31
                ));
            }
            Sort::Training => self.training(),
            Sort::Traceback => self.traceback(),
            Sort::Nginx => self.nginx(),
        }
    }

    fn server(&mut self) {
        let (time, total) = (self.asctime(), 256 << self.below(5));
        let done = self.below(total);
        match self.below(5) {
            0 => self.put(format_args!("{time} - INFO - Prompt processing progress: {done}/{total}\n")),
            1 => self.put(format_args!(
                "{time} - INFO - KV Caches: {} seq, 0.{:02} GB, latest user cache {done} tokens\n",
                total / 256,
                done % 100
            )),
            2 => self.put(format_args!(
                "127.0.0.1 - - [21/Nov/2026 {}] \"POST /v1/chat/completions HTTP/1.1\" 200 -\n",
                &time[11..19]
            )),
            3 => {
                let words = self.words(5, 14);
                self.put(format_args!("{time} - INFO - {words}\n"));
            }
            _ => self.put(format_args!(
                "{time} - INFO - Generation: {done} tokens, {}.{:03} tokens-per-sec, peak memory 3.{:03} GB\n",
                done % 90,
                done % 1000,
                total % 1000
            )),
        }
    }

    fn server_debug(&mut self) {
        let (time, id, number) = (self.asctime(), self.uuid(), self.below(4000));
        self.put(format_args!(
            "{time} - DEBUG - Outgoing Response: {{\n  \"id\": \"chatcmpl-{id}\",\n  \"system_fingerprint\": \"0.30.1-0.29.1-Linux-x86_64-with-glibc2.36-applegpu\",\n  \"object\": \"chat.completion\",\n  \"model\": \"mlx-community/Llama-3.2-3B-Instruct-4bit\",\n  \"created\": {},\n  \"choices\": [\n    {{\n      \"index\": 0,\n      \"finish_reason\": \"length\",\n      \"logprobs\": {{\n        \"token_logprobs\": [],\n        \"top_logprobs\": []\n      }}\n    }}\n  ],\n  \"usage\": {{\n    \"prompt_tokens\": {number},\n    \"completion_tokens\": {},\n    \"total_tokens\": {}\n  }}\n}}\n",
            1_763_692_660 + number,
            number % 512,
            number + number % 512
        ));
    }

    fn json(&mut self) {
        let (time, id, logger) = (self.asctime(), self.uuid(), self.pick(&LOGGERS));
        let (words, path, ms) = (self.words(3, 9), self.pick(&PATHS), self.below(90_000));
        let commit = format!("{:016x}{:016x}{:08x}", self.next(), self.next(), self.next() >> 32);
        let stamp = format!("{}T{}.{}Z", &time[..10], &time[11..19], &time[20..]);
        if self.below(2) == 0 {
            self.put(format_args!(
                "{{\"ts\": \"{stamp}\", \"level\": \"info\", \"logger\": \"{logger}\", \"message\": \"{words}\", \"request_id\": \"{id}\", \"duration_ms\": {}.{:02}, \"status\": 200}}\n",
                ms / 100,
                ms % 100
            ));
        } else {
            self.put(format_args!(
                "{{\"timestamp\":\"{stamp}\",\"severity\":\"INFO\",\"message\":\"{words}\",\"http\":{{\"method\":\"GET\",\"path\":\"{path}\",\"status_code\":200}},\"trace_id\":\"{}\",\"commit\":\"{commit}\",\"count\":{ms}}}\n",
                &commit[..32]
            ));
        }
    }

    fn training(&mut self) {
        let (step, loss) = (self.below(2000), self.below(3000));
        if self.below(3) > 0 {
            self.put(format_args!(
                "Iter {step}: Train loss {}.{:03}, Learning Rate 1.000e-05, It/sec {}.{:03}, Tokens/sec {}.{:03}, Trained Tokens {}, Peak mem 3.210 GB\n",
                loss / 1000,
                loss % 1000,
                loss % 7,
                step % 1000,
                step % 900,
                loss % 1000,
                step * 377
            ));
        } else {
            let percent = step / 20;
            let bar = "#".repeat(percent / 10);
            self.put(format_args!(
                "\rEpoch 1: {percent:>3}%|{bar:<10}| {step}/2000 [{:02}:{:02}<{:02}:{:02},  {}.{:02}it/s]\n",
                step / 600,
                step / 10 % 60,
                (2000 - step) / 600,
                (2000 - step) / 10 % 60,
                1 + loss % 9,
                loss % 100
            ));
        }
    }

    fn traceback(&mut self) {
        let (line, line_two) = (self.below(900), self.below(400));
        let words = self.words(3, 8);
        let error = self.pick(&["ValueError", "RuntimeError", "KeyError", "TimeoutError"]);
        self.put(format_args!(
            "Traceback (most recent call last):\n  File \"/usr/lib/python3.12/site-packages/mlx_lm/server.py\", line {line}, in handle_completion\n    for response in stream_generate(model, tokenizer, prompt, max_tokens=max_tokens):\n  File \"/usr/lib/python3.12/site-packages/mlx_lm/generate.py\", line {line_two}, in generate_step\n    y, logprobs = _step(input_tokens=prompt[None], input_embeddings=None)\n{error}: {words}: shapes (1, {line}, 2048) and (1, {line_two}, 2048)\n"
        ));
    }

    fn nginx(&mut self) {
        let (time, path) = (self.asctime(), self.pick(&PATHS));
        let (a, b, size) = (self.below(250), self.below(250), self.below(50_000));
        self.put(format_args!(
            "198.51.{a}.{b} - - [21/Nov/2026:{} +0000] \"GET {path} HTTP/1.1\" 200 {size} \"https://www.example.org/start\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\"\n",
            &time[11..19]
        ));
    }
}
