//! The modules that are mutated, and the tests that judge each.

/// A module: its sources and the tests that must notice a change in it.
#[derive(Debug)]
pub struct Module {
    /// Its name in the report.
    pub name: &'static str,
    /// Files and directories below `src/`.
    pub sources: &'static [&'static str],
    /// Filters of the unit tests; a run with all of them takes less than 20 s.
    pub unit: &'static [&'static str],
    /// Filters of the process tests, run after the unit tests.
    pub suite: &'static [&'static str],
}

/// All modules.
pub const MODULES: [Module; 10] = [
    Module { name: "crdt", sources: &["crdt"], unit: &["crdt::", "ledger::"], suite: &["golden::", "order::"] },
    Module {
        name: "ledger",
        sources: &["ledger"],
        unit: &["ledger::"],
        suite: &["golden::", "archive::", "check::", "merging::", "format::", "packs::", "inspect::"],
    },
    Module {
        name: "event",
        sources: &["event"],
        unit: &["event::", "ledger::", "config::"],
        suite: &["golden::", "formatters::", "format::"],
    },
    Module {
        name: "store",
        sources: &["store"],
        unit: &["store::"],
        suite: &["archive::", "faults::", "concurrent::", "cli::", "check::", "packs::", "attack_bounds::"],
    },
    Module {
        name: "ids::fold",
        sources: &["ids/fold.rs"],
        unit: &["ids::"],
        suite: &["ids::", "ids_logs::", "attack_logs::"],
    },
    Module {
        name: "ids::settle",
        sources: &["ids/settle.rs"],
        unit: &["ids::"],
        suite: &["ids::", "ids_logs::", "attack_logs::"],
    },
    Module {
        name: "ids::allocator",
        sources: &["ids/allocator.rs", "ids/reserve.rs"],
        unit: &["ids::"],
        suite: &["ids::", "ids_logs::", "attack_logs::"],
    },
    Module {
        name: "ids::contract",
        sources: &["ids/contract.rs"],
        unit: &["ids::"],
        suite: &["ids::", "ids_logs::", "ledger::"],
    },
    Module { name: "secrets", sources: &["secrets"], unit: &["secrets::"], suite: &["secrets::"] },
    Module {
        name: "trust",
        sources: &["trust"],
        unit: &["trust::"],
        suite: &["attack_remotes::", "attack_paths::", "attack_logs::", "attack_authors::"],
    },
];
