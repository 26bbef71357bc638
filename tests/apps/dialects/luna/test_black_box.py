"""The checks LC1 to LC18 against a running Omma, by a client that knows nothing but the protocol."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psutil
import pytest
import websockets
import yaml

from tests.apps.dialects.luna.films import film_server
from tests.e2e.running import PASSWORD, RunningOmma
from tests.engine.inference.conftest import scene_pictures
from tests.engine.inference.recorded import write_video

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PENDING, IN_PROGRESS, DONE, RESTART, FAILURE, STOP = range(6)
REQUEST_ID = "1536751345,8b8b5937-2e9c-4e8b-a7a7-5caf86621b5a"
Json = dict[str, Any]


class Agent:
    """A client: a base address, an account's id, and HTTP."""

    def __init__(self, base: str, account: str, **options: Any) -> None:
        self.base, self.account = base, account
        self._http = httpx.Client(timeout=150, **options)

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        given = {"Luna-Account-Id": self.account, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self._http.request(method, self.base + path, json=body, headers=given)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, **changes: Any) -> str:
        answer = self.ask("POST", "/2/streams", stream(**changes))
        assert answer.status_code == 201, answer.text
        stream_id: str = answer.json()["stream_id"]
        return stream_id

    def status(self, stream_id: str) -> int:
        found: int = self.get(f"/2/streams/{stream_id}?targets=status")["status"]
        return found

    def await_status(self, stream_id: str, *wanted: int) -> int:
        found: int = await_value(lambda: self.status(stream_id), lambda status: status in wanted)
        return found


def await_value(look: Callable[[], Any], is_good: Callable[[Any], bool], limit_s: float = 60) -> Any:
    deadline = time.monotonic() + limit_s
    while not is_good(found := look()):
        assert time.monotonic() < deadline, f"still {found!r}"
        time.sleep(0.2)
    return found


def stream(**changes: Any) -> Json:
    body: Json = {
        "name": "gate",
        "data": {"type": "stream", "reference": "synthetic:yard?width=320&height=240&fps=10"},
        "analytics": [{"analytic_name": "people_count", "parameters": {"people_count_threshold": 0}}],
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def is_error(answer: httpx.Response, status: int, number: int) -> str:
    body = answer.json()
    assert (answer.status_code, body["error_code"]) == (status, number), answer.text
    assert sorted(body) == ["desc", "detail", "error_code", "link"]
    detail: str = body["detail"]
    return detail


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a video, some seconds of it."""
    folder = tmp_path_factory.mktemp("films")
    write_video(folder / "people.mp4", scene_pictures(range(60)))
    with film_server(folder) as address:
        yield f"{address}/people.mp4"


@pytest.fixture(scope="module")
def omma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOmma]:
    """Return a running Omma with Luna at its root, which may fetch from this machine."""
    running = RunningOmma(
        data_dir=tmp_path_factory.mktemp("omma"),
        environment={"OMMA_ROOT_DIALECTS": "luna", "OMMA_EGRESS_ALLOW": "127.0.0.1/32"},
    )
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def agent(omma: RunningOmma) -> Iterator[Agent]:
    """Return a client at the root, with a token in its headers."""
    with omma.client() as admin:
        account = admin.get("/api/v1/accounts/").json()["results"][0]["id"]
        token = admin.post("/api/v1/tokens/", json={"name": "luna", "role": "admin"}).json()["token"]
    agent = Agent(omma.url, account, headers={"Authorization": f"Bearer {token}"})
    yield agent
    agent.close()


@pytest.fixture(scope="module")
def stranger(omma: RunningOmma) -> Iterator[Agent]:
    """Return a client of another account, which its base address names."""
    login = {"username": "stranger", "password": "a stranger's long password"}
    with omma.client() as admin:
        account = admin.post("/api/v1/accounts/", json={"name": "Elsewhere"}).json()["id"]
        made = admin.post("/api/v1/members/", json={**login, "role": "admin", "account": account})
        assert made.status_code == 201, made.text
    agent = Agent(f"{omma.url}/compat/luna/{account}", account, auth=tuple(login.values()))
    yield agent
    agent.close()


@pytest.fixture(scope="module")
def live(agent: Agent) -> str:
    """Return a stream that goes on and on."""
    return agent.create(name="endless")


def test_lc1_a_request_id_is_made_or_echoed(agent: Agent) -> None:
    made = agent.ask("GET", "/version").headers["Luna-Request-Id"]
    kept = agent.ask("GET", "/version", Luna_Request_Id=REQUEST_ID).headers["Luna-Request-Id"]

    assert re.fullmatch(r"[0-9]{10},[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}", made)
    assert kept == REQUEST_ID


def test_lc2_the_account_header_is_needed(agent: Agent) -> None:
    without = httpx.post(
        f"{agent.base}/2/streams",
        json=stream(),
        headers={"Authorization": agent._http.headers["Authorization"]},
    )

    is_error(without, 400, 11066)
    is_error(agent.ask("POST", "/2/streams", stream(), Luna_Account_Id="abc"), 400, 11037)


def test_lc3_a_bad_body_is_named(agent: Agent) -> None:
    for body, name in (
        ({}, ""),
        (stream(analytics=[]), "analytics"),
        (stream(name="x" * 129), "name"),
        (stream(event_source_group="a b"), "event_source_group"),
    ):
        assert name in is_error(agent.ask("POST", "/2/streams", body), 400, 12022)


def test_lc4_and_lc5_a_file_is_processed_to_its_end(agent: Agent, film: str) -> None:
    answer = agent.ask("POST", "/2/streams", stream(data={"type": "videofile", "reference": film}))
    stream_id = answer.json()["stream_id"]
    begun = agent.get(f"/2/streams/{stream_id}")

    assert (answer.status_code, answer.json()["url"]) == (201, f"/2/streams/{UUID(stream_id)}")
    assert (begun["status"], begun["version"], begun["last_error"]) == (PENDING, 1, None)
    assert agent.await_status(stream_id, DONE) == DONE
    logged = agent.get(f"/2/streams/logs?stream_ids={stream_id}")["logs"]
    seen = [row["status"] for row in reversed(logged)]
    assert (seen[0], seen[-1]) == (PENDING, DONE)
    assert IN_PROGRESS in seen
    agent.ask("DELETE", f"/2/streams/{stream_id}")


def test_lc6_lists_are_filtered_paged_and_cut(agent: Agent, live: str) -> None:
    rows = agent.get("/2/streams?statuses=0,1&page_size=1&page=1&targets=stream_id,status")["streams"]
    further = agent.get("/2/streams?statuses=0,1&page_size=1&page=2&targets=stream_id,status")["streams"]

    assert len(rows) == 1
    assert sorted(rows[0]) == ["status", "stream_id"]
    assert len(further) <= 1
    assert rows != further


def test_lc7_bad_parameters_are_refused(agent: Agent) -> None:
    for query in ("page_size=0", "page_size=1001", "statuses=9", "order=up"):
        is_error(agent.ask("GET", f"/2/streams?{query}"), 400, 12012)


def test_lc8_a_range_of_ids_is_half_open(agent: Agent, live: str) -> None:
    second, third = agent.create(name="second"), agent.create(name="third")
    low, middle, high = sorted([live, second, third])
    rows = agent.get(f"/2/streams?stream_id__gte={low}&stream_id__lt={high}&targets=stream_id")["streams"]

    assert [row["stream_id"] for row in rows] == [low, middle]
    for stream_id in (second, third):
        assert agent.ask("DELETE", f"/2/streams/{stream_id}").json() == {}


def test_lc9_and_lc10_stopping_and_resuming(agent: Agent) -> None:
    stream_id = agent.create()
    agent.await_status(stream_id, IN_PROGRESS)
    path = f"/2/streams/{stream_id}?action="

    assert agent.ask("PATCH", path + "stop").json() == {"patched_count": 1}
    assert agent.status(stream_id) == STOP
    again = agent.ask("PATCH", path + "stop")
    assert (again.status_code, again.json()) == (200, {"patched_count": 0})
    assert agent.ask("PATCH", path + "resume").json() == {"patched_count": 1}
    assert agent.status(stream_id) in {PENDING, IN_PROGRESS}
    agent.await_status(stream_id, IN_PROGRESS)
    for query in ("?action=pause", ""):
        assert agent.ask("PATCH", f"/2/streams/{stream_id}{query}").status_code == 400
    agent.ask("DELETE", f"/2/streams/{stream_id}")


def test_lc11_the_socket_tells_what_is_found(omma: RunningOmma, agent: Agent, live: str) -> None:
    base = omma.url.replace("http", "ws") + "/2/ws"
    login = {"Authorization": agent._http.headers["Authorization"]}
    agent.await_status(live, IN_PROGRESS)

    async def listen() -> list[Json]:
        address = f"{base}?stream_id={live}&analytic_index=0"
        async with websockets.connect(address, additional_headers=login, proxy=None) as connection:
            heard: list[Json] = []
            async with asyncio.timeout(60):
                while not heard or not heard[-1]["analytics_results"]:
                    heard.append(json.loads(await connection.recv()))
            return heard

    async def refused(query: str) -> int:
        async with websockets.connect(f"{base}?{query}", additional_headers=login, proxy=None) as connection:
            await connection.wait_closed()
            return connection.close_code or 0

    heard = asyncio.run(listen())
    assert all(sorted(one) == ["analytics_results", "error", "stream_status"] for one in heard)
    assert all(isinstance(one["stream_status"], str) for one in heard)
    assert heard[0]["stream_status"] == "in_progress"
    event = heard[-1]["analytics_results"]["event"]
    assert (event["stream_id"], type(event["people_count"])) == (live, int)
    for query in (f"stream_id={live}&analytic_index=99", "analytic_index=0"):
        assert 4400 <= asyncio.run(refused(query)) < 4500


def test_lc12_restarts_are_counted_and_a_missing_file_has_none(agent: Agent) -> None:
    again = {"restart": 1, "attempt_count": 2, "delay": 1}
    away = agent.create(data={"type": "tcp", "reference": "rtsp://127.0.0.1:9/none"}, autorestart=again)
    missing = agent.create(data={"type": "videofile", "reference": "no-such.mp4"}, autorestart=again)

    def logged(stream_id: str) -> list[Json]:
        rows: list[Json] = agent.get(f"/2/streams/logs?stream_ids={stream_id}&page_size=100")["logs"]
        return rows[::-1]

    def is_over(rows: list[Json]) -> bool:
        return [row["status"] for row in rows].count(FAILURE) > 2 and rows[-1]["status"] == FAILURE

    rows = await_value(lambda: logged(away), is_over, limit_s=90)
    statuses = [row["status"] for row in rows]
    assert statuses.count(RESTART) == 2
    assert all(row["error"] for row in rows if row["status"] == FAILURE)
    assert [status for status in statuses if status != PENDING] == [
        FAILURE,
        RESTART,
        FAILURE,
        RESTART,
        FAILURE,
    ]
    agent.await_status(missing, FAILURE)
    time.sleep(2)
    assert RESTART not in [row["status"] for row in logged(missing)]
    assert agent.get(f"/2/streams/{missing}")["last_error"]
    for stream_id in (away, missing):
        agent.ask("DELETE", f"/2/streams/{stream_id}")


def test_lc13_logs_are_cleaned_up_but_for_the_last_entry(agent: Agent, live: str) -> None:
    other = agent.create()
    agent.await_status(other, IN_PROGRESS)
    agent.await_status(live, IN_PROGRESS)
    agent.ask("PATCH", f"/2/streams/{other}?action=stop")
    before = agent.get("/2/streams/logs?page_size=1000")["logs"]
    later = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    count = agent.ask("DELETE", f"/2/streams/logs?log_time__lt={later}").json()["deleted_count"]
    after = agent.get("/2/streams/logs?page_size=1000")["logs"]

    times = [row["log_time"] for row in before]
    assert times == sorted(times, reverse=True)
    streams = {row["stream_id"] for row in before}
    assert count == len(before) - len(streams)
    assert sorted(row["stream_id"] for row in after) == sorted(streams)
    agent.ask("DELETE", f"/2/streams/{other}")


def test_lc14_a_deferred_video_ends_in_what_one_at_once_answers(agent: Agent, film: str) -> None:
    body = {"video": {"url": film}, "analytics": [{"name": "people_count", "parameters": {}}]}
    begun = agent.ask("POST", "/1/videosdk", {**body, "deferred_task": {"enabled": True}})
    assert begun.status_code == 202, begun.text
    url, shares = begun.json()["url"], [0.0]

    def look() -> Json:
        told: Json = agent.get(url)
        shares.append(told["progress"])
        return told

    done = await_value(look, lambda told: told["status"] not in {0, 1}, limit_s=120)
    assert done["status"] == 2, done
    assert shares == sorted(shares)
    assert 0 <= shares[1] <= shares[-1] == 1
    deferred = agent.get(done["result_url"])
    at_once = agent.ask("POST", "/1/videosdk", body)
    assert at_once.status_code == 200, at_once.text
    assert shape_of(at_once.json()) == shape_of(deferred)
    assert at_once.json()["analytics"][0]["events"]
    is_error(agent.ask("GET", f"/1/video/tasks/{uuid4()}"), 404, 28001)


def shape_of(value: Any) -> Any:
    """Return a value's names and types; of a list, its first entry's."""
    if isinstance(value, dict):
        return {name: shape_of(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape_of(value[0])] if value else []
    return type(value).__name__


def test_lc15_the_configuration_shows_no_secret(omma: RunningOmma, agent: Agent) -> None:
    shown = agent.ask("GET", "/config")

    assert shown.status_code == 200
    secrets = [file.read_text().strip() for file in (omma.data_dir / "secrets").iterdir() if file.is_file()]
    assert [one for one in (*secrets, PASSWORD) if one and one in shown.text] == []


def test_lc16_the_documentation_is_yaml_or_html(agent: Agent) -> None:
    document = agent.ask("GET", "/docs/spec", Accept="application/x-yaml")
    page = agent.ask("GET", "/docs/spec", Accept="text/html")

    assert yaml.safe_load(document.text)["openapi"].startswith("3.")
    assert page.headers["Content-Type"].startswith("text/html")
    assert 400 <= agent.ask("GET", "/docs/spec", Accept="").status_code < 500


def test_lc17_accounts_do_not_see_each_other(agent: Agent, stranger: Agent, live: str) -> None:
    owner = stranger.account

    is_error(agent.ask("GET", f"/2/streams/{live}?account_id={owner}"), 404, 44001)
    assert agent.get(f"/2/streams?account_id={owner}") == {"streams": []}
    is_error(stranger.ask("GET", f"/2/streams/{live}"), 404, 44001)
    assert stranger.get("/2/streams") == {"streams": []}
    assert agent.get(f"/2/streams/{live}?account_id={agent.account}")["account_id"] == agent.account


def test_lc18_health_fails_with_what_it_stands_on(omma: RunningOmma, agent: Agent) -> None:
    assert isinstance(agent.get("/healthcheck")["execution_time"], float)
    assert agent.get("/healthcheck?include_luna_services=1")
    is_error(agent.ask("GET", "/healthcheck?include_luna_services=2"), 400, 12012)

    broker = next(one for one in psutil.Process(omma.process.pid).children() if is_broker(one))
    broker.suspend()
    try:
        failed = agent.ask("GET", "/healthcheck")
    finally:
        broker.resume()
    assert "broker" in is_error(failed, 503, 11)
    await_value(lambda: agent.ask("GET", "/healthcheck").status_code, lambda status: status == 200)


def is_broker(process: psutil.Process) -> bool:
    return "valkey-server" in process.name() and any("broker" in word for word in process.cmdline())
