"""Packs of archived events, good ones and ones that are bad in every way the format names."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable
from enum import Enum, auto


class Disguise(Enum):
    """Kinds of directory entries that are no regular file."""

    LINK = auto()
    DANGLING_LINK = auto()
    FOLDER = auto()
    FIFO = auto()


Entry = tuple[str, str]
Pack = tuple[str, bytes | Disguise]


def quoted(text: str) -> str:
    """A double-quoted YAML scalar: JSON's, with every other control and astral character escaped."""
    escaped = json.dumps(text, ensure_ascii=False)
    return re.sub(
        "[\x7f-\x9f\ufeff\u2028\u2029\U00010000-\U0010ffff]", lambda match: f"\\U{ord(match[0]):08x}", escaped
    )


def event_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def in_order(entries: list[Entry]) -> list[Entry]:
    by_id = {event_id(text): (name, text) for name, text in entries}
    return [entry for _, entry in sorted(by_id.items())]


def block(name: str, text: str) -> str:
    return f"- name: {name}\n  text: {text}\n"


def written(entries: list[Entry]) -> str:
    return "".join(block(quoted(name), quoted(text)) for name, text in entries)


def named(content: bytes | str) -> Pack:
    data = content.encode() if isinstance(content, str) else content
    return f"pack-{hashlib.sha256(data).hexdigest()[:16]}.yaml", data


def plain(entries: list[Entry]) -> Pack:
    """The pack of these events that the program would write."""
    return named(written(in_order(entries)))


def good(rng: random.Random, entries: list[Entry]) -> Pack:
    """A pack of these events, mostly as the program writes it."""
    entries = in_order(entries)
    shapes = [
        lambda: written(entries),
        lambda: "".join(f"- text: {quoted(text)}\n  'name': {quoted(name)}\n" for name, text in entries),
        lambda: "# a comment\n" + written(entries) + "\n\n",
        lambda: "[" + ",\n".join(f"{{name: {quoted(n)}, text: {quoted(t)}}}" for n, t in entries) + "]\n",
        lambda: "[]\n",
        lambda: "[]",
    ]
    return named(rng.choices(shapes, [12, 1, 1, 1, 0.3, 0.3])[0]())


# fmt: off
BAD_NAMES = [
    "README.md", ".hidden.md", ".md", "a/b.md", "/a.md", "a.txt", "a.MD", "", "a\0b.md", "md", "../a.md", "a.md ",
]
NO_LISTS = [
    "", "\n", "{}\n", "null\n", "text\n", "'[]'\n", "# only a comment\n", "name: a.md\ntext: \"x\\n\"\n", "[~]\n", "- a\n", "- []\n",
    "- {}\n", "[[]]\n", "&a []\n", "!!seq []\n", "[]\n---\n[]\n", "%YAML 1.2\n---\n[]\n", "- *a\n", "[\n", "- a: b: c\n",
]
FILE_NAMES = [
    "pack-.yaml", "pack-0000000000000000.yaml", "pack-x.yaml", "pack-\u202e`.yaml", "pack-new\nline.yaml", "pack-\udcff.yaml",
    "pack-0123456789abcdef.yaml", "pack-.yaml.yaml", "pack-..yaml",
]
# fmt: on


def bad(rng: random.Random, entries: list[Entry]) -> Pack:
    """A bad pack. `entries` are at least one event, which no bad pack gives."""
    entries = in_order(entries)
    return rng.choice([bad_file, bad_form, bad_form, bad_entry, bad_entry, bad_order])(rng, entries)


def bad_file(rng: random.Random, entries: list[Entry]) -> Pack:
    name, data = named(written(entries))
    digest = hashlib.sha256(data).hexdigest()
    shapes: list[Callable[[], Pack]] = [
        lambda: (name, rng.choice(list(Disguise))),
        lambda: (name, data[: rng.randrange(len(data))]),
        lambda: (name, data + b"\n"),
        lambda: (rng.choice(FILE_NAMES), data),
        lambda: (f"pack-{digest[:16].upper()}-.yaml", data),
        lambda: (f"pack-{digest[: rng.choice([0, 12, 15, 17, 64])]}.yaml", data),
    ]
    return rng.choice(shapes)()


def bad_form(rng: random.Random, entries: list[Entry]) -> Pack:
    text = written(entries)
    data = text.encode()
    name, event = (quoted(part) for part in entries[0])
    shapes: list[Callable[[], str | bytes]] = [
        lambda: rng.choice(NO_LISTS),
        lambda: b"\xef\xbb\xbf" + data,
        lambda: data.replace(b"\n", rng.choice([b"\r\n", b"\r"])),
        lambda: data + rng.choice([b"# \xff\n", b"# \x07\n", b"# \xc2\x85\n", b"\0", b"\r"]),
        lambda: (
            text
            + rng.choice(["- a\n", "- {}\n", "---\n", "...\n---\n[]\n", "~: a\n", "- ~\n", "- [unclosed\n"])
        ),
        lambda: block(f"&anchor {name}", event),
        lambda: block(name, f"!!str {event}"),
        lambda: block(name, event) + "  other: x\n",
        lambda: block(name, event) + f"  name: {name}\n",
        lambda: block(name, event) + "  <<: {}\n",
        lambda: block(name, event) + "  ? [a]\n  : b\n",
        lambda: f"- name: {name}\n",
        lambda: f"- text: {event}\n",
        lambda: f"- Name: {name}\n  text: {event}\n",
        lambda: f"entries:\n{text}",
        lambda: f"-\n{text}" if len(entries) > 1 else f"- [{{name: {name}, text: {event}}}]\n",
    ]
    return named(rng.choice(shapes)())


def bad_entry(rng: random.Random, entries: list[Entry]) -> Pack:
    name, text = rng.choice(entries)
    names = [quoted(bad_name) for bad_name in BAD_NAMES] + ["~", "", "[a.md]", "{a.md: b}"]
    texts = [
        text[:-1],
        text + "\n",
        "\n" + text,
        " \n" + text,
        "\ufeff" + text,
        text[:-1] + " \n",
        "",
        "\n\n",
    ]
    texts += [text.replace("\n", "\r\n"), text.replace("\n", "\r", 1)]
    if rng.random() < 0.02:
        texts = [text + "y" * (1 << 20) + "\n"]
    shapes = [
        lambda: block(rng.choice(names), quoted(text)),
        lambda: block(quoted(name), quoted(rng.choice(texts))),
        lambda: block(quoted(name), rng.choice(["~", "", "[]", f"[{quoted(text)}]", "plain"])),
    ]
    others = [entry for entry in entries if entry[1] != text]
    parts = [rng.choice(shapes)(), *(block(quoted(n), quoted(t)) for n, t in others)]
    return named("".join(rng.sample(parts, len(parts))))


def bad_order(rng: random.Random, entries: list[Entry]) -> Pack:
    if len(entries) > 1 and rng.random() < 0.6:
        return named(written(entries[::-1]))
    return named(written([entries[0], *entries]))
