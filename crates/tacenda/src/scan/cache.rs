//! Where what came of scans is kept.

use std::env;
use std::path::{Path, PathBuf};

use tacenda_scan::{BadCache, Cache};

use crate::failure::{Failure, reason, warn};

/// The cache in the directory that was named, else that of the user. A directory that was named
/// has to do; without the user's own there is no cache.
pub(super) fn open(named: Option<&Path>) -> Result<Option<Cache>, Failure> {
    if let Some(directory) = named {
        return Cache::open(directory).map(Some).map_err(|bad| {
            let failure = match &bad {
                BadCache::Unusable(error) => {
                    Failure::new(format!("cannot use the cache directory: {}", reason(error)))
                }
                BadCache::NotOurs => Failure::new(bad.to_string()).hint(OURS),
            };
            failure.at(directory)
        });
    }
    let Some(directory) = of_user() else { return Ok(None) };
    match Cache::open(&directory) {
        Ok(cache) => Ok(Some(cache)),
        Err(BadCache::Unusable(_)) => Ok(None),
        Err(bad @ BadCache::NotOurs) => {
            warn(&format!("{bad}, and is not used: {}", directory.display()), Some(OURS));
            Ok(None)
        }
    }
}

const OURS: &str = "`chmod 0700` it, name another one with --cache-dir, or scan with --no-cache";

/// The directory for what can be made again, as the platform has it.
fn of_user() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| {
        let below = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        absolute("HOME").map(|home| home.join(below))
    });
    Some(caches?.join("tacenda/scan"))
}
