"""Writes the contents of events as YAML and Markdown, in styles chosen at random."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from pools import (
    BAD_INSTANTS,
    BREAKS,
    FENCE_OPENINGS,
    HOSTILE_TEXTS,
    KEYS,
    ODD_KEYS,
    PLAIN_TEXTS,
    Absent,
)

Node = str | list | dict | None
"""A YAML node to be written: text, list, mapping, or None for an absent value."""


def collapsed(key: str) -> str:
    """Equal for keys that are equal once collapsed; the pools above have no other white space."""
    return " ".join(key.split())


# --- Writing YAML ---------------------------------------------------------------------------

NULLS = ["~", "null", "Null", "NULL"]
BLOCK_PLAIN = re.compile(r"[\w/(=$][^\x00-\x1f\x7f-\x9f\ufeff\u2028\u2029]*")
FLOW_PLAIN = re.compile(r"\w(?:[\w ./()-]*[\w./()-])?")
ONE_LINE = re.compile("[^\x00-\x1f\x7f-\x9f\ufeff\u2028\u2029]*")
LITERAL_LINE = r"[^\s\x00-\x1f\x7f-\x9f\ufeff][^\x00-\x1f\x7f-\x9f\ufeff\u2028\u2029]*"
LITERAL = re.compile(f"(?:{LITERAL_LINE}\n+)*{LITERAL_LINE}\n?")
SHORT_WORDS = re.compile(r"[a-z]+(?: [a-z]+)+")


class YamlWriter:
    """Writes nodes in styles chosen at random, all of which mean the same."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def scalar(self, text: str, *, flow: bool = False) -> str:
        styles = [self.double]
        if ONE_LINE.fullmatch(text):
            styles.append(lambda text: "'" + text.replace("'", "''") + "'")
        if self.may_be_plain(text, flow):
            styles += [str] * 4
        return self.rng.choice(styles)(text)

    def may_be_plain(self, text: str, flow: bool) -> bool:
        pattern = FLOW_PLAIN if flow else BLOCK_PLAIN
        unsafe = (
            text in NULLS or text != text.strip(" ") or ": " in text or " #" in text or text.endswith(":")
        )
        return pattern.fullmatch(text) is not None and not unsafe

    def double(self, text: str) -> str:
        raw = self.rng.random() < 0.5
        return '"' + "".join(self.escaped(c, raw) for c in text) + '"'

    def escaped(self, char: str, raw: bool) -> str:
        short = {
            '"': '\\"',
            "\\": "\\\\",
            "\n": "\\n",
            "\t": "\\t",
            "\x85": "\\N",
            "\u00a0": "\\_",
            "\u2028": "\\L",
        }
        if " " <= char <= "~" or (raw and char > "\u00ff" and ONE_LINE.fullmatch(char)):
            return short.get(char, char)
        if char in short and self.rng.random() < 0.5:
            return short[char]
        code = ord(char)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08x}"

    def absent(self, *, flow: bool = False) -> str:
        return self.rng.choice(NULLS if flow else [*NULLS, "", ""])

    def flow(self, node: Node) -> str:
        if node is None:
            return self.absent(flow=True)
        if isinstance(node, str):
            return self.scalar(node, flow=True)
        gap = self.rng.choice([", ", ", ", " , ", ","])
        if isinstance(node, list):
            tail = "," if node and self.rng.random() < 0.1 else ""
            return "[" + gap.join(map(self.flow, node)) + tail + "]"
        return (
            "{"
            + gap.join(f"{self.scalar(key, flow=True)}: {self.flow(value)}" for key, value in node.items())
            + "}"
        )

    def entry(self, key: str, node: Node, indent: int = 0) -> str:
        """One `key: value` of a block mapping, with its line end."""
        return " " * indent + self.scalar(key) + ":" + self.value(node, indent)

    def value(self, node: Node, indent: int) -> str:
        """What follows the `:` or `-` of a block collection whose entries stand at `indent`."""
        if node is None:
            return f" {self.absent()}".rstrip() + "\n"
        if isinstance(node, str):
            return self.block_scalar(node, indent)
        if not node or self.rng.random() < 0.25:
            return f" {self.flow(node)}{self.comment()}\n"
        if isinstance(node, list):
            inner = indent + self.rng.choice([0, 2, 3])
            return self.comment() + "\n" + self.block_list(node, inner)
        inner = indent + self.rng.choice([1, 2, 4])
        return self.comment() + "\n" + "".join(self.entry(key, value, inner) for key, value in node.items())

    def block_list(self, items: list, indent: int) -> str:
        return "".join(self.list_item(item, indent) for item in items)

    def list_item(self, item: Node, indent: int) -> str:
        if isinstance(item, dict) and item and self.rng.random() < 0.8:
            entries = "".join(self.entry(key, value, indent + 2) for key, value in item.items())
            return " " * indent + "- " + entries[indent + 2 :]
        if isinstance(item, list):
            return " " * indent + f"- {self.flow(item)}\n"
        return " " * indent + "-" + self.value(item, indent)

    def block_scalar(self, text: str, indent: int) -> str:
        pad = " " * (indent + self.rng.choice([1, 2, 4]))
        if LITERAL.fullmatch(text) and not text.endswith("\n\n") and self.rng.random() < 0.3:
            lines = "".join(
                (pad + line if line else "") + "\n" for line in text.removesuffix("\n").split("\n")
            )
            return f" |{'' if text.endswith(chr(10)) else '-'}\n{lines}"
        if SHORT_WORDS.fullmatch(text) and self.rng.random() < 0.3:
            first, rest = text.split(" ", 1)
            opening = self.rng.choice([f" {first}\n", f" >-\n{pad}{first}\n"])
            return f"{opening}{pad}{rest}\n"
        return f" {self.scalar(text)}{self.comment()}\n"

    def comment(self) -> str:
        return "  # a: [comment" if self.rng.random() < 0.04 else ""

    def document(self, table: dict) -> list[str]:
        """The entries of a top-level mapping, a string each."""
        return [self.entry(key, value) for key, value in table.items()]


# --- Contents -------------------------------------------------------------------------------

KINDS = {
    "goal": "register",
    "now": "register",
    "open_questions": "set",
    "resolved_questions": "set",
    "decisions": "map",
    "answers": "map",
    "checkpoints": "list",
    "this_session": "set",
}


class Contents:
    """Random values for the sections, out of small pools so that events meet."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        hostile = rng.sample(HOSTILE_TEXTS, 12)
        self.texts = rng.sample(PLAIN_TEXTS, 6) + hostile[: rng.choice([2, 6, 12])]
        self.keys = rng.sample(KEYS, 3) + rng.sample(ODD_KEYS, rng.choice([0, 1, 3]))
        self.questions = [f"{text}?" for text in rng.sample(self.texts, 3)] + [
            "why  now?",
            " why now? ",
            "why now?",
        ]

    def text(self) -> str:
        return self.rng.choice(self.texts)

    def leaf(self) -> Node:
        return self.rng.choices([self.text(), Absent, "", "  "], [20, 2, 1, 0.5])[0]

    def node(self, depth: int = 0) -> Node:
        roll = self.rng.random()
        if depth > 2 or roll < 0.6:
            return self.leaf()
        if roll < 0.75:
            return [self.node(depth + 1) for _ in range(self.rng.randrange(4))]
        return self.table(depth)

    def table(self, depth: int = 0) -> dict:
        keys = ["task", "text", "phase", "status", "updated", "files", "b", "a", "é", "", "k k"]
        return {key: self.node(depth + 1) for key in self.rng.sample(keys, self.rng.randrange(4))}

    def checkpoint(self) -> Node:
        if self.rng.random() < 0.3:
            return self.node()
        item = {"phase": self.rng.choice(["1", "5", "*", "*a*", "# x", "", Absent, self.text(), ["2", "3"]])}
        if self.rng.random() < 0.7:
            item["status"] = self.rng.choice(
                ["validated", "in progress", "", Absent, self.text(), {"a": "b"}]
            )
        if self.rng.random() < 0.5:
            item["updated"] = self.rng.choice(
                [instant_text(self.rng, timeline(self.rng)), *BAD_INSTANTS[:6], Absent, ["x"]]
            )
        for key in self.rng.sample(["note", "files", "task", "a b"], self.rng.randrange(3)):
            item[key] = self.node(2)
        return dict(self.rng.sample(list(item.items()), len(item)))

    def section(self, kind: str, *, question: bool = False) -> Node:
        """Something that a section of this kind may hold."""
        if self.rng.random() < 0.04:
            return Absent
        if kind == "register":
            return self.rng.choices([self.text(), self.node(), "", "  ", []], [12, 5, 0.5, 0.5, 0.5])[0]
        if kind == "map":
            return self.decisions()
        pick = (lambda: self.rng.choice(self.questions)) if question and self.rng.random() < 0.9 else None
        if kind == "list":
            pick = self.checkpoint
        items = [(pick or self.node)() for _ in range(self.rng.randrange(1, 4))]
        return self.rng.choices([items, items[0], self.table()], [8, 2, 1])[0]

    def decisions(self) -> Node:
        tables = [{}]
        used: set[str] = set()
        for key in self.rng.choices(self.keys, k=self.rng.randrange(1, 4)):
            if collapsed(key) in used - {""} or any(key in table for table in tables):
                continue
            used.add(collapsed(key))
            if self.rng.random() < 0.2:
                tables.append({})
            value = self.rng.choices([self.text(), Absent, "", self.node()], [8, 2, 1, 2])[0]
            tables[-1][key] = value
            if self.rng.random() < 0.04:
                again = value if self.rng.random() < 0.7 else self.leaf()
                tables.append({self.rng.choice([key, f" {key}", f"{key}\u2003"]): again})
        if len(tables) > 1 or self.rng.random() < 0.2:
            return [*tables, *self.rng.choices([[], [Absent]], [4, 1])[0]]
        return tables[0]


class MarkdownWriter:
    """Bodies in Markdown form, well-formed and not."""

    def __init__(self, rng: random.Random, contents: Contents, kinds: dict[str, str]):
        self.rng = rng
        self.contents = contents
        self.kinds = kinds

    def body(self, taken: set[str]) -> str:
        """A body; map keys in `taken` are left out, since the front matter has written them."""
        used = {name: set(taken) for name in self.kinds}
        lines = self.rng.choices([[], ["Some prose.", "- not an item"], ["", "\u00a0"]], [6, 1, 1])[0]
        for at, name in enumerate(self.rng.choices(list(self.kinds), k=self.rng.randrange(1, 5))):
            lines = [
                *lines,
                self.heading(name, broken=at > 0 and self.rng.random() < 0.1),
                *self.rng.choice([[], [""]]),
                *self.section(name, used[name]),
            ]
            if self.rng.random() < 0.2:
                lines.insert(self.rng.randrange(len(lines) + 1), self.fence())
            if self.rng.random() < 0.15:
                lines.insert(self.rng.randrange(len(lines) + 1), self.rng.choice(BREAKS))
            if self.rng.random() < 0.15:
                lines += [self.rng.choice(["# Notes", "## ", "###", "#### Über"]), "- prose", "more prose"]
        text = "\n".join(lines) + "\n"
        # Parsers do not agree on tabs before what YAML would read: here it is never YAML.
        return f"# Goal\n{text}" if re.search("^\\W*\t", text, re.MULTILINE) else text

    def fence(self) -> str:
        """A fence, sound or not, with what would count outside of one."""
        rng = self.rng
        opening = rng.choice(FENCE_OPENINGS)
        mark = "~" if "~" in opening else "`"
        within = rng.choices(
            ["code", "# Goal", "- item", "", "decisions: x", "---", "```", "~~~", "- ```", "  ````", "x ```"],
            k=rng.randrange(4),
        )
        closing = rng.choice(
            ["", "", "", "", "", " ", "  ", "   ", "    ", "\t", "      "]
        ) + mark * rng.choice([2, 3, 3, 3, 3, 4, 5])
        closing += rng.choice(["", "", "", " ", " \t", "\u3000", " x", mark, "`"])
        ends = [] if rng.random() < 0.1 else [closing]
        if ends and rng.random() < 0.4:  # one that certainly ends it
            ends.append(mark * 8)
        return "\n".join([opening, *within, *ends])

    def heading(self, name: str, *, broken: bool) -> str:
        spelling = self.rng.choice(
            [name, name.title().replace("_", " "), name.upper(), f" {name.replace('_', ' - ')}!"]
        )
        if broken:
            return self.rng.choice(["#\t", "#", " # ", "####### ", "#\u00a0"]) + spelling
        return "#" * self.rng.randrange(1, 7) + f" {spelling}" + self.rng.choice(["", "", "", " ##", "  "])

    def section(self, name: str, used: set[str]) -> Iterator[str]:
        if self.kinds[name] == "register":
            for _ in range(self.rng.randrange(4)):
                yield self.one_line(
                    self.rng.choice([self.contents.text(), "  indented", "- dashed", "", "- "])
                )
            return
        for _ in range(self.rng.randrange(4)):
            item = self.map_item(used) if self.kinds[name] == "map" else self.item()
            yield self.rng.choice(["- ", "- ", "* ", "+ ", "-  "]) + item
            yield from self.rng.choices(
                [
                    [],
                    ["  continued  "],
                    ["  - nested", "tail\x1c"],
                    [""],
                    ["", "stray prose"],
                    ["-no item"],
                    ["\u3000", "x"],
                ],
                [12, 2, 1, 3, 1, 1, 1],
            )[0]

    def one_line(self, text: str) -> str:
        """A line that is no heading and, in a body, no line of front matter."""
        text = re.sub("[\n\r]", " ", text)
        return f" {text}" if re.match("#{1,6}( |$)", text) else text

    def item(self) -> str:
        text = self.rng.choice(self.contents.questions + [self.contents.text()] * 4)
        return self.rng.choices(["", "[ ] ", "[x] ", "[X] ", "[x]"], [8, 1, 1, 1, 0.5])[0] + self.one_line(
            text
        )

    def map_item(self, used: set[str]) -> str:
        key = self.rng.choice(self.contents.keys + ["only **here", "k"])
        again = collapsed(key) in used and self.rng.random() < 0.8
        if again or ": " in key or key.strip() in ("", "*", "**"):
            key = f"k{len(used)}"
        used.add(collapsed(key))
        value = self.one_line(self.contents.text()).strip() or "v"
        odd = self.one_line(self.rng.choice([text for text in HOSTILE_TEXTS if text.startswith("**")]))
        shapes = [
            f"**{key}:** {value}",
            f"**{key}**: {value}",
            f"{key}: {value}",
            f"**{key}**",
            f"**{key}:**",
            key,
            f"{key}:",
            odd,
        ]
        return self.rng.choices(shapes, [4, 3, 4, 1, 1, 1, 1, 0.3])[0]


# --- Instants -------------------------------------------------------------------------------

SECOND = 10**9
START = datetime(2026, 1, 1)


def timeline(rng: random.Random) -> int:
    """Nanoseconds since the start of 2026: mostly whole seconds within three weeks."""
    fraction = rng.choice([0, 0, 0, 500_000_000, 123_000_000, 123_456_000, 123_456_789, 1])
    return rng.randrange(21 * 86400) * SECOND + fraction


def instant_text(rng: random.Random, instant: int) -> str:
    """One of the ways to write an instant: with any offset and more or fewer digits."""
    seconds, nanos = divmod(instant, SECOND)
    minutes = rng.choices([None, 0, 60, -90, 23 * 60 + 59, -(23 * 60 + 59)], [10, 1, 2, 2, 0.5, 0.5])[0]
    local = START + timedelta(seconds=seconds, minutes=minutes or 0)
    digits = f"{nanos:09}".rstrip("0")
    digits = digits.ljust(rng.choice([0, 0, 3, 6, 9]), "0")
    sign = "-" if (minutes or 0) < 0 or (minutes == 0 and rng.random() < 0.5) else "+"
    zone = "Z" if minutes is None else f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return local.isoformat() + (f".{digits}" if digits else "") + zone


def normalised(text: str) -> str:
    """`text` with one LF for the white space at its end; drafts have nothing else to normalise."""
    return (
        text.rstrip("\t\n\x0b\x0c\r \x85\u00a0\u2003\u2028\u2029\u3000") + "\n"
    )  # what the texts above have
