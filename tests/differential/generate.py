"""A seeded generator of ledgers that try every rule of the format.

    python3 generate.py SEED OUTDIR

writes one ledger: `events/`, sometimes `archive/YYYY-MM-DD/` with single files and packs, and
sometimes a `config.yaml`. Equal seeds give equal ledgers. As a library, `generate(seed)` gives a
`Ledger` in memory. About one event file in seven carries faults on purpose; YAML is kept to what
parsers agree on, and several faults in one file stand in a clear order.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import packs
from packs import Disguise

# --- Texts ----------------------------------------------------------------------------------

PLAIN_TEXTS = """\
fix the parser
Phase 2
écrire la documentation
日本語のメモ
ship it 😀
007
1.10
12:30
no
true
a-b_c
x.y/z
e\u0301 combining
merge the branches before the release
two words
see http://example.org/a?b=c
release
retry with backoff
C# and a#b
100% sure
don't panic""".splitlines()

# fmt: off
HOSTILE_TEXTS = [
    "# heading", "###### six", "####### seven", "#hash", "#", "- item", "-", "-x", "+ plus", "+", "* star",
    "*", "1. one", "1.", "12) twelve", "123456789. nine", "1234567890. ten", "1.x", "1) ", "> quote", ">",
    "| pipe", "---", "--", "-- x", "***", "* * *", "**bold** text", "___", "__x", "===", "```code", "`tick`",
    "~~~", "~~", "[ ]", "[x] done", "[X]", "[x]y", "[ ]  two", "[a]: b", "[link](to)", "[a] then ]: b",
    "]: x", "<b>", "</b>", "<!-- c", "<?php", "< b", "<1", "a <b> c </d> <e", "<", "x <", "&lt;b>",
    "\\u{200b}", "\\", "a: b", ": b", "a:", "a: b: c", "a # b", "x]y", "{a}", "[1, 2]", "a, b", "\"quoted\"",
    "it's", "@at", "%x", "bell\x07", "\x1b[31mred", "\x00", "\x7fdel", "c1\x9f", "\x1cnot white", "nel\x85x",
    "\x85", "vt\x0bff\x0cx", "zero\u200bwidth", "\u200b", "\u202eevil", "\u2066iso\u2069", "\u200e# mark",
    "alm\u061c", "word\u2060join", "bom\ufeff", "tag\U000e0041\U000e007f", "\U000e0080 past", "ls\u2028x",
    "ps\u2029", "nb\u00a0sp", "\u3000wide\u3000", "\u180enot white", "soft\u00adhyphen", "\u200dzwj",
    "<\u200bb", "#\u00a0x", "-\u2003x", "\u200b- x", "1.\u00a0x", "  padded  ", "tab\there", "two\nlines",
    "two\n\nparagraphs\n", " \n ", "   ", "", "\t", "~", "null", "NULL", "(removed)", "(a) (b)",
    "**key:** value", "**key**: value", "**key**", "**key**x", "****", "**:**", "** **: x", "***a**: x",
    "**a:**: x", "**a:**x", "**a***: x", "**a**:", "** :** x", "** :**", "*a* b", "**a** b: c",
    "(empty)", " (removed) ", "\\(empty)", "$$", "$$x", "$x", "$ $", "- -", "-- --", "* *", "** **", "_", "_ _", "__ _",
    "- * -", "_ x", "= =", "~ ~ ~", "==", "``x", "!", "![a](b)", "a ![x", "<![CDATA[", "!\\[x", "[![a]: b",
    "\u26a0\ufe0f", "\u26a0\ufe0e", "\u26a0\ufe0f\ufe0f", "\ufe0f", "x \ufe0f", "\u3000\ufe0fx", "x\ufe0d", "1\ufe0f\u20e3",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2764\ufe0f\u200d\U0001f525", "\u200c", "a\u200cb", "a\u200d\u200db", "a\u200c\ufe0f",
    "a\ufe0f\u200d\ufe0f", "a\u200b\ufe0f", "a\u200b\u200d", "\x07\ufe0f", "a\ufe01\u200d", " \u200d x", "<\ufe0fb", "#\ufe0f x",
    "\u00ad", "\u034fx", "\u070f", "\u115f\u1160", "\u17b4\u17b5", "\u180b\u180f", "\u200f\u2010", "\u2029\u202a",
    "\u206f\u2070", "\u2800x", "\u3164", "\ufe00\ufe10", "\uffa0", "\ufff0\ufffb\ufffc\ufffd", "\U0001bca0\U0001bca4",
    "\U00013430\U0001343f\U00013440", "\U0001d159\U0001d173\U0001d17a\U0001d17b", "\U000e0fff\U000e1000", "\u115e\u1161",
    "x\uffef\uffff", "\u061b\u061c\u061d", "\u27ff", "a: b:", "a:: b", "k:", "k: :", ": :", "**k**: :", "**:", "a :",
]

KEYS = [
    "storage", "api", "error handling", "wire  format", "licence", "ci/cd", "日本", "é", "2nd", "naming",
]
ODD_KEYS = [
    " storage ", "error\thandling", "*star*", "* x", "**b**", "# k", "- k", "1. k", "", "  ", "null", "~",
    "<<", "k: v", "<k>", "[x]", "a\u200bb", "z" * 70, "`a`", "`a", "``a``", "`a` `b`", "```", "a\\", "\\*a\\", "*`a`*", "`",
    "> k", "$$", "!\u200d[k", "![k", "- -", "\u26a0\ufe0f", "k\u200d", "k:", "**", "* * *", "***", "(empty)", "`` `",
]
AGENTS = ["alice", "bob", "toast", "6f636d3a", "ci-runner", "carol"]
ODD_AGENTS = [
    " padded ", "名前", "é", "no", "007", "# x", "*s*", "<b>", "zw\u200bx", "\u202ebidi", "- a",
    "\U0001f600" * 128, "x" * 128, "a  b", "1. a", "~", "(p)", "\ufeff", "\u00a0x", "`a`", "a`", "``a``", "a\\b", "a\\",
    "**a**", "***", "```", "$$", "![a", "\u26a0\ufe0f", "x\u200d", "- -", "(removed)", "a\ufe0fb",
]
BRANCHES = ["main", "fix/it", "fix/it", "# x", "a  b", "- x", "*b*", "`b`", "a\\b", "", "  ", "(empty)", "\u200bx", "!["]
BAD_AGENTS = [
    "", "   ", "\u00a0\u3000", "x" * 129, "a\tb", "a\nb", "a\x85b", "a\u2028b", "a\u2029", "\x7f", "a\x00",
]
BAD_INSTANTS = [
    "2026-01-10", "2026-01-10 13:00:00Z", "2026-01-10t13:00:00Z", "2026-01-10T13:00:00z",
    "2026-01-10T13:00Z", "2026-01-10T13:00:60Z", "2016-12-31T23:59:60Z", "2026-01-10T24:00:00Z",
    "2026-01-10T13:60:00Z", "2026-01-10T13:00:00.1234567890Z", "2026-01-10T13:00:00.Z",
    "2026-01-10T13:00:00,5Z", "2026-01-10T13:00:00", "2026-01-10T13:00:00+24:00",
    "2026-01-10T13:00:00+01:60", "2026-01-10T13:00:00+0100", "2026-01-10T13:00:00+01",
    "1969-12-31T23:59:59Z", "1969-12-31T23:59:59-01:00", "1970-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01", "10000-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z",
    "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-1-10T13:00:00Z", "+2026-01-10T13:00:00Z",
    "2026-01-10T13:00:00 Z", "٢٠٢٦-01-10T13:00:00Z", "０026-01-10T13:00:00Z", "2026-01-10T13:00:00Z ",
    " 2026-01-10T13:00:00Z", "2026-01-10T13:00:00Z\n", "", "now", "0000-01-01T00:00:00Z",
    "26-01-10T13:00:00Z", "2026-04-31T00:00:00Z", "2026-01-10T13:00:00+00:00Z", "2026-01-10T13:00:00±01:00",
    "2026-01-10T13:00:00\u221201:00",
]
EDGE_INSTANTS = [
    "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000001Z", "1970-01-01T01:00:00+01:00",
    "2024-02-29T23:59:59.9Z", "9999-12-31T23:59:59.999999999Z", "9999-12-31T00:00:00-23:59",
    "2000-02-29T00:00:00-00:00",
]
# fmt: on

TWINS = [
    f"---\nts: 2026-01-03T12:00:00Z\nagent: twin\nparents: []\nnow: twin {number}\n---\n"
    for number in (14419162, 22850852)
]
TWINS_PREFIX = "9f829479f818"
"""Two events whose ids have their first 12 digits in common: that prefix is ambiguous."""

Absent = None
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
# fmt: off
UNDECLARED = [
    "next", "blockers", "done_this_session", "ci-status", "_", "___", "Zeta", "a b", "é", "x\ny", "#tag", "",
    "  ", "*", "ts", "agent", "Goal", "über alles", "a--b", "null", "a#b", "## x", "#", "this-session", "OPEN_QUESTIONS",
    "unreadable_events", "Unreadable Events", "unreadable  events", "Decisions", "decisions ", "- x", "`x`", "![x",
    "x\u200d", "\u26a0\ufe0f", "-_-", "two_words", "1. x", "$$",
]
# fmt: on


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


# fmt: off
FENCE_OPENINGS = [
    "```", "```", "~~~", "````", "~~~~", "```rust", "~~~ a`b", "```a`b", "``` ` ```", "~~~ ~~~", " ```", "   ~~~", "    ```",
    "\t```", "- ```", "* ~~~", "+ ````", "-  \t```", "-   ```sh", "- [ ] ```", "-\t```", "-```", "- ```a`b", " - ```", "- ~~~~",
    "``", "> ```", "1. ```", "-    \t  ~~~",
]
BREAKS = [
    "---", "***", "___", "* * *", "- - -", "_ _ _", "-  -\t-", "  ***", "   - - -", "    ---", "----- ", "--", "- -", "* * * x",
    "-*-", "***\t", "\t---", "+ + +", "* **", "===", "- - - -", "-\u00a0--", "*\t*\t*",
]
BODIES = [
    "# Goal\n\ngoal text\n", "# Notes\n\nnow: later\n", "# Notes\n\n'now': later\n", "\n# a\n\n\"goal\": quoted\n# Now\nx\n",
    "# a\n'goal': quoted\n# Now\n", "next: x\n# Goal\n", "next: |\n  ```\n  x\n# Goal\n", "next: |\n  ```\n  x\n  ```\n# Goal\n",
    "```\n# Goal\n```\n", "```\n# Goal\n", "```\n# Goal\n```\n# Now\nx\n", "- a\n# Goal\nx\n", "goal : x\n# Now\ny\n", "goal:x\n",
    " goal: x\n# Now\ny\n", "'goal: x\n# Now\ny\n", "resolved_questions:\n- a\n# Now\n", "# Notes\n```\nnow: x\n```\n",
    "# Notes\n```\n# Goal\n```\n", "prose\n# Goal\nx\n", "  # comment\ngoal: x\n", "  # comment\n# Now\nx\n", "#\n", "#goal\nnow: x\n",
    "# Goal\na\n- ```\n  # Now\n  b\n      ```\nc\n", "# Goal\na\n    ```\nb\n", "# Goal\nfirst\n---\nsecond\n# Goal\nthird\n",
    "# Decisions\n- a:\n- b: \n- c::\n- :\n- **d**:\n- e: f:\n", "# Decisions\n- a: 1\n- **a:** 1\n", "# Decisions\n- a: 1\n- a: 2\n",
    "# Decisions\n- a: 1\n- a:  1\n- **a**\n", "# This Session\n- one\n***\ntail\n* * *\n- two\n ___\n", "#\tGoal\nnow: x\n",
    "# This Session\n- one\n```\n- no\n```\ntail\n- two\n  ```\n  no\n  ```\n", "# This Session\n- [ ] \n- [x]\n- [X] [ ] a\n-  \n- b\n",
    "# goal\n~~~\n```\n~~~\nx\n# Now\n```\n~~~\n# Goal\n", "{goal: x}\n# Now\ny\n", "\u00a0\n\ngoal: x\n# Now\n", "decisions: [{a: 1}, {a: 1}]\n",
]
# fmt: on


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
        return "\n".join(lines) + "\n"

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


# --- Faults ---------------------------------------------------------------------------------

# fmt: off
YAML_FAULTS = [
    "zz: a: b\n", "zz: \"\\q\"\n", "zz: ]\n", "zz: @at\n", "zz: `tick`\n", "zz: [a}\n", "zz: bell\x07\n",
    "# comment \x1b\n", "zz: 'a' b\n", "zz: \"nel\x85\"\n", "zz: \x7f\n", "zz: \"\x00\"\n", "zz: c\x9f1\n",
    "zz: &anchor b\n", "zz: *undefined\n", "zz: !tag b\n", "zz: !!str b\n", "zz: !e!undefined b\n",
    "zz: !<tag:x> b\n", "<<: {a: b}\n", "zz: [{<<: x}]\n", "? [a]\n: b\n", "[a]: b\n", "{a: b}: c\n",
    "zz: {[a]: b}\n", "&k zz: b\n", "zz: &a {b: c}\n", "zz: " + "[" * 16 + "]" * 16 + "\n",
    "zz: " + "{a: " * 16 + "b" + "}" * 16 + "\n", "zz:\n  " + "- " * 16 + "x\n",
    "zz: " + "[" * 15 + "&a []" + "]" * 15 + "\n", "zz: " + "[" * 300 + "]" * 300 + "\n",
    "zz: {a: 1, a: 2}\n", "zz: [{\"a\": 1, 'a': 2}]\n", "zz:\n  x: 1\n  \"\\x78\": 2\n",
    "zz: {~: 1, ~: 2}\n", "zz: {\"\": 1, '': 2}\n",
]
LAST_YAML_FAULTS = [
    "zz: \"unclosed\n", "zz: 'unclosed\n", "zz: [unclosed\n", "zz: {a: b\n", "zz: [a, {b: c]\n",
    "no colon\n",
]
SOUND_ODDITIES = [
    "zz1: " + "[" * 15 + "]" * 15 + "\n", "zz1: {b: {a: 1}, c: {a: 1}}\n", "'<<': quoted\n", "zz1: <<\n",
    "zz1: [<<]\n", "zz1: {a: 1, A: 2, \" a\": 3}\n", "zz1: 'it''s # no comment'  # comment\n", "\n",
    "zz1: \"&a *b !c\"\n", "zz1: a&b*c!d\n",
]
# fmt: on


@dataclass
class Draft:
    """An event file before its parts are joined; faults change the parts."""

    front: list[str]
    body: list[str]
    yaml_body: bool
    fences: tuple[str, str] = ("---", "---")
    damage: Callable[[bytes], bytes] = bytes

    def text(self) -> str:
        front, body = "".join(self.front), "".join(self.body)
        opening, closing = self.fences
        return normalised(f"{opening}\n{front}{closing}\n{body}")


PROSE = b"---\nts: 2026-01-07T00:00:00Z\nagent: long\n---\n# Now\nsoon\n# Notes\n"


class Spoiler:
    """Makes drafts unreadable."""

    def __init__(self, rng: random.Random, writer: YamlWriter, maps: list[str], large: bool):
        self.rng = rng
        self.writer = writer
        self.maps = maps
        self.large = large

    def spoil(self, draft: Draft) -> None:
        spoilers = [
            self.yaml,
            self.repeat_key,
            self.second_document,
            self.instant,
            self.agent,
            self.section,
            self.fence,
            self.encoding,
        ]
        weights = [5, 3, 1, 2, 1.5, 2, 1, 0.6]
        for _ in range(self.rng.choice([1, 1, 1, 2, 3])):
            self.rng.choices(spoilers, weights)[0](draft)
        if self.large and self.rng.random() < 0.3:
            draft.damage = self.padding(1)

    def insert(self, entries: list[str], text: str) -> None:
        entries.insert(self.rng.randrange(len(entries) + 1), text)

    def part(self, draft: Draft) -> list[str]:
        """Front matter or a body that is a YAML block mapping."""
        return self.rng.choice([draft.front, draft.body if draft.yaml_body else draft.front])

    def yaml(self, draft: Draft) -> None:
        if self.rng.random() < 0.15:
            self.part(draft).append(self.rng.choice(LAST_YAML_FAULTS))
        else:
            self.insert(self.part(draft), self.rng.choice(YAML_FAULTS))

    def repeat_key(self, draft: Draft) -> None:
        """The same key twice: of a document, or of a map once collapsed, or in both parts."""
        name = self.rng.choice(self.maps)
        same, spaced = self.writer.scalar("same key"), self.writer.double(" same\u3000 key")
        shapes: list[Callable[[], None]] = [
            lambda: [self.insert(draft.front, "twice: a\n") for _ in "ab"] and None,
            lambda: self.insert(draft.front, f"{name}: {{{same}: 1, {spaced}: 2}}\n"),
            lambda: self.insert(draft.front, f"{name}: [{{{same}: 1}}, {{x: y}}, {{{spaced}: }}]\n"),
            lambda: self.insert(draft.front, f"{name}:\n  {same}: 1\n  {spaced}: 2\n"),
            lambda: self.in_both(
                draft,
                f"{name}:\n  {same}: ~\n",
                f"{name}:\n  {spaced}: 2\n",
                f"# {name}\n\n- **same  key:** 2\n",
            ),
            lambda: self.in_both(
                draft,
                "",
                "twice: a\ntwice: b\n",
                f"# {name}\n- same key: 1\n\n# x\n\n# {name}\n- same\u00a0key\n",
            ),
        ]
        self.rng.choice(shapes)()

    def in_both(self, draft: Draft, front: str, yaml: str, markdown: str) -> None:
        self.insert(draft.front, front)
        if draft.yaml_body:
            self.insert(draft.body, yaml)
        else:
            draft.body.append(markdown)

    def second_document(self, draft: Draft) -> None:
        if self.rng.random() < 0.4:
            draft.front.append(self.rng.choice(["--- b\n", "...\n--- b\n", "--- {a: b}\n"]))
        elif draft.yaml_body and draft.body:
            draft.body.append(
                self.rng.choice(["---\n", "---\nmore: x\n", "--- b\n", "...\n---\nx: y\n", "...\nmore: x\n"])
            )
            if self.rng.random() < 0.3:
                draft.body.insert(
                    0, self.rng.choice(["%YAML 1.2\n---\n", "%UNKNOWN x\n---\n", "%TAG !e! tag:x\n---\n"])
                )

    def replace_front(self, draft: Draft, names: str, entry: str) -> None:
        draft.front[:] = [text for text in draft.front if not re.match(f"[\"']?(?:{names})[\"']?:", text)]
        self.insert(draft.front, entry)

    def instant(self, draft: Draft) -> None:
        bad = self.rng.choice([*BAD_INSTANTS, Absent, [], ["2026-01-10T13:00:00Z"], {"a": "b"}])
        entry = self.writer.entry(self.rng.choice(["ts", "timestamp"]), bad)
        if self.rng.random() < 0.15:
            draft.front[:] = self.rng.choice(
                [[], ["just text\n"], ["- a\n"], ["~\n"], ["# nothing\n"], ["[]\n"], ["''\n"]]
            )
        else:
            self.replace_front(draft, "ts|timestamp", entry)

    def agent(self, draft: Draft) -> None:
        bad = self.rng.choice([*BAD_AGENTS, Absent, [], ["a"], {"a": "b"}])
        self.replace_front(
            draft, "agent|session_id", self.writer.entry(self.rng.choice(["agent", "session_id"]), bad)
        )

    def section(self, draft: Draft) -> None:
        if self.rng.random() < 0.5:
            bad = self.rng.choice(["text", "", ["a"], [{"a": "b"}, ""], [["a"]], [{"c": "d"}, "x", Absent]])
            name = self.rng.choice(self.maps)
            self.replace_front(draft, name, self.writer.entry(name, bad))
        else:
            draft.body[:] = [
                self.rng.choice(
                    ["just text\n", "- a\n- b\n", "[]\n", "''\n", '""\n', "'null'\n", "---\n- a\n"]
                )
            ]
            draft.yaml_body = False

    def fence(self, draft: Draft) -> None:
        changes = [
            lambda data: data.removeprefix(b"---\n"),
            lambda data: b"-" + data,
            lambda data: b" " + data,
            lambda data: b"x\n" + data,
            lambda data: data.replace(b"---\n", b"--- x\n", 1),
            lambda data: b"",
            lambda data: b" \n\n",
            lambda data: b"---\nts: 2026-01-01T00:00:00Z\n",
            lambda data: b"\xef\xbb\xbf\xef\xbb\xbf" + data,
        ]
        draft.damage = self.rng.choice(changes)

    def encoding(self, draft: Draft) -> None:
        noise = self.rng.choice(
            [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\x80"]
        )
        draft.damage = self.rng.choice(
            [lambda data: data + noise, lambda data: data[:4] + noise + data[4:], lambda data: noise + data]
        )

    def padding(self, excess: int) -> Callable[[bytes], bytes]:
        """White space up to the limit, or beyond it; or prose that is, once it ends with LF."""
        if self.rng.random() < 0.5:
            return lambda data: data + b"\n" * ((1 << 20) + excess - len(data))
        return lambda data: PROSE + b"y" * ((1 << 20) - 1 + excess - len(PROSE))


# --- Ledgers --------------------------------------------------------------------------------


@dataclass
class Ledger:
    """A generated ledger: paths (as `os.fsdecode` gives them) to contents, and a configuration."""

    files: dict[str, bytes | Disguise] = field(default_factory=dict)
    config: str | None = None

    def write(self, folder: str) -> None:
        os.makedirs(os.path.join(folder, "events"), exist_ok=True)
        for path, content in self.files.items():
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if isinstance(content, bytes):
                with open(target, "wb") as file:
                    file.write(content)
            elif content is Disguise.FOLDER:
                os.mkdir(target)
            elif content is Disguise.FIFO:
                os.mkfifo(target)
            else:
                os.symlink("missing.md" if content is Disguise.DANGLING_LINK else "README.md", target)
        if self.config is not None:
            with open(os.path.join(folder, "config.yaml"), "w", encoding="utf-8") as file:
                file.write(self.config)


# fmt: off
ODD_NAMES = [
    "with space.md", "tick`s`.md", "日本.md", "\udcff\udcfe.md", "half\udce2\udc80.md", "new\nline.md",
    "esc\x1b.md", "ls\u2028ps\u2029.md", "bidi\u202e.md", "nbsp\u00a0.md", "back\\slash.md", "readme.md",
    "<b>.md", "README.md.md", "*.md", "é.md", "zz.md.md", "😀.md",
]
NO_EVENT_NAMES = [
    ".hidden.md", "README.md", "notes.txt", "UPPER.MD", ".md", "md", "event.md~",
]
# fmt: on


class LedgerMaker:
    """Builds one ledger from its random numbers."""

    def __init__(self, seed: int, *, bad_packs: bool = True):
        self.bad_packs = bad_packs
        self.rng = random.Random(f"headwater {seed}")
        self.ledger = Ledger()
        self.kinds = dict(KINDS)
        self.writer = YamlWriter(self.rng)
        self.contents = Contents(self.rng)
        if self.rng.random() < 0.45:
            self.configure()
        self.markdown = MarkdownWriter(self.rng, self.contents, self.kinds)
        maps = [name for name, kind in self.kinds.items() if kind == "map"]
        self.spoiler = Spoiler(self.rng, self.writer, maps, large=self.rng.random() < 0.03)
        self.ids: list[str] = []
        self.heads: list[list[str]] = [[] for _ in range(self.rng.choice([1, 2, 2, 3, 3]))]
        self.claimed: set[str] = set()
        self.agent = self.rng.choice(AGENTS)
        self.branch: Node = "main"
        self.packs: dict[str, list[tuple[str, str]]] = {}
        self.now = timeline(self.rng) // 4
        self.first = self.now

    # Configuration

    def configure(self) -> None:
        sections = [
            self.new_section(name)
            for name in self.rng.sample(["next", "risks", "owners", "a1_b2"], self.rng.randrange(3))
        ]
        sections += [
            self.changed_section(name)
            for name in self.rng.sample(
                ["goal", "this_session", "checkpoints", "open_questions", "decisions", "answers"],
                self.rng.randrange(4),
            )
        ]
        self.rng.shuffle(sections)
        lines = ["sections:"] if sections else ["sections: []"]
        for section in sections:
            lines += [
                ("  - " if not at else "    ") + f"{key}: {value}"
                for at, (key, value) in enumerate(section.items())
            ]
            self.kinds[section["name"]] = section.get("merge", self.kinds.get(section["name"], "set"))
            if "closed_by" in section:
                self.kinds[section["closed_by"]] = "set"
        self.ledger.config = "\n".join(lines) + "\n"

    def new_section(self, name: str) -> dict[str, str]:
        section = {"name": name}
        if self.rng.random() < 0.6:
            section["title"] = self.rng.choice(["Next Steps", "Über", "two words", "Blockers", "Ci Status"])
        if self.rng.random() < 0.8:
            section["merge"] = self.rng.choice(["register", "map", "set", "list"])
        return section | self.options(name, section.get("merge", "set"))

    def changed_section(self, name: str) -> dict[str, str]:
        section = {"name": name}
        merge = KINDS[name]
        if self.rng.random() < 0.3:
            section["title"] = "Renamed"
        if self.rng.random() < 0.3 and name not in ("open_questions", "this_session"):
            section["merge"] = merge = self.rng.choice(["register", "map", "set", "list"])
        return section | self.options(name, merge)

    def options(self, name: str, merge: str) -> dict[str, str]:
        options = {}
        if merge == "set" and self.rng.random() < 0.5:
            options["identity"] = self.rng.choice(["words", "exact"])
        if merge == "set" and self.rng.random() < 0.3:
            options["closed_by"] = f"closed_{name}"
        if merge == "set" and self.rng.random() < 0.4:
            options["grouped"] = self.rng.choice(["true", "true", "false"])
        if merge in ("set", "list", "map") and self.rng.random() < 0.5:
            options["show"] = self.rng.choice(["1h", "12h", "2d", "7d", "1w", "0d", "0h", "36h", "2w"])
        return options

    # Events

    def build(self) -> Ledger:
        for _ in range(self.rng.choice([0, 1, 3, 5, 8, 8, 12, 12, 16, 24])):
            self.add_event()
        if self.rng.random() < 0.1:
            self.add_twins()
        for _ in range(self.rng.choice([0, 0, 1, 2])):
            self.add_oddity()
        self.write_packs()
        return self.ledger

    def step_clock(self) -> int:
        self.now += self.rng.choice([0, 0, 1, SECOND, 600 * SECOND, 3600 * SECOND, 20 * 3600 * SECOND])
        return (
            self.first + self.rng.randrange(self.now - self.first + 1)
            if self.rng.random() < 0.1
            else self.now
        )

    def add_event(self) -> None:
        instant = self.step_clock()
        front = self.front_matter(instant)
        draft = self.draft(front)
        if self.rng.random() < 0.15:
            self.spoiler.spoil(draft)
            name = self.file_name(instant, front, odd_chance=0.4)
            if self.rng.random() < 0.15 and draft.damage is bytes:
                folder = self.place(instant, archived=True)
                self.packs.setdefault(folder, []).append((name, draft.text()))
                return
            self.put(
                self.place(instant, archived=self.rng.random() < 0.15),
                name,
                draft.damage(draft.text().encode()),
            )
            return
        draft.fences = (self.fence(), self.fence())
        for entry in self.rng.sample(SOUND_ODDITIES, self.rng.choice([0, 0, 0, 1])):
            self.spoiler.insert(draft.front, entry)
        if self.spoiler.large and self.rng.random() < 0.3:
            draft.damage = self.spoiler.padding(0)
        self.store(draft, instant, front)

    def fence(self) -> str:
        return "---" + self.rng.choices(["", " ", "\t", "  \t "], [20, 1, 1, 1])[0]

    def store(self, draft: Draft, instant: int, front: dict) -> None:
        """Puts a sound event into one or several places."""
        text = draft.text()
        event_id = hashlib.sha256(text.encode()).hexdigest()
        self.advance(event_id)
        places = self.rng.choices(
            [
                ["live"],
                ["live", "live"],
                ["archive"],
                ["pack"],
                ["live", "archive", "pack"],
                ["archive", "pack"],
            ],
            [12, 2, 3, 2, 1, 1],
        )[0]
        archived = self.claim(self.place(instant, archived=True), self.file_name(instant, front))
        for place in places:
            data = self.disguised(text) if draft.damage is bytes else draft.damage(text.encode())
            if place == "live":
                self.put("events", self.file_name(instant, front), data)
            elif place == "archive":
                self.ledger.files[archived] = data
            else:
                folder, name = archived.rsplit("/", 1)
                self.packs.setdefault(folder, []).append((name, text))

    def front_matter(self, instant: int) -> dict:
        rng = self.rng
        ts = rng.choice(EDGE_INSTANTS) if rng.random() < 0.015 else instant_text(rng, instant)
        if rng.random() < 0.5:
            self.agent = rng.choice(ODD_AGENTS) if rng.random() < 0.2 else rng.choice(AGENTS)
        agent = self.agent
        front = {**self.aliased("ts", "timestamp", ts), **self.aliased("agent", "session_id", agent)}
        for key in rng.sample(
            ["branch", "type", "reason", "event_type", "schema", "outcome", "metadata"], rng.randrange(3)
        ):
            front[key] = rng.choice(["main", "session_end", self.contents.node()])
        if rng.random() < 0.5:
            if rng.random() < 0.4:
                self.branch = rng.choice([Absent, self.contents.node(), *BRANCHES, *BRANCHES])
            front.pop("branch", None)
            front |= self.aliased("branch", "stream", self.branch)
        parents = self.parents()
        if parents != "none":
            front["parents"] = parents
        for name in self.rng.sample(list(self.kinds), rng.choice([0, 0, 1, 3])):
            front[name] = self.section(name)
        return dict(rng.sample(list(front.items()), len(front)))

    def aliased(self, name: str, other: str, value: Node) -> dict[str, Node]:
        shapes = [
            {name: value},
            {other: value},
            {name: value, other: "ignored"},
            {name: Absent, other: value},
            {name: value, other: Absent},
        ]
        return self.rng.choices(shapes, [12, 4, 1, 1, 1])[0]

    def section(self, name: str) -> Node:
        return self.contents.section(self.kinds[name], question="question" in name)

    def parents(self) -> Node:
        """Mostly what a writer on one of the branches has seen; "none" is no key at all."""
        rng = self.rng
        self.stream = rng.randrange(len(self.heads))
        known = [self.shortened(event_id) for event_id in self.heads[self.stream]]
        roll = rng.random()
        if roll < 0.75:
            return known[0] if len(known) == 1 and rng.random() < 0.3 else known
        if roll < 0.87:
            return "none"
        odd = [
            "0" * 12,
            "f" * 64,
            "0123456789ab",
            "short",
            "A" * 12,
            "0" * 65,
            "x" * 12,
            "",
            Absent,
            ["0" * 12],
            {"a": "b"},
            "0" * 11,
            TWINS_PREFIX,
        ]
        return rng.choice(
            [
                Absent,
                [],
                "",
                "not an id",
                rng.choice(odd),
                [*known, *rng.sample(odd, 2)],
                [self.shortened(rng.choice(self.ids))[:11]] if self.ids else [],
            ]
        )

    def shortened(self, event_id: str) -> str:
        return event_id[: self.rng.choice([12, 13, 16, 40, 64, 64])]

    def advance(self, event_id: str) -> None:
        self.ids.append(event_id)
        self.heads[self.stream] = [event_id]
        if self.rng.random() < 0.2:
            other = self.rng.randrange(len(self.heads))
            merged = {*self.heads[self.stream], *self.heads[other]}
            self.heads[other] = sorted(merged)

    # Bodies

    def draft(self, front: dict) -> Draft:
        rng = self.rng
        entries = self.writer.document(front)
        for entry in rng.sample(["# a comment\n", "\n"], rng.choice([0, 0, 1])):
            entries.insert(rng.randrange(len(entries) + 1), entry)
        taken = {collapsed(key) for name in self.kinds for key in written_keys(front.get(name))}
        roll = rng.random()
        if roll < 0.06:
            body = rng.choice(["", "", "---\n", "~\n", "null\n", "# only a comment\n", "--- ~\n", "\n\n"])
            return Draft(entries, [body], yaml_body=False)
        if roll < 0.14:
            return Draft(entries, [rng.choice(BODIES)], yaml_body=False)
        if roll < 0.42:
            return Draft(entries, [self.markdown.body(taken)], yaml_body=False)
        body = self.yaml_body(taken)
        if rng.random() < 0.12:
            return Draft(
                entries, [rng.choice(["", "---\n", "--- "]) + self.writer.flow(body) + "\n"], yaml_body=False
            )
        start = rng.choices([[], ["---\n"], ["# a comment\n"], ["# Notes\n"], ["\n"]], [12, 1, 1, 1, 1])[0]
        return Draft(entries, [*start, *self.writer.document(body)], yaml_body=bool(body))

    def yaml_body(self, taken: set[str]) -> dict:
        names = self.rng.sample(list(self.kinds), self.rng.randrange(1, 5))
        body = {name: self.section(name) for name in names}
        for name, value in body.items():
            if self.kinds[name] != "map" or self.rng.random() < 0.1:
                continue
            if (taken - {""}) & {collapsed(key) for key in written_keys(value)}:
                body[name] = {}
        for name in self.rng.sample(UNDECLARED, self.rng.choice([0, 0, 1, 2])):
            body.setdefault(name, self.contents.section("set"))
        return dict(self.rng.sample(list(body.items()), len(body)))

    # Files

    def file_name(self, instant: int, front: dict, odd_chance: float = 0.1) -> str:
        if self.rng.random() < odd_chance:
            return self.rng.choice(ODD_NAMES)
        agent = front.get("agent") or front.get("session_id") or "nobody"
        day = (START + timedelta(seconds=instant // SECOND)).isoformat().replace(":", "-")
        return f"{day}Z_{re.sub('[^A-Za-z0-9._-]', '-', agent)[:40]}.md"

    def place(self, instant: int, *, archived: bool) -> str:
        day = (START + timedelta(seconds=instant // SECOND)).date().isoformat()
        return f"archive/{day}" if archived else "events"

    def put(self, folder: str, name: str, content: bytes | Disguise) -> None:
        self.ledger.files[self.claim(folder, name)] = content

    def claim(self, folder: str, name: str) -> str:
        """A path that nothing else has, numbered as the format's writer does."""
        stem, number = name.removesuffix(".md"), 2
        while (path := f"{folder}/{name}") in self.claimed:
            name, number = f"{stem}_{number}.md", number + 1
        self.claimed.add(path)
        return path

    def disguised(self, text: str) -> bytes:
        """Other bytes of the same event: all of this is undone before the event is hashed."""
        rng = self.rng
        if rng.random() < 0.6:
            return text.encode()
        text = (
            rng.choice(["", "", "\n", " \t\n\n", "\u00a0\n\x0c\n"])
            + text.rstrip("\n")
            + rng.choice(["", "\n", "\n\n \n", "\u3000\x0b"])
        )
        text = rng.choice(["", "\ufeff"]) + text
        return text.replace("\n", rng.choice(["\n", "\n", "\r\n", "\r"])).encode()

    def add_twins(self) -> None:
        for text in TWINS:
            self.put("events", "twin.md", text.encode())
        self.stream = 0
        front = {
            "ts": instant_text(self.rng, self.now),
            "agent": "alice",
            "parents": [TWINS_PREFIX],
            "now": self.contents.text(),
        }
        self.store(Draft(self.writer.document(front), [], yaml_body=False), self.now, front)

    def add_oddity(self) -> None:
        """What lies in a ledger's folders without being an event."""
        rng = self.rng
        folder = rng.choice(["events", "events", "archive/2026-01-05"])
        roll = rng.random()
        if roll < 0.4:
            self.put(folder, rng.choice([*ODD_NAMES, "entry.md"]), rng.choice(list(Disguise)))
        elif roll < 0.8:
            self.ledger.files.setdefault(f"{folder}/{rng.choice(NO_EVENT_NAMES)}", b"not an event")
        else:
            stray = [
                "archive/stray.md",
                "archive/misc/x.md",
                "archive/2026-1-5/x.md",
                "events/sub/x.md",
                "archive/2026-01-05/sub/x.md",
                "current.md",
                "archive/2026-01-05x/x.md",
            ]
            self.ledger.files.setdefault(rng.choice(stray), b"not an event")

    def write_packs(self) -> None:
        for folder, items in self.packs.items():
            items = [(packed_name(name), text) for name, text in items]
            halves = [items] if len(items) < 3 else [items[:2], items[1:]]
            for half in halves:
                self.put_pack(folder, packs.good(self.rng, half))
                if self.rng.random() < 0.1:
                    self.put_bad_pack(folder, half)
        if self.rng.random() < 0.35:
            folder = self.rng.choice(["archive/2026-01-05", "archive/2026-01-07", "archive/2026-99-99"])
            events = [("in a pack.md", TWINS[0]), ("another.md", TWINS[1]), ("third.md", "no event\n")]
            self.put_bad_pack(folder, self.rng.sample(events, self.rng.randrange(1, 4)))

    def put_bad_pack(self, folder: str, entries: list[tuple[str, str]]) -> None:
        pack = packs.bad(self.rng, entries)
        if self.bad_packs:
            self.put_pack(folder, pack)

    def put_pack(self, folder: str, pack: packs.Pack) -> None:
        name, content = pack
        self.ledger.files.setdefault(f"{folder}/{name}", content)


def packed_name(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def normalised(text: str) -> str:
    """`text` with one LF for the white space at its end; drafts have nothing else to normalise."""
    return (
        text.rstrip("\t\n\x0b\x0c\r \x85\u00a0\u2003\u2028\u2029\u3000") + "\n"
    )  # what the texts above have


def written_keys(node: Node) -> Iterator[str]:
    """The keys of a map section's value."""
    for table in node if isinstance(node, list) else [node]:
        if isinstance(table, dict):
            yield from table


def generate(seed: int, *, bad_packs: bool = True) -> Ledger:
    """The ledger of a seed; without `bad_packs` it is the same but for these."""
    return LedgerMaker(seed, bad_packs=bad_packs).build()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("seed", metavar="SEED", type=int)
    parser.add_argument("folder", metavar="OUTDIR")
    arguments = parser.parse_args()
    generate(arguments.seed).write(arguments.folder)


if __name__ == "__main__":
    main()
