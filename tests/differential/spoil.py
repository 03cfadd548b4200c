"""Makes event files unreadable, in every way that has a code."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from pools import (
    BAD_AGENTS,
    BAD_INSTANTS,
    LAST_YAML_FAULTS,
    YAML_FAULTS,
    Absent,
)
from writers import (
    YamlWriter,
    normalised,
)


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
        if self.large and self.rng.random() < 0.6:
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
