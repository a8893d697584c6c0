"""Whatever comes in comes out, once, in every format, and as text."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections import Counter
from typing import Any

import markdown
import pytest
from hypothesis import example, given

from airflow_graph_cancel.report import build_report, to_csv, to_html, to_markdown, to_summary
from airflow_graph_cancel.report.as_csv import COLUMNS
from tests.support.report_cases import (
    HOSTILE,
    Node,
    flat,
    materials,
    meeting,
    plan,
    read_csv,
    read_html,
    read_markdown,
    row,
    tables,
    verifications,
)

Material = tuple[dict[str, Any] | None, list[dict[str, Any]] | None, dict[str, Any] | None]

EVERYWHERE: Material = (
    plan(
        *(
            meeting(number, event_id=text, user_id=text, subject=text, rooms=[text], start=text, end=text)
            for number, text in enumerate(HOSTILE)
        ),
        left=tuple({"reason": text, "organizer": text, "iCalUId": text, "rooms": [text]} for text in HOSTILE),
    ),
    [
        row(number, event_id=text, mailbox=text, request_id=text, message=text, outcome=text, at=text)
        for number, text in enumerate(HOSTILE)
    ],
    {"total": 99, "gone": 1, "still_there": [{"event_id": text, "mailbox": text, "message": text} for text in HOSTILE]},
)
FIELD = r'(?:"(?:[^"]|"")*"|[^",\r\n]*)'
RFC_4180 = re.compile(rf"(?:{FIELD}(?:,{FIELD})*\r\n)+")
TAGS = frozenset(
    ("html", "head", "meta", "title", "style", "body", "main", "nav", "footer", "h1", "h2", "h3", "p", "ul", "li", "a",
     "b", "span", "small", "bdi", "wbr", "code", "time", "details", "summary", "dl", "dt", "dd", "table", "caption",
     "thead", "tbody", "tr", "th", "td")
)  # fmt: skip
ATTRIBUTES = frozenset(
    ("lang", "charset", "name", "content", "http-equiv", "class", "id", "href", "aria-label", "scope", "datetime")
)
MARKDOWN_TAGS = frozenset(
    ("page", "h1", "h2", "h3", "p", "strong", "ul", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td")
)


def shown(text: object) -> str:
    """Text of the input as a format shows it."""
    unshowable = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
    return flat(re.sub(unshowable, "\ufffd", str(text or "")))


def expected(material: Material) -> Counter[str]:
    """The ids of all events that the material names, once each; those without an id each for themselves."""
    planned, rows, verification = material
    named = [*(planned or {}).get("meetings", ()), *(rows or ()), *(verification or {}).get("still_there", ())]
    keys = {
        (each["event_id"] or f"blank {place}", (each.get("user_id") or each.get("mailbox") or "").casefold())
        for place, each in enumerate(named)
    }
    blank = sum(not each["event_id"] for each in named)
    return Counter({"": blank} if blank else {}) + Counter(
        shown(event_id) for event_id, _ in keys if not event_id.startswith("blank ")
    )


def events_of(page: Node) -> list[Node]:
    """The events' rows in a page."""
    return [row for table in page.all("table", "events") for body in table.all("tbody") for row in body.all("tr")]


def id_of(row: Node) -> str:
    """The event id in a row of a page."""
    (details,) = row.all("details")
    (code,) = details.all("code")
    return "" if code.text == "none" else flat(code.text)


@given(materials)
@example(EVERYWHERE)
def test_every_event_is_in_every_format_once(material: Material) -> None:
    """Nothing is lost: what was planned, what only a result names, what is only still there."""
    report = build_report(*material)
    wanted = expected(material)
    rows = [each for each in read_csv(to_csv(report)) if each["record"] == "meeting"]
    assert Counter(flat(each["event_id"]) for each in rows) == wanted
    page = read_html(to_html(report))
    assert Counter(map(id_of, events_of(page))) == wanted
    text = read_markdown(to_markdown(report))
    cells = [each.all("td") for table in tables(text, "When") for each in table if len(each.all("td")) == 14]
    assert Counter(flat(each[13].text) for each in cells) == wanted


@given(materials)
@example(EVERYWHERE)
def test_everything_that_was_left_is_in_every_format_with_its_reason(material: Material) -> None:
    """Who asks why a meeting stands finds it, and its organizer."""
    report = build_report(*material)
    left = (material[0] or {}).get("left", [])
    wanted = Counter(
        (shown(each["reason"]) or "no reason given", shown(each["organizer"] or each.get("user_id"))) for each in left
    )
    rows = [each for each in read_csv(to_csv(report)) if each["record"] == "left"]
    assert Counter((flat(each["reason"]) or "no reason given", flat(each["organizer"])) for each in rows) == wanted
    page = read_html(to_html(report))
    found: Counter[tuple[str, str]] = Counter()
    reasons = page.all("h3")
    for heading, table in zip(reasons, page.all("table", "left"), strict=True):
        reason, _, count = flat(heading.text).rpartition(" (")
        (body,) = table.all("tbody")
        assert count == f"{len(body.all('tr'))})"
        for each in body.all("tr"):
            (who,) = each.all("th")
            found[reason or "no reason given", "" if who.text == "not known" else flat(who.text)] += 1
    assert found == wanted
    text = read_markdown(to_markdown(report))
    assert sum(len(each.all("td")) == 5 for table in tables(text, "When") for each in table) == len(left)


@given(materials)
@example(EVERYWHERE)
def test_the_numbers_are_those_of_the_rows(material: Material) -> None:
    """A report agrees with itself: each number in it is the number of rows that it speaks of."""
    report = build_report(*material)
    rows = [each for each in read_csv(to_csv(report)) if each["record"] == "meeting"]
    outcomes = Counter(flat(each["outcome"]).replace("_", " ") for each in rows)
    page, text = read_html(to_html(report)), read_markdown(to_markdown(report))
    assert sum(report.counts.values()) == report.total == len(rows) == len(events_of(page))
    if report.decided and rows:
        (table,) = page.all("table", "counts")
        assert counted(table.all("tbody")[0].all("tr")) == outcomes
        assert counted(tables(text, "Outcome")[0]) == outcomes
        told = [each for each in rows if each["outcome"] == "cancelled"]
        assert report.people == sum(int(each["people"] or 0) for each in told)
        assert report.outside == sum(int(each["outside_people"] or 0) for each in told)
    facts = [f"{fact.all('b')[0].text} {fact.all('span')[0].text}" for fact in page.all("ul", "facts")[0].all("li")]
    said = [flat(item.text) for item in text.all("ul")[0].all("li")]
    assert [item for item in said if not item.startswith("reasons for")] == facts
    for heading, table in zip(page.all("h2"), page.all("table"), strict=False):
        if "events" in table.classes:
            assert heading.text.endswith(f"({len(table.all('tbody')[0].all('tr'))})")


def counted(rows: list[Node]) -> Counter[str]:
    """Outcomes and numbers of a table."""
    found: Counter[str] = Counter()
    for line in rows:
        cells = [flat(cell.text) for cell in line if cell.tag in {"td", "th"}]
        found[cells[0].replace("_", " ")] += int(cells[1].replace(",", ""))
    return found


@given(materials)
@example(EVERYWHERE)
def test_the_page_holds_nothing_but_our_own_elements(material: Material) -> None:
    """Text of strangers makes no element, no attribute and no link, and the page asks for nothing from elsewhere."""
    html = to_html(build_report(*material, title=HOSTILE[0], source=HOSTILE[1], notes=[HOSTILE[2]]))
    html.encode()
    page = read_html(html)
    for node in page:
        assert node.tag in TAGS | {"page"}
        assert node.attributes.keys() <= ATTRIBUTES
        assert (node.attributes.get("href") or "#").startswith("#")
    (style,) = page.all("style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    (policy,) = [meta for meta in page.all("meta") if meta.attributes.get("http-equiv") == "Content-Security-Policy"]
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in (policy.attributes["content"] or "")
    assert "url(" not in style.text
    assert "@import" not in style.text


@given(materials)
@example(EVERYWHERE)
def test_markdown_holds_no_markup_of_strangers(material: Material) -> None:
    """No link, image, HTML, emphasis or cell of theirs, in two readers that let HTML through."""
    text = to_markdown(build_report(*material, title=HOSTILE[16], notes=[HOSTILE[18]]))
    text.encode()
    assert "<" not in text
    assert all(line.count(">") == line.startswith("> - ") for line in text.splitlines())
    assert {node.tag for node in read_markdown(text)} <= MARKDOWN_TAGS
    other = read_html(markdown.markdown(text, extensions=["tables"]))
    assert {node.tag for node in other} <= MARKDOWN_TAGS
    assert not any(node.attributes.keys() & {"href", "src", "onerror"} for node in other)


@given(materials)
@example(EVERYWHERE)
def test_csv_keeps_to_the_standard_and_calculates_nothing(material: Material) -> None:
    """A strict reader takes it, and a spreadsheet takes no value for a formula."""
    text = to_csv(build_report(*material))
    text.encode()
    assert RFC_4180.fullmatch(text)
    for line in csv_lines(text):
        assert len(line) == len(COLUMNS)
        for value in line:
            assert value.lstrip()[:1] not in set("=+-@＝＋－＠")
            assert value[:1] not in {"\t", "\r", "\n"}


def csv_lines(text: str) -> list[list[str]]:
    """The cells as they stand in the file."""
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@given(materials)
@example(EVERYWHERE)
def test_the_summary_fits_into_a_chat_message_and_begins_the_markdown(material: Material) -> None:
    """It is short whatever comes in, and the same as in the file."""
    report = build_report(*material, title="x|" * 500, notes=["[a](b)" * 100, "c" * 1500])
    assert len(to_summary(report)) <= 2_000
    assert to_markdown(report).startswith(to_summary(report) + "\n")


@given(verifications)
def test_no_number_of_a_verification_is_negative(verification: dict[str, Any]) -> None:
    """Counts that contradict each other are shown as what the rows say."""
    report = build_report(None, None, verification)
    keys = {(each["event_id"], each["mailbox"].casefold()) for each in verification["still_there"] if each["event_id"]}
    blank = sum(not each["event_id"] for each in verification["still_there"])
    assert report.not_gone == max(len(keys) + blank, verification["total"] - verification["gone"])


@pytest.mark.parametrize("text", HOSTILE)
def test_values_that_are_no_formulas_stay_as_they_are(text: str) -> None:
    """Only what a spreadsheet would calculate gets an apostrophe."""
    (line,) = csv_lines(to_csv(build_report(plan(meeting(1, subject=text)))))[1:]
    subject = line[COLUMNS.index("subject")]
    cleaned = re.sub(r"[\x00\x07\ud800\u202e]", "\ufffd", text)
    formula = cleaned.lstrip()[:1] in set("=+-@＝")
    assert subject == ("'" if formula else "") + cleaned


def test_five_thousand_meetings_fit() -> None:
    """Every one of them is there."""
    many = [meeting(number) for number in range(5_000)]
    report = build_report(plan(*many), [row(number) for number in range(5_000)])
    assert report.counts == {"cancelled": 5_000}
    assert to_csv(report).count("\r\n") == 5_001
    assert to_html(report).count('<tr>\n<td class="when">') == 5_000
    assert to_markdown(report).count("AAMk=") == 5_000
