//! Scans that were done before. What came of one is kept under a hash of all that it depends on:
//! the files with their names, the version, the rules, the user's own models. So it holds for these files, whoever
//! changed what in between, and for no others.

mod store;

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use rayon::prelude::*;
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use crate::files::{Expected, Source, hash};
use crate::model::Models;
use crate::program::Packages;
use crate::scan::{Report, Setup, Watch, pooled, scan_here};

/// What a file of the cache begins with. Another form has another number.
const MAGIC: &[u8] = b"tacenda scan cache 1\n";
/// Bytes of a SHA-256.
const HASH: usize = 32;
/// So many scans are kept, those that were wanted last.
const MAX_ENTRIES: usize = 64;
/// A scan that comes to more is not kept.
const MAX_ENTRY: u64 = 4 << 20;
/// The end of the names of scans.
const ENDING: &str = ".scan";
/// The beginning of the names of files that are being written.
const UNFINISHED: &str = ".unfinished-";
/// A file that is being written for longer belongs to a run that was killed.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// A directory with what came of scans. It holds places and rules, no source text.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: PathBuf,
}

/// Why a directory is not used as a cache.
#[derive(Debug, thiserror::Error)]
pub enum BadCache {
    /// It cannot be made or read.
    #[error("cannot use the cache directory: {0}")]
    Unusable(io::Error),
    /// Somebody else could put findings into it, or take them out.
    #[error("the cache directory belongs to another user, or others may write to it")]
    NotOurs,
}

impl Cache {
    /// The cache in a directory, which is made if it is not there.
    pub fn open(directory: &Path) -> Result<Self, BadCache> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        let metadata = made.and_then(|()| fs::metadata(directory)).map_err(BadCache::Unusable)?;
        if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
            return Err(BadCache::NotOurs);
        }
        Ok(Self { directory: directory.to_owned() })
    }

    /// Scans files, or tells what came of it when the same files were scanned before.
    pub fn scan(&self, sources: &[Source], setup: Setup<'_>, watch: Watch<'_>) -> Report {
        pooled(setup.threads, || {
            let hashes: Vec<_> = sources.par_iter().map(|source| hash(&source.raw())).collect();
            let key = key(sources, &hashes, setup.models);
            if let Some(report) = key.and_then(|key| self.find(&key, sources)) {
                return report;
            }
            let differs = Arc::new(AtomicBool::new(false));
            let expected = |(source, hash): (&Source, Option<[u8; HASH]>)| {
                let mut source = source.clone();
                source.expected = Some(Expected { hash, differs: Arc::clone(&differs) });
                source
            };
            let watched: Vec<Source> = sources.iter().zip(hashes).map(expected).collect();
            let report = scan_here(&watched, setup.models, watch);
            // What was scanned is what was hashed, or it is not kept.
            if let Some(key) = key.filter(|_| !differs.load(Ordering::Relaxed)) {
                // That it cannot be kept is no reason to fail.
                let _ = self.keep(&key, &report, sources);
            }
            report
        })
    }

    fn find(&self, key: &[u8; HASH], sources: &[Source]) -> Option<Report> {
        let path = self.path(key);
        let mut options = OpenOptions::new();
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.read(true).custom_flags(flags.bits().cast_signed());
        let file = options.open(&path).ok()?;
        let metadata = file.metadata().ok()?;
        if !metadata.is_file() || metadata.len() > MAX_ENTRY {
            return None;
        }
        let mut bytes = Vec::new();
        (&file).take(MAX_ENTRY).read_to_end(&mut bytes).ok()?;
        let rest = bytes.strip_prefix(MAGIC)?.strip_prefix(key)?;
        let (sum, content) = rest.split_at_checked(HASH)?;
        if Sha256::digest(content).as_slice() != sum {
            return None;
        }
        let report = store::read(content, sources)?;
        // What is wanted stays longest.
        let _ = file.set_modified(SystemTime::now());
        Some(report)
    }

    fn keep(&self, key: &[u8; HASH], report: &Report, sources: &[Source]) -> io::Result<()> {
        let Some(content) = store::write(report, sources) else { return Ok(()) };
        let bytes = [MAGIC, key, &Sha256::digest(&content), &content].concat();
        if bytes.len() as u64 > MAX_ENTRY {
            return Ok(());
        }
        // Mode 0600, and whole as soon as it has its name.
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.directory)?;
        file.write_all(&bytes)?;
        file.persist(self.path(key))?;
        self.sweep()
    }

    /// Removes scans that nobody has wanted for longest, and what killed runs left.
    fn sweep(&self) -> io::Result<()> {
        let mut scans = Vec::new();
        for entry in fs::read_dir(&self.directory)?.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) else {
                continue;
            };
            let abandoned = || modified.elapsed().is_ok_and(|age| age > ABANDONED);
            if is_scan(&name) {
                scans.push((modified, entry.path()));
            } else if name.starts_with(UNFINISHED) && abandoned() {
                let _ = fs::remove_file(entry.path());
            }
        }
        scans.sort_by(|one, two| two.cmp(one));
        for (_, path) in scans.iter().skip(MAX_ENTRIES) {
            // Another run may have done so.
            let _ = fs::remove_file(path);
        }
        Ok(())
    }

    fn path(&self, key: &[u8; HASH]) -> PathBuf {
        let mut name = String::with_capacity(2 * HASH + ENDING.len());
        for byte in key {
            let _ = write!(name, "{byte:02x}");
        }
        name.push_str(ENDING);
        self.directory.join(name)
    }
}

/// Whether a file of the directory is one of ours: it may hold others.
fn is_scan(name: &str) -> bool {
    name.strip_suffix(ENDING).is_some_and(|name| {
        name.len() == 2 * HASH && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// A hash of all that the report depends on. Nothing if that cannot be known.
fn key(sources: &[Source], hashes: &[Option<[u8; HASH]>], models: &Models) -> Option<[u8; HASH]> {
    let packages = Packages::of(sources);
    let mut whole = Sha256::new();
    let mut part = |bytes: &[u8]| {
        whole.update((bytes.len() as u64).to_le_bytes());
        whole.update(bytes);
    };
    part(MAGIC);
    part(env!("CARGO_PKG_VERSION").as_bytes());
    part(env!("TACENDA_SCAN_BUILD").as_bytes());
    part(models.digest());
    for (source, hash) in sources.iter().zip(hashes) {
        part(source.path.as_os_str().as_encoded_bytes());
        part(packages.module(&source.path).as_bytes());
        part(&[u8::from(source.named)]);
        part(hash.as_ref()?);
    }
    Some(whole.finalize().into())
}
