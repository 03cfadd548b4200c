"""The texts, keys, names and faults that the generator draws from."""

Absent = None

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

# fmt: off
UNDECLARED = [
    "next", "blockers", "done_this_session", "ci-status", "_", "___", "Zeta", "a b", "é", "x\ny", "#tag", "",
    "  ", "*", "ts", "agent", "Goal", "über alles", "a--b", "null", "a#b", "## x", "#", "this-session", "OPEN_QUESTIONS",
    "unreadable_events", "Unreadable Events", "unreadable  events", "Decisions", "decisions ", "- x", "`x`", "![x",
    "x\u200d", "\u26a0\ufe0f", "-_-", "two_words", "1. x", "$$",
]
# fmt: on

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

# fmt: off
ODD_NAMES = [
    "with space.md", "tick`s`.md", "日本.md", "\udcff\udcfe.md", "half\udce2\udc80.md", "new\nline.md",
    "esc\x1b.md", "ls\u2028ps\u2029.md", "bidi\u202e.md", "nbsp\u00a0.md", "back\\slash.md", "readme.md",
    "\udcff\ufe0f.md", "\u26a0\ufe0f.md", "\ufe0f\u200d.md", "a\u200d\u00ad.md", " \u200c.md", "\ufffd\ufe0e.md",
    "<b>.md", "README.md.md", "*.md", "é.md", "zz.md.md", "😀.md",
]
NO_EVENT_NAMES = [
    ".hidden.md", "README.md", "notes.txt", "UPPER.MD", ".md", "md", "event.md~",
]
# fmt: on
