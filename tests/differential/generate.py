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
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import packs
from packs import Disguise
from pools import (
    AGENTS,
    BODIES,
    BRANCHES,
    EDGE_INSTANTS,
    NO_EVENT_NAMES,
    ODD_AGENTS,
    ODD_NAMES,
    SOUND_ODDITIES,
    TWINS,
    TWINS_PREFIX,
    UNDECLARED,
    Absent,
)
from spoil import (
    Draft,
    Spoiler,
)
from writers import (
    KINDS,
    SECOND,
    START,
    Contents,
    MarkdownWriter,
    Node,
    YamlWriter,
    collapsed,
    instant_text,
    timeline,
)

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


class LedgerMaker:
    """Builds one ledger from its random numbers."""

    def __init__(self, seed: int, *, odd_packs: bool = True):
        self.odd_packs = odd_packs
        self.rng = random.Random(f"headwater {seed}")
        self.ledger = Ledger()
        self.kinds = dict(KINDS)
        self.writer = YamlWriter(self.rng)
        self.contents = Contents(self.rng)
        if self.rng.random() < 0.45:
            self.configure()
        self.markdown = MarkdownWriter(self.rng, self.contents, self.kinds)
        maps = [name for name, kind in self.kinds.items() if kind == "map"] or ["decisions"]
        self.spoiler = Spoiler(self.rng, self.writer, maps, large=self.rng.random() < 0.06)
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
                if self.odd_packs:
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
                pack = packs.good(self.rng, half)
                self.put_pack(folder, pack if self.odd_packs else packs.plain(half))
                if self.rng.random() < 0.1:
                    self.put_bad_pack(folder, half)
        if self.rng.random() < 0.35:
            folder = self.rng.choice(["archive/2026-01-05", "archive/2026-01-07", "archive/2026-99-99"])
            events = [("in a pack.md", TWINS[0]), ("another.md", TWINS[1]), ("third.md", "no event\n")]
            self.put_bad_pack(folder, self.rng.sample(events, self.rng.randrange(1, 4)))

    def put_bad_pack(self, folder: str, entries: list[tuple[str, str]]) -> None:
        pack = packs.bad(self.rng, entries)
        if self.odd_packs:
            self.put_pack(folder, pack)

    def put_pack(self, folder: str, pack: packs.Pack) -> None:
        name, content = pack
        self.ledger.files.setdefault(f"{folder}/{name}", content)


def packed_name(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def written_keys(node: Node) -> Iterator[str]:
    """The keys of a map section's value."""
    for table in node if isinstance(node, list) else [node]:
        if isinstance(table, dict):
            yield from table


def generate(seed: int, *, odd_packs: bool = True) -> Ledger:
    """The ledger of a seed; without `odd_packs` it is nearly the same: packs are as the program writes them."""
    return LedgerMaker(seed, odd_packs=odd_packs).build()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("seed", metavar="SEED", type=int)
    parser.add_argument("folder", metavar="OUTDIR")
    arguments = parser.parse_args()
    generate(arguments.seed).write(arguments.folder)


if __name__ == "__main__":
    main()
