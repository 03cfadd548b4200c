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
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from ruamel.yaml.reader import Reader
from ruamel.yaml.scanner import Scanner

# --- Text -----------------------------------------------------------------------------------

WHITE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""Unicode's White_Space; `str.strip()` without an argument would also take U+001C to U+001F."""

WHITE_RUN = re.compile(f"[{WHITE}]+")
LEADING_BLANK_LINES = re.compile(f"(?:[{WHITE}]*\n)?")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
RAW_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
NOT_SEEN = (
    "\u00ad\u034f\u061c\u070f\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
NAMED = re.compile(f"[\x00-\x1f\x7f-\x9f{NOT_SEEN}]")
"""What rule 2 of the escaping names."""

MARKUP_AT_START = re.compile(
    r"[>|]|#{1,6}(?: |\Z)|[-+*](?: |\Z)|([-*_=`~])\1\1|[- ]+\Z|[* ]+\Z|[_ ]+\Z|\$\$"
    r"|\[(?=.*\]:)|\[[ xX]\](?: |\Z)"
)
ORDINAL_AT_START = re.compile(r"([0-9]{1,9})([.)])(?= |\Z)")


def trim(text: str) -> str:
    return text.strip(WHITE)


def collapse(text: str) -> str:
    return WHITE_RUN.sub(" ", trim(text))


def lower_ascii(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def spell_out(match: re.Match[str]) -> str:
    return f"\\u{{{ord(match[0]):x}}}"


def spell_out_unseen(text: str) -> str:
    """Rule 2: a variation selector or joiner stays where it changes what stands before it."""
    spelt = []
    variation_may_follow = joiner_may_follow = False
    for char in text:
        named = NAMED.fullmatch(char)
        variation = char in "\ufe0e\ufe0f" and variation_may_follow
        stays = not named or variation or (char in "\u200c\u200d" and joiner_may_follow)
        spelt.append(char if stays else spell_out(named))
        variation_may_follow = not named and char not in WHITE
        joiner_may_follow = variation_may_follow or variation
    return "".join(spelt)


def guard_start(text: str, spared: str) -> str:
    """Rule 4, but for texts that start with a character of `spared`."""
    if text.startswith(tuple(spared)):
        return text
    if MARKUP_AT_START.match(text):
        return "\\" + text
    return ORDINAL_AT_START.sub(r"\1\\\2", text, count=1) if ORDINAL_AT_START.match(text) else text


def escape(text: str, *, spared: str = "", double: bool = False) -> str:
    """One line that cannot pass for structure (§6)."""
    text = collapse(text)
    if double:
        text = text.replace("\\", "\\\\")
    text = spell_out_unseen(text)
    text = re.sub("<(?=[!/?A-Za-z])", "&lt;", text)
    text = text.replace("![", r"!\[")
    return guard_start(text, spared)


def escape_bold(text: str) -> str:
    """For map keys, phases and a group's agent, which stand between `**`."""
    text = escape(text, spared="*`", double=True).replace("*", r"\*")
    if "``" in text or text.count("`") % 2:
        text = text.replace("`", r"\`")
    return text


def escape_title(title: str) -> str:
    return escape(title, spared="#").replace("#", r"\#")


def escape_file_name(name: str) -> str:
    name = re.sub("[\u2028\u2029`]", spell_out, spell_out_unseen(name))
    return re.sub("[\udc80-\udcff]", r"\\u{fffd}", name)


# --- Instants (§2, §6) ----------------------------------------------------------------------

SECOND = 10**9
TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
EPOCH = datetime(1970, 1, 1)
END_OF_TIME = ((datetime(9999, 12, 31) - EPOCH).days + 1) * 86400 * SECOND


def parse_instant(text: str) -> int | None:
    """Nanoseconds since 1970, or None where `text` is no valid `ts`."""
    match = TIMESTAMP.fullmatch(text)
    if not match:
        return None
    written, fraction, sign, hours, minutes = match.groups()
    try:
        local = datetime.strptime(written, "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return None
    if local.year < 1970:
        return None
    seconds = (local - EPOCH) // timedelta(seconds=1)
    if sign:
        offset = int(hours) * 3600 + int(minutes) * 60
        seconds -= offset if sign == "+" else -offset
    instant = seconds * SECOND + int((fraction or "").ljust(9, "0"))
    return instant if 0 <= instant < END_OF_TIME else None


def format_instant(instant: int) -> str:
    seconds, nanos = divmod(instant, SECOND)
    text = (EPOCH + timedelta(seconds=seconds)).isoformat()
    digits = f"{nanos:09}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def format_day(instant: int) -> str:
    return format_instant(instant)[:10]


# --- YAML nodes (§2, §3) --------------------------------------------------------------------


@dataclass
class Scalar:
    value: str
    plain: bool = False


@dataclass
class Sequence:
    items: list[Node] = field(default_factory=list)


@dataclass
class Entry:
    """One key of a mapping and where it stands in its text."""

    key: str
    place: int
    value: Node


@dataclass
class Table:
    """A YAML mapping, in the order of its text."""

    entries: list[Entry] = field(default_factory=list)

    def get(self, *names: str) -> Node:
        """The value of the first of `names` that is not absent."""
        for name in names:
            for entry in self.entries:
                if entry.key == name and not is_absent(entry.value):
                    return entry.value
        return ABSENT


Node = Scalar | Sequence | Table
ABSENT = Scalar("", plain=True)


def is_absent(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and node.value in ("", "~", "null", "Null", "NULL")


def text_of(node: Node) -> str:
    """`text(node)` (§3); an absent node has none."""
    if is_absent(node):
        return ""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return ", ".join(text for text in map(text_of, node.items) if trim(text))
    for name in ("task", "text"):
        if trim(head := text_of(node.get(name))):
            rest = text_of_pairs(node, but={name})
            return f"{head} ({rest})" if rest else head
    return text_of_pairs(node)


def text_of_pairs(table: Table, but: set[str] = frozenset()) -> str:
    pairs = ((entry.key, text_of(entry.value)) for entry in table.entries if entry.key not in but)
    return "; ".join(f"{key}: {text}" for key, text in sorted(pairs) if trim(text))


# --- Reading YAML (§2, §7) ------------------------------------------------------------------

IN_TEXT_ORDER = ("bad-yaml", "not-plain", "too-deep", "duplicate-key")
MAX_DEPTH = 16


@dataclass(order=True)
class Fault:
    """One of the four faults that are reported by their order in the text."""

    place: int
    rank: int

    @classmethod
    def at(cls, place: int, code: str) -> Fault:
        return cls(place, IN_TEXT_ORDER.index(code))

    @property
    def code(self) -> str:
        return IN_TEXT_ORDER[self.rank]


class Unreadable(Exception):
    """An event file that gives nothing; its argument is the code of §7."""


class StopReading(Exception):
    """A fault met while building nodes; what comes after it in the text does not count."""

    def __init__(self, place: int, code: str):
        super().__init__(code)
        self.fault = Fault.at(place, code)


class AnyTextReader(Reader):
    """A reader that leaves it to §2 which characters may stand in the text."""

    def check_printable(self, data: str) -> None:
        pass


class DirectiveScanner(Scanner):
    """A scanner that remembers where it met a directive, known or not."""

    directive: int | None = None

    def fetch_directive(self) -> None:
        if self.directive is None:
            self.directive = self.reader.index
        super().fetch_directive()


class TreeBuilder:
    """Builds a node from parser events, as far as the text is sound."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.open: list[Sequence | Table] = []
        self.key_is_next: list[bool] = []

    def feed(self, event: NodeEvent | DocumentStartEvent | CollectionEndEvent) -> None:
        place = event.start_mark.index
        if isinstance(event, DocumentStartEvent):
            if self.root is not None:
                raise StopReading(place, "not-plain")
        elif isinstance(event, CollectionEndEvent):
            self.open.pop()
            self.key_is_next.pop()
        elif isinstance(event, NodeEvent):
            self.feed_node(event, place)

    def feed_node(self, event: NodeEvent, place: int) -> None:
        if isinstance(event, AliasEvent) or event.anchor or event.tag:
            raise StopReading(place, "not-plain")
        if self.key_is_next and self.key_is_next[-1]:
            self.add_key(event, place)
        elif isinstance(event, ScalarEvent):
            self.add(scalar_of(event, place))
        else:
            if len(self.open) == MAX_DEPTH:
                raise StopReading(place, "too-deep")
            node = Table() if isinstance(event, MappingStartEvent) else Sequence()
            self.add(node)
            self.open.append(node)
            self.key_is_next.append(isinstance(node, Table))

    def add_key(self, event: NodeEvent, place: int) -> None:
        if not isinstance(event, ScalarEvent):
            raise StopReading(place, "not-plain")
        key = scalar_of(event, place)
        if key == Scalar("<<", plain=True):
            raise StopReading(place, "not-plain")
        entries = self.open[-1].entries
        if any(entry.key == key.value for entry in entries):
            raise StopReading(place, "duplicate-key")
        entries.append(Entry(key.value, place, ABSENT))
        self.key_is_next[-1] = False

    def add(self, node: Node) -> None:
        if not self.open:
            self.root = node
        elif isinstance(self.open[-1], Sequence):
            self.open[-1].items.append(node)
        else:
            self.open[-1].entries[-1].value = node
            self.key_is_next[-1] = True


def scalar_of(event: ScalarEvent, place: int) -> Scalar:
    if re.search("[\ud800-\udfff]", event.value):
        raise StopReading(place, "bad-yaml")  # an escape that is no character
    return Scalar(event.value, plain=not event.style)


def load(text: str) -> tuple[Node, Fault | None]:
    """The one document of `text`, and its first fault; with a fault, what stands before it."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Reader = AnyTextReader
    yaml.Scanner = DirectiveScanner
    builder = TreeBuilder()
    faults = [Fault.at(match.start(), "bad-yaml") for match in RAW_CONTROL.finditer(text)][:1]
    try:
        # Controls have their fault already; a stand-in keeps the parser going up to there.
        for event in yaml.parse(RAW_CONTROL.sub("\ue000", text)):
            builder.feed(event)
    except StopReading as stop:
        faults.append(stop.fault)
    except MarkedYAMLError as error:
        code = "not-plain" if "undefined tag handle" in str(error.problem) else "bad-yaml"
        faults.append(Fault.at(error.problem_mark.index, code))
    except (YAMLError, ValueError, OverflowError):
        faults.append(Fault.at(len(text), "bad-yaml"))
    if yaml.scanner.directive is not None:
        faults.append(Fault.at(yaml.scanner.directive, "not-plain"))
    return builder.root or ABSENT, min(faults, default=None)


# --- Sections and configuration (§3) --------------------------------------------------------


@dataclass(frozen=True)
class Section:
    name: str
    title: str
    merge: str = "set"
    identity: str = "words"
    closed_by: str | None = None
    show: int | None = None
    grouped: bool = False

    def identity_of(self, item: str) -> str:
        return trim(item) if self.identity == "exact" else collapse(item)


DEFAULT_SECTIONS = (
    Section("goal", "Goal", "register"),
    Section("now", "Now", "register"),
    Section("open_questions", "Open Questions", identity="exact", closed_by="resolved_questions"),
    Section("decisions", "Decisions", "map"),
    Section("answers", "Answers", "map"),
    Section("checkpoints", "Checkpoints", "list"),
    Section("this_session", "This Session", grouped=True),
)
WINDOW_UNITS = {"h": 3600 * SECOND, "d": 86400 * SECOND, "w": 7 * 86400 * SECOND}


def title_of(name: str) -> str:
    """The title of a section that nobody declared."""
    title = re.sub("[_-]", " ", name)
    title = re.sub("(?:\\A| )[a-z]", lambda match: match[0].upper(), title)
    return title if trim(title) else name


def sections_of(config: str) -> tuple[Section, ...]:
    """The declared sections after the `sections:` of a configuration file."""
    root, fault = load(config)
    if fault:
        raise SystemExit(f"the configuration is {fault.code}")
    declared = {section.name: section for section in DEFAULT_SECTIONS}
    stated = root.get("sections") if isinstance(root, Table) else ABSENT
    for item in stated.items if isinstance(stated, Sequence) else ():
        options = {entry.key: entry.value.value for entry in item.entries}
        if "show" in options:
            options["show"] = int(options["show"][:-1]) * WINDOW_UNITS[options["show"][-1]]
        if "grouped" in options:
            options["grouped"] = options["grouped"] == "true"
        name = options["name"]
        base = declared.get(name) or Section(name, title_of(name))
        declared[name] = replace(base, **options)
    return tuple(declared.values())


class Schema:
    """The declared sections, and what a key means to them."""

    def __init__(self, sections: Iterable[Section]):
        self.closing = {section.closed_by for section in sections if section.closed_by}
        self.declared = {section.name: section for section in sections}
        self.names = {*self.declared, *self.closing}

    def maps(self) -> list[Section]:
        return [section for section in self.declared.values() if section.merge == "map"]

    def merge_of(self, name: str) -> str:
        return self.declared[name].merge if name in self.declared else "set"

    def shown(self, written: Iterable[str]) -> Iterator[Section]:
        """The sections in the order of the view; `written` names those that events write."""
        yield from (section for name, section in self.declared.items() if name not in self.closing)
        for name in sorted(set(written) - self.names):
            yield Section(name, self.undeclared_title(name))

    def undeclared_title(self, name: str) -> str:
        taken = {section.title for section in self.declared.values()} | {"unreadable events"}
        title = title_of(name)
        known = lower_ascii(collapse(title)) in {lower_ascii(collapse(other)) for other in taken}
        return escape_title(title) + (" (undeclared)" if known else "")


# --- Markdown bodies (§2) -------------------------------------------------------------------

HEADING = re.compile(r"#{1,6}(?: (.*))?")
FENCE_START = re.compile(r"( {0,3}|[-*+] [ \t]*)(`{3,}(?=[^`]*\Z)|~{3,})")
BREAK = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}")
MAP_ITEM = re.compile(r"\*\*(?P<key>(?:(?!\*\*).)+?)(?::\*\*|\*\*:)(?: (?P<value>.*))?", re.DOTALL)
BOLD_ITEM = re.compile(r"\*\*(?P<key>(?:(?!\*\*).)+)\*\*(?P<value>)", re.DOTALL)


def fenced(lines: list[str]) -> list[bool]:
    """For each line of a body, whether it belongs to a fence."""
    marks = []
    closing: re.Pattern[str] | None = None
    for line in lines:
        marks.append(closing is not None or FENCE_START.match(line) is not None)
        if closing:
            if closing.fullmatch(line):
                closing = None
        elif start := FENCE_START.match(line):
            indent = " {0,3}" if start[1].strip(" ") == "" else r"[ \t]*"
            closing = re.compile(f"{indent}{start[2][0]}{{{len(start[2])},}}[{WHITE}]*")
    return marks


def heading_name(line: str) -> str | None:
    """What a line that is a heading asks for, in the spelling of section names."""
    match = HEADING.fullmatch(line)
    if not match:
        return None
    return re.sub("[^a-z0-9]+", "_", lower_ascii(match[1] or "")).strip("_")


def is_markdown(lines: list[str], schema: Schema) -> bool:
    bare = tuple(f"{name}:" for name in schema.names)
    quoted = tuple(f"{quote}{name}{quote}:" for name in schema.names for quote in "\"'")
    first = next((line for line in lines if trim(line) and not line.startswith("#")), "")
    if first.startswith(bare + quoted):
        return False
    marks = fenced(lines)
    if any(heading_name(line) in schema.names for line, mark in zip(lines, marks) if not mark):
        return True
    first = next((line for line in lines if trim(line)), "")
    return heading_name(first) is not None and not any(line.startswith(bare) for line in lines)


def markdown_body(lines: list[str], schema: Schema) -> Table:
    """The sections of a Markdown body as the nodes that YAML would have given."""
    blocks: dict[str, list[tuple[int, str]]] = {}
    current = None
    for place, (line, mark) in enumerate(zip(lines, fenced(lines))):
        if mark or BREAK.fullmatch(line):
            line = ""
        elif (name := heading_name(line)) is not None:
            current = name if name in schema.names else None
            line = ""  # an item of an earlier heading of the same name ends here
        if current is not None:
            blocks.setdefault(current, []).append((place, line))
    return Table(
        [
            Entry(name, block[0][0], markdown_section(block, schema.merge_of(name)))
            for name, block in blocks.items()
        ]
    )


def markdown_section(block: list[tuple[int, str]], merge: str) -> Node:
    if merge == "register":
        return Scalar(" ".join(trim(line) for _, line in block if trim(line)))
    items = markdown_items(block)
    if merge == "map":
        return Sequence([Table([map_entry(item, place)]) for place, item in items])
    return Sequence([Scalar(item) for _, item in items])


def markdown_items(block: list[tuple[int, str]]) -> list[tuple[int, str]]:
    items: list[tuple[int, list[str]]] = []
    in_item = False
    for place, line in block:
        if line.startswith(("- ", "* ", "+ ")):
            items.append((place, [re.sub(r"\A\[[ xX]\] ", "", trim(line[2:]))]))
            in_item = True
        elif not trim(line):
            in_item = False
        elif in_item:
            items[-1][1].append(trim(line))
    return [(place, trim(" ".join(parts))) for place, parts in items]


def map_entry(item: str, place: int) -> Entry:
    for pattern in (MAP_ITEM, BOLD_ITEM):
        match = pattern.fullmatch(item)
        if match and trim(match["key"]):
            return Entry(match["key"], place, Scalar(trim(match["value"] or "")))
    key, colon, value = item.partition(": ")
    if not colon:
        key = item.removesuffix(":")
    return Entry(key, place, Scalar(trim(value)))


# --- Events (§2) ----------------------------------------------------------------------------

MAX_BYTES = 1 << 20
FENCE = re.compile(r"---[ \t]*")
EVENT_ID_PREFIX = re.compile("[0-9a-f]{12,64}")
BAD_IN_AGENT = re.compile(f"{CONTROL.pattern}|[\u2028\u2029]")

Stamp = tuple[int, bytes, str]


@dataclass
class Event:
    stamp: Stamp
    agent: str
    parents: list[str] | None
    """Written prefixes of event ids; None where the event has no `parents` key."""
    front: Table
    body: Table
    branch: str

    @property
    def instant(self) -> int:
        return self.stamp[0]

    @property
    def day(self) -> str:
        return format_day(self.instant)

    @property
    def id(self) -> str:
        return self.stamp[2]

    def section(self, name: str) -> tuple[Node, Node]:
        """What front matter and body say of a section."""
        return self.front.get(name), self.body.get(name)


def normalise(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("not-utf8") from None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = text[LEADING_BLANK_LINES.match(text).end() :].rstrip(WHITE) + "\n"
    if len(text.encode()) > MAX_BYTES:
        raise Unreadable("too-large")
    return text


def split_front_matter(text: str) -> tuple[str, list[str]]:
    lines = text.removesuffix("\n").split("\n")
    if not FENCE.fullmatch(lines[0]):
        raise Unreadable("no-frontmatter")
    for number, line in enumerate(lines[1:], start=1):
        if FENCE.fullmatch(line):
            front = "".join(f"{line}\n" for line in lines[1:number])
            return front, lines[number + 1 :]
    raise Unreadable("no-frontmatter")


def parse_event(data: bytes | None, schema: Schema) -> Event:
    """Reads one event file; None stands for what is not a file. Raises `Unreadable`."""
    if data is None:
        raise Unreadable("not-a-file")
    if len(data) > MAX_BYTES:
        raise Unreadable("too-large")
    text = normalise(data)
    front_text, body_lines = split_front_matter(text)

    front = sound(front_text)
    if is_markdown(body_lines, schema):
        body = markdown_body(body_lines, schema)
    else:
        body = sound("".join(f"{line}\n" for line in body_lines))
    sections = sections_in_front(front, schema)
    if any(disagrees(sections, body, section.name) for section in schema.maps()):
        raise Unreadable("duplicate-key")
    return checked_event(text, front, body, schema)


def sound(text: str) -> Node:
    node, fault = load(text)
    if fault:
        raise Unreadable(fault.code)
    return node


def sections_in_front(front: Node, schema: Schema) -> Table:
    entries = front.entries if isinstance(front, Table) else []
    return Table([entry for entry in entries if entry.key in schema.names])


def disagrees(front: Table, body: Node, name: str) -> bool:
    """Whether an event writes two values to one key of a map, which differ as texts."""
    written: dict[str, str | None] = {}
    for part in (front, body):
        for entry in map_entries(part.get(name)) if isinstance(part, Table) else ():
            value = None if is_absent(entry.value) else text_of(entry.value)
            key = collapse(entry.key)
            if key and written.setdefault(key, value) != value:
                return True
    return False


def checked_event(text: str, front: Node, body: Node, schema: Schema) -> Event:
    if not isinstance(front, Table):
        raise Unreadable("bad-ts")
    instant = instant_of(front.get("ts", "timestamp"))
    if instant is None:
        raise Unreadable("bad-ts")
    agent = front.get("agent", "session_id")
    if not is_agent(agent):
        raise Unreadable("bad-agent")
    sections = sections_in_front(front, schema)
    if is_absent(body):
        body = Table()
    if not isinstance(body, Table) or not (fits(sections, schema) and fits(body, schema)):
        raise Unreadable("bad-section")
    event_id = hashlib.sha256(text.encode()).hexdigest()
    stamp = (instant, agent.value.encode(), event_id)
    branch = text_of(front.get("branch", "stream"))
    return Event(stamp, agent.value, parents_of(front.get("parents")), sections, body, branch)


def instant_of(node: Node) -> int | None:
    return parse_instant(node.value) if isinstance(node, Scalar) else None


def is_agent(node: Node) -> bool:
    return (
        isinstance(node, Scalar)
        and not is_absent(node)
        and len(node.value) <= 128
        and trim(node.value) != ""
        and not BAD_IN_AGENT.search(node.value)
    )


def parents_of(node: Node) -> list[str] | None:
    if is_absent(node):
        return None
    items = node.items if isinstance(node, Sequence) else [node]
    return [
        item.value for item in items if isinstance(item, Scalar) and EVENT_ID_PREFIX.fullmatch(item.value)
    ]


def fits(part: Table, schema: Schema) -> bool:
    """Whether every map holds what a map may hold; other sections may hold any node."""
    return all(
        is_absent(entry.value)
        or isinstance(entry.value, Table)
        or (
            isinstance(entry.value, Sequence)
            and all(is_absent(item) or isinstance(item, Table) for item in entry.value.items)
        )
        for entry in part.entries
        if schema.merge_of(entry.key) == "map"
    )


# --- What an event writes (§3) --------------------------------------------------------------


def map_entries(node: Node) -> list[Entry]:
    tables = node.items if isinstance(node, Sequence) else [node]
    return [entry for table in tables if isinstance(table, Table) for entry in table.entries]


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
