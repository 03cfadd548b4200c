"""Folds random ledgers with `fold.py` and with a `headwater` binary, and compares the bytes.

    python3 compare.py --headwater PATH_TO_BINARY [--count N] [--seed FIRST] [--keep DIR] [--without packs]
    python3 compare.py --coverage [--count N] [--seed FIRST]

Prints the seeds, and exits with 1 and the first difference as a unified diff if there is one. Every
ledger that differs is kept with both views, without the files that the difference does not need. `--coverage` runs no binary: it counts what the generated
ledgers exercise.
"""

from __future__ import annotations

import argparse
import collections
import difflib
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import events
import fold
import generate
import nodes

TIMEOUT_SECONDS = 60
CODES = [
    *("not-a-file", "too-large", "not-utf8", "no-frontmatter", *nodes.IN_TEXT_ORDER),
    *("bad-ts", "bad-agent", "bad-section", "bad-pack"),
]
FEATURES = {
    "contested writes": rb"^(?:- also: |  - contested: )",
    "removals that win": rb"^- \*\*.*:\*\* \(removed\) ",
    "contested removals": rb"^  - contested: \(removed\) ",
    "empty values": rb"^- \*\*.*[^:]\*\* \(",
    "groups": rb"^  - (?!contested: )",
    "groups with a branch": rb"^- \*\*\d{4}-\d\d-\d\d .*\*\* on ",
    "titles that are taken": rb"^### .* \(undeclared\)$",
    "joiners that stay": b"\xe2\x80\x8d|\xef\xb8\x8f",
    "rows of packed entries": rb"^- `archive/[0-9-]+/pack-[^/`]*\.yaml/",
    "items left out by `show`": rb"^- \xe2\x80\xa6 \d+ earlier$",
    "phases": rb"^- \S+Z \*\*Phase ",
    "escapes": rb"\\u\{|&lt;|^- \\",
    "archived unreadable files": rb"^- `archive/",
    "no events": rb"^  event_count: 0$",
}


@dataclass
class Difference:
    """A seed whose two views differ, or where the program failed."""

    seed: int
    report: str


def expected_view(folder: str, config: str | None) -> bytes:
    sections = events.sections_of(config) if config is not None else events.DEFAULT_SECTIONS
    return fold.render(fold.read_ledger(folder), sections)


def run_headwater(binary: str, folder: str, config: str | None) -> subprocess.CompletedProcess[bytes]:
    command = [binary, "synth", "--dir", folder, "--no-confirm", "--output", "-"]
    if config is not None:
        command += ["--config", os.path.join(folder, "config.yaml")]
    environment = {name: value for name, value in os.environ.items() if name != "HEADWATER_DIR"}
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        late = f"no end within {TIMEOUT_SECONDS} seconds".encode()
        return subprocess.CompletedProcess(command, -1, b"", late)


def unified_diff(expected: bytes, actual: bytes) -> str:
    lines = (view.decode("utf-8", "backslashreplace").split("\n") for view in (expected, actual))
    return "\n".join(difflib.unified_diff(*lines, "fold.py", "headwater", lineterm=""))


def views(ledger: generate.Ledger, binary: str) -> tuple[bytes, subprocess.CompletedProcess[bytes]]:
    with tempfile.TemporaryDirectory(prefix="headwater-") as folder:
        ledger.write(folder)
        return expected_view(folder, ledger.config), run_headwater(binary, folder, ledger.config)


def differs(ledger: generate.Ledger, binary: str) -> bool:
    expected, result = views(ledger, binary)
    return result.returncode != 0 or result.stdout != expected


def shrunk(ledger: generate.Ledger, binary: str) -> generate.Ledger:
    """The ledger without the files that the difference does not need."""
    files = dict(ledger.files)
    for path in list(files):
        fewer = {other: content for other, content in files.items() if other != path}
        if differs(generate.Ledger(fewer, ledger.config), binary):
            files = fewer
    return generate.Ledger(files, ledger.config)


def save(ledger: generate.Ledger, folder: str, binary: str) -> str:
    """Writes a ledger with both views, and says how they differ."""
    ledger.write(folder)
    expected, result = views(ledger, binary)
    for name, view in ("expected.md", expected), ("actual.md", result.stdout):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(view)
    if result.returncode != 0:
        return f"exit {result.returncode}: {result.stderr.decode(errors='replace')}"
    return unified_diff(expected, result.stdout)


def compare(seed: int, binary: str, keep: str, odd_packs: bool) -> Difference | None:
    ledger = generate.generate(seed, odd_packs=odd_packs)
    if not differs(ledger, binary):
        return None
    folder = os.path.join(keep, f"seed-{seed}")
    shutil.rmtree(folder, ignore_errors=True)
    report = save(shrunk(ledger, binary), folder, binary)
    return Difference(seed, f"{report}\nthe ledger, as small as it differs: {folder}")


def exercised(seed: int) -> set[str]:
    """What the view of one generated ledger shows to have been tried."""
    ledger = generate.generate(seed)
    with tempfile.TemporaryDirectory(prefix="headwater-") as folder:
        ledger.write(folder)
        view = expected_view(folder, ledger.config)
    found = {name for name, pattern in FEATURES.items() if re.search(pattern, view, re.MULTILINE)}
    codes = {code for code in CODES if re.search(rf"^- `.*`: {code}$".encode(), view, re.MULTILINE)}
    agents = set(re.findall(rb"\(([^()]*)\)$", view, re.MULTILINE))
    branches = {"several agents"} if len(agents) > 1 else set()
    kinds = {"packs"} if any(path.endswith(".yaml") for path in ledger.files) else set()
    return found | codes | branches | kinds | ({"configuration"} if ledger.config else set())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--headwater", metavar="PATH", help="the binary to compare with")
    what.add_argument("--coverage", action="store_true", help="only count what the ledgers exercise")
    parser.add_argument("--count", type=int, default=2000, help="number of ledgers (default: 2000)")
    parser.add_argument("--seed", type=int, help="the first seed (default: one that the clock gives)")
    parser.add_argument(
        "--keep",
        metavar="DIR",
        default=os.path.join(tempfile.gettempdir(), "headwater-differences"),
        help="where to save ledgers that differ (default: %(default)s)",
    )
    parser.add_argument(
        "--without", choices=["packs"], help="leave out packs but those that the program writes"
    )
    arguments = parser.parse_args()
    first = time.time_ns() // 1_000_000 if arguments.seed is None else arguments.seed
    seeds = range(first, first + arguments.count)
    print(f"{len(seeds)} ledgers, seeds {seeds.start} to {seeds.stop - 1}", flush=True)

    with ProcessPoolExecutor() as pool:
        if arguments.coverage:
            counts = collections.Counter(
                name for names in pool.map(exercised, seeds, chunksize=20) for name in names
            )
            for name in [*CODES, *FEATURES, "several agents", "packs", "configuration"]:
                print(f"{counts[name]:6} of {len(seeds)}  {name}")
            return 0
        binary = os.path.abspath(arguments.headwater)
        if not os.path.isfile(binary):
            parser.error(f"there is no binary at {arguments.headwater}")
        work = functools.partial(
            compare, binary=binary, keep=arguments.keep, odd_packs=arguments.without != "packs"
        )
        differences = [difference for difference in pool.map(work, seeds, chunksize=5) if difference]
    if not differences:
        print(f"{len(seeds)} ledgers agree")
        return 0
    first = differences[0]
    print(
        f"{len(differences)} of {len(seeds)} ledgers differ; the first is that of seed {first.seed}:\n{first.report}"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
