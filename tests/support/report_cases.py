"""Plans, results and verifications as strangers could make them, and readers for what comes out."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "<!-- ",
    '=HYPERLINK("http://evil.example","x")',
    "  =1+1",
    "＝1+1",
    "@SUM(1)",
    "+1",
    "-1",
    "\t=1",
    "\r=1",
    "\n=1",
    "a | b |\n| --- |",
    "a\\| b",
    "ends in \\",
    "[free](http://evil.example)",
    "[free][evil]",
    "![](http://evil.example/pixel.png)",
    "<http://evil.example>",
    "`code` *bold* __bold__ ~~gone~~ # head",
    "&lt;b&gt; &copy; &#60;",
    "{{ 7 * 7 }} {% raw %}",
    'quotes "in" text, and commas',
    "two\r\nlines\u2028and more",
    "\u202egpj.exe",
    "\x00\x07\ud800",
    "None",
)

# In CSV an apostrophe in front may be ours, and nobody could tell.
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20).filter(lambda text: not text.startswith("'")))
addresses = st.one_of(st.sampled_from(["ada@contoso.example", "Ada@Contoso.example", "ben@contoso.example"]), texts)
# The page says "none" of an event without an id, and nobody could tell.
ids = st.one_of(st.sampled_from(["AAMk=1", "AAMk=2", "AAMk=3"]), texts.filter(lambda text: text.strip() != "none"))
times = st.one_of(
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()), st.sampled_from([*HOSTILE, "", None])
)
numbers = st.one_of(st.none(), st.integers(0, 500))
outcomes = st.one_of(st.sampled_from(["cancelled", "already_cancelled", "changed", "denied", "preview"]), texts)

meetings = st.fixed_dictionaries(
    {"event_id": ids, "user_id": addresses, "iCalUId": texts, "changeKey": texts, "start": times, "end": times,
     "rooms": st.lists(addresses, max_size=2), "people": numbers, "outside": numbers,
     "type": st.sampled_from(["singleInstance", "occurrence", "seriesMaster"]), "scope": st.just("dates")},
    optional={"subject": texts},
)  # fmt: skip
left = st.fixed_dictionaries(
    {"reason": st.one_of(st.sampled_from(["kept", "external organizer"]), texts), "iCalUId": texts,
     "organizer": addresses, "start": times, "end": times, "rooms": st.lists(addresses, max_size=2)},
    optional={"event_id": ids, "user_id": addresses},
)  # fmt: skip
windows = st.fixed_dictionaries(
    {"start": times, "end": times, "timezone": st.sampled_from(["Europe/Berlin", "America/New_York", "Nowhere", None])}
)
plans = st.fixed_dictionaries(
    {"window": windows, "meetings": st.lists(meetings, max_size=6), "left": st.lists(left, max_size=4),
     "digest": texts, "made_at": times, "summary": texts}
)  # fmt: skip
rows = st.fixed_dictionaries(
    {"event_id": ids, "mailbox": addresses, "outcome": outcomes, "request_id": st.one_of(st.none(), texts),
     "attempts": numbers, "at": times, "message": texts}
)  # fmt: skip
verifications = st.fixed_dictionaries(
    {"total": st.integers(0, 9), "gone": st.integers(0, 9), "at": times,
     "still_there": st.lists(st.fixed_dictionaries({"event_id": ids, "mailbox": addresses, "message": texts}),
                             max_size=3)}
)  # fmt: skip
materials = st.tuples(
    st.one_of(st.none(), plans), st.one_of(st.none(), st.lists(rows, max_size=6)), st.one_of(st.none(), verifications)
)

_VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}


@dataclass
class Node:
    """An element of a page."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Node]:
        """This element and all below it."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child

    def all(self, tag: str, name: str | None = None) -> list[Node]:
        """The elements of one kind below this one, with that class if one is named."""
        return [node for node in self if node.tag == tag and (name is None or name in node.classes)]

    @property
    def classes(self) -> list[str]:
        """Its classes."""
        return (self.attributes.get("class") or "").split()

    @property
    def text(self) -> str:
        """What a reader sees."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


class _Reader(HTMLParser):
    """Builds the tree, and holds that every tag is closed where it should be."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Node("page")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"A comment: {data}")


def read_html(text: str) -> Node:
    """The tree of a page."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert [node.tag for node in reader.open] == ["page"]
    return reader.open[0]


def read_markdown(text: str) -> Node:
    """The tree of what a Markdown reader that lets HTML through makes of it."""
    return read_html(MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").render(text))


def read_csv(text: str) -> list[dict[str, str]]:
    """The rows of a CSV file, without the apostrophes that stand before formulas."""
    read = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    return [{name: bare(value) for name, value in row.items()} for row in read]


def bare(value: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from calculating."""
    rest = value.removeprefix("'")
    return rest if rest[:1] in set("\t\r\n") or rest.lstrip()[:1] in set("=+-@＝＋－＠") else value


def flat(text: str) -> str:
    """Text as every format shows it: in one line."""
    return " ".join(text.split())


def tables(page: Node, first: str) -> list[list[Node]]:
    """The body rows of all tables whose first column has that heading."""
    found = []
    for table in page.all("table"):
        heads = table.all("th")
        if heads and flat(heads[0].text) == first:
            (body,) = table.all("tbody") or [Node("tbody")]
            found.append(body.all("tr"))
    return found


def meeting(number: int, **more: Any) -> dict[str, Any]:
    """A row of a plan: an hour of Ada's, on 9 December 2030 in Berlin, from nine o'clock on."""
    return {
        "event_id": f"AAMk={number}", "user_id": "ada@contoso.example", "iCalUId": f"uid-{number}", "changeKey": "k",
        "start": f"2030-12-09T{8 + number % 12:02}:00:00+00:00", "end": f"2030-12-09T{9 + number % 12:02}:00:00+00:00",
        "rooms": ["beacon@contoso.example"], "people": 5, "outside": 1, "type": "singleInstance", "scope": "dates",
        **more,
    }  # fmt: skip


def plan(*meetings: dict[str, Any], left: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """A plan of these meetings, for two days in Berlin."""
    window = {
        "start": "2030-12-09T00:00:00+01:00",
        "end": "2030-12-11T00:00:00+01:00",
        "timezone": "Europe/Berlin",
    }
    return {"window": window, "meetings": [*meetings], "left": [*left], "totals": {}, "digest": "4f1c",
            "made_at": "2030-12-01T10:00:00+00:00", "summary": ""}  # fmt: skip


def row(number: int, outcome: str = "cancelled", **more: Any) -> dict[str, Any]:
    """A row of a result, for the meeting of that number."""
    return {
        "event_id": f"AAMk={number}", "mailbox": "ada@contoso.example", "outcome": outcome, "attempts": 1,
        "request_id": f"request-{number}", "at": "2030-12-02T10:00:00+00:00", "message": "Said Graph.", **more,
    }  # fmt: skip
