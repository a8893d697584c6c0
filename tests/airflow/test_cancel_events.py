"""Many events in one task: every one accounted for, nobody told twice, nothing sent that should not be."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, Asset, task
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from airflow_graph_cancel.graph.errors import StoppedError, TryLaterError
from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox

WHEN = {"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z"}
Rows = list[dict[str, str]]


class Store(dict[str, Any]):
    """What the operator needs of Airflow's task state store; values as JSON, as they are stored."""

    def set(self, key: str, value: Any) -> None:
        """Keep a value, and hold Airflow's limit of its size."""
        text = json.dumps(value)
        assert len(text) < 64 * 1024
        self[key] = json.loads(text)


def mailbox(number: int) -> str:
    """One of some organizers."""
    return f"organizer{number}@contoso.example"


@pytest.fixture
def meetings(sandbox: Sandbox) -> Callable[..., Rows]:
    """Make meetings: so many in each mailbox, in turn."""

    def make(*counts: int) -> Rows:
        rows = []
        for number, count in enumerate(counts):
            sandbox.add_mailbox(mailbox(number))
            for _ in range(count):
                event = sandbox.create_event(
                    organizer=mailbox(number), subject="Planning", attendees=["guest@fabrikam.example"], **WHEN
                )
                rows.append({"event_id": event["copies"][mailbox(number)], "user_id": mailbox(number)})
        return rows

    return make


def run(events: object, store: Store | None = None, **arguments: Any) -> dict[str, Any]:
    """Run the operator by hand."""
    operator = GraphCancelEventsOperator(task_id="cancel", events=events, **{"comment": "Closed.", **arguments})
    return asyncio.run(operator.aexecute({"task_state_store": store} if store is not None else {}))


def told(sandbox: Sandbox) -> Counter[str]:
    """How often the attendees of each event were told."""
    return Counter(message["event_id"] for message in sandbox.messages())


@pytest.mark.parametrize("batch", [True, False])
def test_all_are_cancelled_once_without_a_429_of_our_own(
    sandbox: Sandbox, meetings: Callable[..., Rows], batch: bool
) -> None:
    """The service's limit of four at a time for a mailbox is kept, in batches and one by one."""
    rows = meetings(30, 12, 5, *[1] * 20)
    sandbox.settings(latency=0.02)
    result = run(rows, batch=batch)
    assert result == {"total": 67, "counts": {"cancelled": 67}, "unsettled": [], "report": None}
    assert told(sandbox) == Counter({row["event_id"]: 1 for row in rows})
    assert sandbox.requests(status=429) == []
    assert sandbox.ledger()["tokens"] == 1
    assert bool(sandbox.requests(path="$batch")) is batch


def test_through_a_dag_run(
    sandbox: Sandbox, meetings: Callable[..., Rows], run_dag: Callable[..., DagRun], tmp_path: Path
) -> None:
    """Events from XCom, own comments, a report, counts on the asset: as a pipeline uses it."""
    rows = meetings(3, 2)
    rows[0] |= {"comment": "Water damage.", "room": "Beacon"}
    done = Asset("x-closures://done")
    with DAG("cancel_many", schedule=None) as dag:

        @task
        def find() -> Rows:
            return rows

        GraphCancelEventsOperator(
            task_id="cancel", events=find(), comment="Closed on {{ dag_run.conf['day'] }}.", outlets=[done],
            report_path=str(tmp_path / "{{ dag_run.conf['day'] }}.jsonl"),
        )  # fmt: skip
    dag_run = run_dag(dag, day="2030-01-07")
    instance = next(each for each in dag_run.get_task_instances() if each.task_id == "cancel")
    result = instance.xcom_pull(task_ids="cancel")
    assert (str(instance.state), result["counts"]) == ("success", {"cancelled": 5})
    comments = {message["event_id"]: message["comment"] for message in sandbox.messages()}
    assert comments == {
        row["event_id"]: "Water damage." if "comment" in row else "Closed on 2030-01-07." for row in rows
    }
    lines = [json.loads(line) for line in (tmp_path / "2030-01-07.jsonl").read_text().splitlines()]
    assert [line["event_id"] for line in lines] == [row["event_id"] for row in rows]
    assert {"mailbox", "outcome", "request_id", "attempts", "at", "message", "user_id"} <= lines[0].keys()


def test_all_are_tried_before_the_task_fails(sandbox: Sandbox, meetings: Callable[..., Rows], tmp_path: Path) -> None:
    """One wrong id does not keep the others from being cancelled; the failure names it and the counts."""
    rows = meetings(4)
    rows.insert(0, {"event_id": "AAMkAGNotHere12345=", "user_id": mailbox(0)})
    with pytest.raises(AirflowFailException, match=r"1 of 5 .*cancelled 4, missing 1.*AAMkAGNotHere12345="):
        run(rows, report_path=str(tmp_path / "report.jsonl"))
    assert len(told(sandbox)) == 4
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 5


@pytest.mark.parametrize("policy", ["skip", "succeed"])
def test_a_policy_lets_the_task_pass_with_the_event_counted(meetings: Callable[..., Rows], policy: str) -> None:
    """The count stays visible, whatever the policy."""
    rows = [*meetings(2), {"event_id": "AAMkAGNotHere12345=", "user_id": mailbox(0)}]
    assert run(rows, on_missing=policy)["counts"] == {"cancelled": 2, "missing": 1}


def test_faults_of_every_kind_end_with_one_message_each(sandbox: Sandbox, meetings: Callable[..., Rows]) -> None:
    """15 % of requests fail, before and after the effect, in batches and alone."""
    rows = meetings(*[10] * 20)
    kinds = ("429", "500", "503", "504", "502-html", "empty-500", "400-invalid-recipients", "401-expired")
    for kind in kinds:
        for after in (False, True) if kind not in {"429", "401-expired"} else (False,):
            sandbox.add_fault(
                kind, times=None, probability=0.01, after_effect=after, retry_after="0.1", match={"path": "/events/"}
            )
    for kind in ("reset", "close", "truncated"):
        for after in (False, True):
            sandbox.add_fault(kind, times=None, probability=0.03, after_effect=after, match={"path": "batch$"})
    assert run(rows)["counts"] == {"cancelled": 200}
    assert told(sandbox) == Counter({row["event_id"]: 1 for row in rows})


def test_a_mailbox_that_says_it_is_too_much_is_asked_for_less(sandbox: Sandbox, meetings: Callable[..., Rows]) -> None:
    """After a 429 the next batch holds two of its events, then more with every success; other mailboxes go on."""
    rows = meetings(60, 60)
    sandbox.add_fault("429", times=1, retry_after="0", match={"path": "/cancel$", "mailbox": mailbox(0)})
    assert run(rows)["counts"] == {"cancelled": 120}
    sizes = [
        list(Counter(request["batch"] for request in sandbox.requests(mailbox=mailbox(number))).values())
        for number in (0, 1)
    ]
    assert sizes[0][:3] == [20, 2, 4]
    assert sizes[1] == [20, 20, 20]


def test_what_is_settled_is_not_sent_again(sandbox: Sandbox, meetings: Callable[..., Rows]) -> None:
    """A retry takes up the unsettled only, and reports the whole."""
    rows = meetings(6, 6)
    store = Store()
    sandbox.add_fault("503", times=None, match={"path": "/events/", "mailbox": mailbox(1)})
    with pytest.raises(TryLaterError, match="unavailable 6"):
        run(rows, store, retry_for=0)
    sandbox.clear_faults()
    before = len(sandbox.requests(method="POST", mailbox=mailbox(0)))
    assert run(rows, store)["counts"] == {"cancelled": 12}
    assert len(sandbox.requests(method="POST", mailbox=mailbox(0))) == before
    assert told(sandbox) == Counter({row["event_id"]: 1 for row in rows})


def test_a_list_that_changed_between_tries_is_noticed(
    meetings: Callable[..., Rows], caplog: pytest.LogCaptureFixture
) -> None:
    """What was settled for another list says nothing about this one; that is said and not guessed."""
    rows, store = meetings(4), Store()
    run(rows[:2], store)
    run(rows[2:], store)
    assert "differs from the one of an earlier try" in caplog.text


def test_a_stop_ends_the_sending_and_keeps_the_state(sandbox: Sandbox, meetings: Callable[..., Rows]) -> None:
    """Within a second nothing more goes out; the next try finishes the rest, and nobody is told twice."""
    rows, store = meetings(*[20] * 10), Store()
    sandbox.settings(latency=0.1)
    operator = GraphCancelEventsOperator(task_id="cancel", events=rows, comment="Closed.", concurrency=8)

    async def stop_soon() -> None:
        running = asyncio.create_task(operator.aexecute({"task_state_store": store}))
        while len(sandbox.requests(path="$batch")) < 3:
            await asyncio.sleep(0.05)
        operator.on_kill()
        await running

    with pytest.raises(StoppedError):
        asyncio.run(stop_soon())
    sent = len(sandbox.messages())
    assert 0 < sent < len(rows)
    assert run(rows, store)["counts"] == {"cancelled": 200}
    assert told(sandbox) == Counter({row["event_id"]: 1 for row in rows})


def test_execution_timeout_keeps_the_state(sandbox: Sandbox, meetings: Callable[..., Rows]) -> None:
    """A task that is cut off leaves the truth behind: the next try finishes, and nobody is told twice."""
    rows, store = meetings(*[20] * 10), Store()
    sandbox.settings(latency=0.1)
    operator = GraphCancelEventsOperator(
        task_id="cancel", events=rows, comment="Closed.", concurrency=8, execution_timeout=timedelta(seconds=2)
    )
    with pytest.raises(TimeoutError):
        operator.execute({"task_state_store": store})
    assert 0 < len(sandbox.messages()) < len(rows)
    sandbox.settings(latency=0)
    assert run(rows, store)["counts"] == {"cancelled": 200}
    assert told(sandbox) == Counter({row["event_id"]: 1 for row in rows})


def test_two_runs_at_once_tell_everybody_once_and_both_say_cancelled(
    sandbox: Sandbox, meetings: Callable[..., Rows]
) -> None:
    """An orphan beside its retry: each has the same list and the same store."""
    rows, store = meetings(10, 10, 3), Store()
    sandbox.settings(latency=0.1, per_mailbox_concurrency=8)

    async def both() -> list[dict[str, Any]]:
        def begin() -> asyncio.Task[dict[str, Any]]:
            operator = GraphCancelEventsOperator(task_id="cancel", events=rows, comment="Closed.")
            return asyncio.create_task(operator.aexecute({"task_state_store": store}))

        orphan = begin()
        await asyncio.sleep(0.15)
        return list(await asyncio.gather(orphan, begin()))

    assert [result["counts"] for result in asyncio.run(both())] == [{"cancelled": 23}] * 2
    assert told(sandbox) == Counter({row["event_id"]: 1 for row in rows})


def test_when_all_that_is_left_waits_for_graph_the_task_defers(sandbox: Sandbox, meetings: Callable[..., Rows]) -> None:
    """No slot is held for a wait of more than a minute, and the others are done before it begins."""
    rows, store = meetings(4, 2), Store()
    sandbox.add_fault("429", times=2, retry_after="120", match={"path": "/cancel$", "mailbox": mailbox(1)})
    with pytest.raises(TaskDeferred) as deferred:
        run(rows, store)
    assert len(told(sandbox)) == 4
    operator = GraphCancelEventsOperator(task_id="cancel", events=rows, comment="Closed.")
    result = operator.execute_complete({"task_state_store": store}, **deferred.value.kwargs)
    assert result["counts"] == {"cancelled": 6}


class TestGuards:
    """What is refused before anything is sent."""

    @pytest.mark.parametrize(
        ("events", "says"),
        [
            ("None", "rendered nothing"),
            ("", "rendered nothing"),
            ("{{ nothing }}", "no list"),
            ({"rows": []}, "no plan"),
            (7, "must be a list"),
            ([None], r"\[0\] event_id is None"),
            ([{"user_id": "u"}], r"\[0\] event_id is None"),
            (["E", {"event_id": "E", "user_id": "u", "group_id": "g"}, ".."], r"2 of 3 .*\[1\].*\[2\]"),
            ([{"event_id": "E", "comment": "None"}], r"\[0\] comment"),
        ],
        ids=str,
    )
    def test_malformed_rows_are_refused_together(self, sandbox: Sandbox, events: object, says: str) -> None:
        """Each with its place, so that a feed is mended in one go; nobody hears of it."""
        with pytest.raises(AirflowFailException, match=says):
            run(events, user_id="u")
        assert (sandbox.requests(), sandbox.ledger()["tokens"]) == ([], 0)

    def test_an_empty_list_succeeds(self, sandbox: Sandbox) -> None:
        """A quiet day is no failure, and no reason to sign in."""
        assert run([]) == {"total": 0, "counts": {}, "unsettled": [], "report": None}
        assert sandbox.ledger()["tokens"] == 0

    def test_duplicates_are_sent_once_and_counted_once(self, sandbox: Sandbox, meetings: Callable[..., Rows]) -> None:
        """Two feeds may name the same meeting, and the same mailbox in other letters."""
        rows = meetings(2)
        again = [{**row, "user_id": row["user_id"].upper()} for row in rows]
        assert run([*rows, *again])["total"] == 2
        assert len(sandbox.messages()) == 2

    def test_bare_ids_take_the_owner_of_the_task(self, sandbox: Sandbox, meetings: Callable[..., Rows]) -> None:
        """A list of ids is the shortest way, also as the text that a template gives."""
        ids = [row["event_id"] for row in meetings(3)]
        assert run(json.dumps(ids), user_id=mailbox(0))["counts"] == {"cancelled": 3}

    def test_max_meetings(self, sandbox: Sandbox, meetings: Callable[..., Rows]) -> None:
        """More than somebody thought possible is a mistake of the feed."""
        with pytest.raises(AirflowFailException, match="max_meetings=2"):
            run(meetings(3), max_meetings=2)
        assert sandbox.requests() == []

    @pytest.mark.parametrize("source", ["Graph", "rows"])
    def test_max_people(self, sandbox: Sandbox, meetings: Callable[..., Rows], source: str) -> None:
        """Counted from the rows if they say, else read from Graph, in batches."""
        rows: list[dict[str, Any]] = [dict(row) for row in meetings(3, 2)]
        if source == "rows":
            rows = [{**row, "people": 1} for row in rows]
        with pytest.raises(AirflowFailException, match=r"5 people .* max_people=4"):
            run(rows, max_people=4)
        assert sandbox.messages() == []
        alone = {request["path"] for request in sandbox.requests() if request["batch"] is None}
        assert alone == (set() if source == "rows" else {"/v1.0/$batch"})
        assert run(rows, max_people=5)["counts"] == {"cancelled": 5}

    def test_a_report_in_an_object_store(self, meetings: Callable[..., Rows]) -> None:
        """Any path that Airflow's ObjectStoragePath takes."""
        from airflow.sdk import ObjectStoragePath

        path = "memory://reports/closure.jsonl"
        assert run(meetings(2), report_path=path)["report"] == path
        rows = [json.loads(line) for line in ObjectStoragePath(path).read_text().splitlines()]
        assert [row["outcome"] for row in rows] == ["cancelled", "cancelled"]

    @pytest.mark.parametrize("way", ["operator", "connection"])
    def test_preview_sends_nothing(
        self, sandbox: Sandbox, meetings: Callable[..., Rows], monkeypatch: pytest.MonkeyPatch, way: str
    ) -> None:
        """Every event is looked at in batches, through a guarded connection too."""
        if way == "connection":
            guarded = {**sandbox.connection, "extra": {**sandbox.connection["extra"], "preview_only": True}}
            monkeypatch.setenv("AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT", json.dumps(guarded))
        rows = meetings(5, 5)
        assert run(rows, preview=way == "operator")["counts"] == {"preview": 10}
        assert not sandbox.requests(method="POST", path="/cancel")
        assert not sandbox.messages()


def test_many_refusals_are_named_in_short(meetings: Callable[..., Rows]) -> None:
    """Ten of them in the failure, all in the report."""
    meetings(1)
    wrong = [{"event_id": f"AAMkAGNotHere{n:05}=", "user_id": mailbox(0)} for n in range(150)]
    with pytest.raises(AirflowFailException) as failure:
        run(wrong)
    assert str(failure.value).count("AAMkAGNotHere") == 20  # each named, and named again by its own sentence
    assert "missing 150" in str(failure.value)


def test_retries_are_left_to_airflow_after_the_services_delay(
    sandbox: Sandbox, meetings: Callable[..., Rows], run_dag: Callable[..., DagRun]
) -> None:
    """The policy obeys Graph's delay and the state carries over: two tries, one message each."""
    rows = meetings(3)
    sandbox.add_fault("429", times=3, retry_after="1", match={"path": "/cancel$"})
    with DAG("retrying_many", schedule=None) as dag:
        GraphCancelEventsOperator(
            task_id="cancel", events=rows, comment="Closed.", retries=1, retry_delay=timedelta(hours=1), retry_for=0
        )
    (instance,) = run_dag(dag).get_task_instances()
    assert (str(instance.state), instance.try_number) == ("success", 2)
    assert len(sandbox.messages()) == 3
