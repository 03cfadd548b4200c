"""What an event file says: sections and their configuration, both forms of bodies, the checks.

Part of the second implementation (`fold.py`); sections of the specification are cited as §n.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from nodes import (
    ABSENT,
    CONTROL,
    LEADING_BLANK_LINES,
    SECOND,
    WHITE,
    Entry,
    Node,
    Scalar,
    Sequence,
    Table,
    Unreadable,
    collapse,
    escape_title,
    format_day,
    is_absent,
    load,
    lower_ascii,
    parse_instant,
    text_of,
    trim,
)

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


def map_entries(node: Node) -> list[Entry]:
    tables = node.items if isinstance(node, Sequence) else [node]
    return [entry for table in tables if isinstance(table, Table) for entry in table.entries]


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
