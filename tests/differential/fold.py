"""A second implementation of the ledger format: from event files to the bytes of `current.md`.

Written from the format's specification alone, to be compared with the Rust program; sections of
the specification are cited as §n. It favours saying each rule once and plainly over speed, and
reads only: it neither archives nor writes files.

    python3 fold.py LEDGER_DIR [--config FILE]

As a library, `render(files, sections)` folds a ledger held in memory and `read_ledger(path)`
reads one from disk. Path names are `str` with `surrogateescape`, as `os.fsdecode` gives them.
"""

from __future__ import annotations

import argparse
import bisect
import hashlib
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from events import (
    DEFAULT_SECTIONS,
    Event,
    Schema,
    Section,
    instant_of,
    map_entries,
    normalise,
    parse_event,
    sections_of,
)
from nodes import (
    Node,
    Scalar,
    Sequence,
    Table,
    Unreadable,
    collapse,
    escape,
    escape_bold,
    escape_file_name,
    format_instant,
    is_absent,
    load,
    text_of,
    text_of_pairs,
    trim,
)

# --- What an event writes (§3) --------------------------------------------------------------


def register_write(event: Event, name: str) -> str:
    front, body = map(text_of, event.section(name))
    return body if trim(body) else front


def map_writes(event: Event, name: str) -> dict[str, Node]:
    """What the event writes to each key; where it writes one twice, the values are equal."""
    return {
        key: entry.value
        for part in event.section(name)
        for entry in map_entries(part)
        if (key := collapse(entry.key))
    }


def set_items(event: Event, name: str) -> list[str]:
    """The items in the order of their places."""
    texts: list[str] = []
    for part in event.section(name):
        if isinstance(part, Table):
            pairs = sorted((entry.key, text_of(entry.value)) for entry in part.entries)
            texts += (f"{key}: {text}" if trim(text) else key for key, text in pairs)
        else:
            texts += map(text_of, part.items if isinstance(part, Sequence) else [part])
    return [text for text in texts if trim(text)]


def list_items(event: Event, name: str) -> Iterator[tuple[int, str]]:
    """Time and rendered text of each item, in the order of their places."""
    for part in event.section(name):
        for node in part.items if isinstance(part, Sequence) else [part]:
            instant, text = list_item(node, event.instant)
            if text:
                yield instant, text


def list_item(node: Node, instant: int) -> tuple[int, str]:
    if isinstance(node, Table):
        updated = instant_of(node.get("updated"))
        if updated is not None:
            instant = updated
            node = Table([entry for entry in node.entries if entry.key != "updated"])
        if trim(phase := text_of(node.get("phase"))):
            return instant, phase_text(phase, node)
    return instant, escape(text_of(node))


def phase_text(phase: str, node: Table) -> str:
    text = f"**Phase {escape_bold(phase)}:**"
    if status := escape(text_of(node.get("status"))):
        text += f" {status}"
    if rest := escape(text_of_pairs(node, but={"phase", "status"})):
        text += f" ({rest})"
    return text


# --- The graph of events and contested writes (§5) ------------------------------------------


class Graph:
    """Which event descends from which, by what their `parents` say."""

    def __init__(self, events: Iterable[Event]):
        self.events = {event.id: event for event in events}
        self.ids = sorted(self.events)
        self.known: dict[str, set[str]] = {}

    def resolve(self, prefix: str) -> list[str]:
        """The id that `prefix` means, if it is the only one."""
        at = bisect.bisect_left(self.ids, prefix)
        matches = [event_id for event_id in self.ids[at : at + 2] if event_id.startswith(prefix)]
        return matches if len(matches) == 1 else []

    def ancestors(self, event: Event) -> set[str]:
        if event.id not in self.known:
            found: set[str] = set()
            pending = [event.id]
            while pending:
                for prefix in self.events[pending.pop()].parents or ():
                    new = set(self.resolve(prefix)) - found
                    found |= new
                    pending += new
            self.known[event.id] = found
        return self.known[event.id]


@dataclass
class Write:
    """A write of a register or of one key; `shown` is None for a removal, "" for empty."""

    event: Event
    shown: str | None


def contested_writes(writes: list[Write], graph: Graph) -> list[Write]:
    """The contested ones of all `writes`, which stand highest stamp first (the winner leads)."""
    winner, *others = writes
    if winner.event.parents is None:
        return []
    contested: dict[str | None, Write] = {}
    for write in others:
        if write.event.parents is None or write.shown == winner.shown:
            continue
        overwritten = any(
            write.event.id in graph.ancestors(other.event) for other in writes if other is not write
        )
        if not overwritten:
            contested.setdefault(write.shown, write)
    return list(contested.values())


# --- The view (§4, §6) ----------------------------------------------------------------------


Shown = TypeVar("Shown")


class View:
    """The fold of a set of events; `lines_of` renders one section."""

    def __init__(self, events: Iterable[Event], schema: Schema):
        self.events = sorted(events, key=lambda event: event.stamp)
        self.schema = schema
        self.graph = Graph(self.events)

    def blocks(self) -> Iterator[str]:
        renderers: dict[str, Callable[[Section], list[str]]] = {
            "map": self.map_lines,
            "set": self.set_lines,
            "list": self.list_lines,
        }
        written = {entry.key for event in self.events for entry in event.body.entries if trim(entry.key)}
        for section in self.schema.shown(written):
            if section.merge == "register":
                lines = self.register_lines(section)
                heading = ""
            else:
                lines = renderers[section.merge](section)
                heading = f"### {section.title}\n\n"
            if lines:
                yield heading + "\n".join(lines)

    def register_lines(self, section: Section) -> list[str]:
        texts = ((event, escape(register_write(event, section.name))) for event in reversed(self.events))
        writes = [Write(event, text) for event, text in texts if text]
        if not writes:
            return []
        return [
            f"**{section.title}:** {signed(writes[0].shown, writes[0].event)}",
            *(
                f"- also: {signed(write.shown, write.event)}"
                for write in contested_writes(writes, self.graph)
            ),
        ]

    def map_lines(self, section: Section) -> list[str]:
        keys: dict[str, list[Write]] = {}
        for event in reversed(self.events):
            for key, value in map_writes(event, section.name).items():
                shown = None if is_absent(value) else escape(text_of(value))
                keys.setdefault(key, []).append(Write(event, shown))
        items = [(keys[key][0].event.instant, self.key_lines(key, keys[key])) for key in sorted(keys)]
        earlier, shown = self.windowed(section, [item for item in items if item[1]])
        return [*earlier, *(line for lines in shown for line in lines)]

    def key_lines(self, key: str, writes: list[Write]) -> list[str]:
        winner = writes[0]
        contested = contested_writes(writes, self.graph)
        if winner.shown is None and not contested:
            return []
        label = escape_bold(key)
        if winner.shown == "":
            head = signed(f"- **{label}**", winner.event)
        else:
            head = f"- **{label}:** {signed(value_words(winner), winner.event)}"
        return [head, *(f"  - contested: {signed(value_words(write), write.event)}" for write in contested)]

    def set_lines(self, section: Section) -> list[str]:
        first, last = self.set_writes(section, section.name)
        if section.closed_by:
            _, closed = self.set_writes(section, section.closed_by)
            first = {
                identity: write
                for identity, write in first.items()
                if identity not in closed or last[identity].stamp > closed[identity].stamp
            }
        earlier, shown = self.windowed(
            section, [(last[identity].instant, write) for identity, write in first.items()]
        )
        if section.grouped:
            return [*earlier, *grouped_lines(shown)]
        return [*earlier, *(f"- {signed(escape(text), event)}" for event, text in shown)]

    def set_writes(
        self, section: Section, name: str
    ) -> tuple[dict[str, tuple[Event, str]], dict[str, Event]]:
        """By identity: the first write with its text, and the event of the last write."""
        first: dict[str, tuple[Event, str]] = {}
        last: dict[str, Event] = {}
        for event in self.events:
            for text in set_items(event, name):
                identity = section.identity_of(text)
                first.setdefault(identity, (event, text))
                last[identity] = event
        return first, last

    def list_lines(self, section: Section) -> list[str]:
        items = [
            (instant, f"- {format_instant(instant)} {text} ({escape(event.agent)})")
            for event in self.events
            for instant, text in list_items(event, section.name)
        ]
        earlier, shown = self.windowed(section, sorted(items, key=lambda item: item[0]))
        return [*earlier, *shown]

    def windowed(self, section: Section, items: list[tuple[int, Shown]]) -> tuple[list[str], list[Shown]]:
        """The line that counts what `show` leaves out, if it leaves out any, and what it does not."""
        if section.show is None or not items:
            return [], [item for _, item in items]
        oldest = self.events[-1].instant - section.show
        shown = [item for instant, item in items if instant >= oldest]
        earlier = len(items) - len(shown)
        return [f"- … {earlier} earlier"] if earlier else [], shown

    def footer(self) -> str:
        latest = format_instant(self.events[-1].instant) if self.events else "null"
        ids = "".join(f"{event_id}\n" for event_id in self.graph.ids)
        return (
            f"---\n_synthesized:\n  event_count: {len(self.events)}\n  latest_ts: {latest}\n"
            f"  generated_at: {latest}\n  events_sha256: {hashlib.sha256(ids.encode()).hexdigest()}\n\n---"
        )


def grouped_lines(items: list[tuple[Event, str]]) -> Iterator[str]:
    above = None
    for event, text in items:
        group = f"- **{event.day} {escape_bold(event.agent)}**"
        if branch := escape(event.branch):
            group += f" on {branch}"
        if group != above:
            yield group
        above = group
        yield f"  - {escape(text)}"


def signed(text: str, event: Event) -> str:
    return f"{text} ({escape(event.agent)}, {event.day})"


def value_words(write: Write) -> str:
    if write.shown is None:
        return "(removed)"
    guard = "\\" if write.shown in ("(removed)", "(empty)") else ""
    return guard + (write.shown or "(empty)")


# --- Ledgers (§1, §2, §8) -------------------------------------------------------------------

EVENT_NAME = re.compile(r"(?!README\.md\Z)[^./\0][^/\0]*\.md", re.DOTALL)
EVENT_PATH = re.compile(
    rf"(?:events/|(archive/[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}/))({EVENT_NAME.pattern})", re.DOTALL
)
PACK_PATH = re.compile(r"archive/[0-9]{4}-[0-9]{2}-[0-9]{2}/(pack-[^/]*\.yaml)", re.DOTALL)


def event_files(files: Mapping[str, bytes | None]) -> Iterator[tuple[str, bytes | None | Unreadable]]:
    """Row name and content of every event file and of what packs hold; a bad pack is an error."""
    for path, data in files.items():
        if match := EVENT_PATH.fullmatch(path):
            yield (match[1] or "") + match[2], data
        elif match := PACK_PATH.fullmatch(path):
            entries = read_pack(match[1], data)
            if entries is None:
                yield path, Unreadable("bad-pack")
            else:
                yield from ((f"{path}/{name}", text.encode()) for name, text in entries)


def read_pack(name: str, data: bytes | None) -> list[tuple[str, str]] | None:
    """Names and texts of a pack's events; None for a bad pack."""
    if data is None or name != f"pack-{hashlib.sha256(data).hexdigest()[:16]}.yaml":
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\r" in text or text.startswith("\ufeff"):
        return None
    root, fault = load(text)
    if fault or not isinstance(root, Sequence):
        return None
    entries = [pack_entry(item) for item in root.items]
    if None in entries:
        return None
    ids = [hashlib.sha256(text.encode()).digest() for _, text in entries]
    rising = all(one < other for one, other in zip(ids, ids[1:]))
    return entries if rising else None


def pack_entry(item: Node) -> tuple[str, str] | None:
    if not isinstance(item, Table) or {entry.key for entry in item.entries} != {"name", "text"}:
        return None
    name, text = item.get("name"), item.get("text")
    if not (isinstance(name, Scalar) and isinstance(text, Scalar)) or not EVENT_NAME.fullmatch(name.value):
        return None
    try:
        normal = normalise(text.value.encode())
    except Unreadable:
        return None
    return (name.value, text.value) if text.value == normal else None


def render(files: Mapping[str, bytes | None], sections: Iterable[Section] = DEFAULT_SECTIONS) -> bytes:
    """The bytes of `current.md`.

    `files` maps paths below the ledger directory to contents, None for what is not a file; paths
    that are neither events nor packs are ignored.
    """
    schema = Schema(tuple(sections))
    events: dict[str, Event] = {}
    unreadable: list[tuple[str, str]] = []
    for name, data in event_files(files):
        try:
            if isinstance(data, Unreadable):
                raise data
            event = parse_event(data, schema)
        except Unreadable as error:
            unreadable.append((name, str(error)))
        else:
            events[event.id] = event

    view = View(events.values(), schema)
    blocks = [*view.blocks()]
    if unreadable:
        in_order = sorted(unreadable, key=lambda line: (os.fsencode(line[0]), line[1]))
        lines = (f"- `{escape_file_name(name)}`: {code}" for name, code in in_order)
        blocks.append("### Unreadable Events\n\n" + "\n".join(lines))
    comment = "<!-- generated by headwater from events/: do not edit; add an event and run headwater -->"
    text = f"{comment}\n" + "\n\n".join(["## Ledger", *blocks, view.footer()]) + "\n"
    return text.encode()


def read_ledger(ledger: str) -> dict[str, bytes | None]:
    """The files of a ledger directory as `render` takes them, `events/` before `archive/`."""
    folders = ["events"]
    archive = os.path.join(ledger, "archive")
    if os.path.isdir(archive):
        with os.scandir(archive) as entries:
            folders += (f"archive/{e.name}" for e in entries if e.is_dir(follow_symlinks=False))
    files: dict[str, bytes | None] = {}
    for folder in folders:
        if not os.path.isdir(os.path.join(ledger, folder)):
            continue
        for name in os.listdir(os.path.join(ledger, folder)):
            path = f"{folder}/{name}"
            if EVENT_PATH.fullmatch(path) or PACK_PATH.fullmatch(path):
                files[path] = read_file(os.path.join(ledger, path))
    return files


def read_file(path: str) -> bytes | None:
    if not stat.S_ISREG(os.lstat(path).st_mode):
        return None
    with open(path, "rb") as file:
        return file.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("ledger", metavar="LEDGER_DIR")
    parser.add_argument("--config", metavar="FILE")
    arguments = parser.parse_args()
    sections = DEFAULT_SECTIONS
    if arguments.config:
        with open(arguments.config, encoding="utf-8") as file:
            sections = sections_of(file.read())
    sys.stdout.buffer.write(render(read_ledger(arguments.ledger), sections))


if __name__ == "__main__":
    main()
