//! Whether work may be spread over several threads.

use std::sync::OnceLock;

/// Whether the pool of threads is there. Where the system gives no thread (a limit on processes or on memory), all
/// work is done on the one that asks; without this question the pool's first use would end the process.
#[must_use]
pub fn are_several() -> bool {
    static POOL: OnceLock<bool> = OnceLock::new();
    *POOL.get_or_init(|| match rayon::ThreadPoolBuilder::new().build_global() {
        Ok(()) => rayon::current_num_threads() > 1,
        Err(_no_threads) => false,
    })
}
