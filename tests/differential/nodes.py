"""What the ledger format is built on: text and its escaping, instants, and YAML as nodes.

Part of the second implementation (`fold.py`); sections of the specification are cited as §n.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
        character = not "\udc80" <= char <= "\udcff"  # these stand for bytes that are no UTF-8
        variation_may_follow = character and not named and char not in WHITE
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
    """A scanner that remembers where it met a directive, known or not, and the first alias or anchor."""

    directive: int | None = None
    name: int | None = None

    def fetch_directive(self) -> None:
        if self.directive is None:
            self.directive = self.reader.index
        super().fetch_directive()

    def fetch_alias(self) -> None:
        self.name = self.reader.index if self.name is None else self.name
        super().fetch_alias()

    def fetch_anchor(self) -> None:
        self.name = self.reader.index if self.name is None else self.name
        super().fetch_anchor()


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
        # The scanner reads ahead of the parser: a sign that starts no token hides an alias or anchor before it.
        if error.context == "while scanning for the next token" and yaml.scanner.name is not None:
            faults.append(Fault.at(yaml.scanner.name, "not-plain"))
    except (YAMLError, ValueError, OverflowError):
        faults.append(Fault.at(len(text), "bad-yaml"))
    if yaml.scanner.directive is not None:
        faults.append(Fault.at(yaml.scanner.directive, "not-plain"))
    return builder.root or ABSENT, min(faults, default=None)
