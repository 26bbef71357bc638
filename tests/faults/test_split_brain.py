"""A worker whose way to the database is cut, and nothing else: two record, and one of them counts."""

import signal
import subprocess
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from omma.embedded.running import DATABASE, USER
from omma.tree.environment import python
from tests.faults.namespaces import Namespace, end, join, namespaces, start_relay
from tests.faults.plugin import FaultReport
from tests.faults.recorded import RecordedFarm, recorded_farm, settle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CABLE = "database"
NEAR, FAR = "10.231.7.1", "10.231.7.2"
PORT = 5432


@pytest.mark.fault("F47")
@pytest.mark.parametrize("heals", [True, False], ids=["heals", "is_killed"])
def test_a_worker_cut_off_from_the_database_goes_on_and_fills_in_later(
    fault_report: FaultReport, heals: bool
) -> None:
    with recorded_farm(cameras=2) as farm, namespaces(2) as (island, harbour):
        bridges = bridge_cameras(farm, island)
        try:
            database_url = lay_cable(farm, island, harbour)
            capture = island.inside(*python("manage.py", "capture", "--name", "island"))
            command = ["/usr/bin/env", f"DATABASE_URL={database_url}", *capture]
            cut_off = farm.adopt("island", farm.house.start("island", command))
            farm.wait_recorded()
            mainland = farm.start_worker("mainland")
            settle(3)
            assert {farm.owner_of(stream) for stream in farm.streams} == {"island"}

            harbour.run("ip", "link", "set", CABLE, "down")
            farm.wait("new owner", lambda: all(farm.owner_of(each) == "mainland" for each in farm.streams))
            farm.wait_recorded()
            settle(5)
            assert all(stream.camera.sessions() == 2 for stream in farm.streams)  # both record
            if heals:
                harbour.run("ip", "link", "set", CABLE, "up")
                farm.wait("its leaving", lambda: all(one.camera.sessions() == 1 for one in farm.streams))
                settle(4)
            else:
                cut_off.kill()
                cut_off.wait()
            assert {farm.owner_of(stream) for stream in farm.streams} == {"mainland"}
            if heals:
                mainland.send_signal(signal.SIGTERM)
                mainland.wait(20)
                farm.stop_worker(cut_off)
            else:  # it looks every ten seconds whether the cut-off one has let go of its files
                farm.wait("filled holes", lambda: not any(farm.holes(one).lost for one in farm.streams))
                farm.stop_worker(mainland)
        finally:
            for bridge in bridges:
                end(bridge)

        for stream in farm.streams:
            holes = farm.holes(stream)
            fault_report.hole(holes.worst_s)
            assert holes.lost == 0
        farm.assert_honest()
        assert farm.rows_without_bytes() == []


def bridge_cameras(farm: RecordedFarm, island: Namespace) -> list[subprocess.Popen[bytes]]:
    """Let the island reach each camera at the address that it has on this host."""
    bridges = []
    for stream in farm.streams:
        path = farm.house.folder / f"camera-{stream.camera.port}.sock"
        bridges.append(start_relay([], f"unix:{path}", f"tcp:127.0.0.1:{stream.camera.port}"))
        island.relay(f"tcp:127.0.0.1:{stream.camera.port}", f"unix:{path}")
    return bridges


def lay_cable(farm: RecordedFarm, island: Namespace, harbour: Namespace) -> str:
    """Let the island reach the database over a cable of its own; return the address there."""
    join(harbour, island, name=CABLE, address=f"{NEAR}/24", other_address=f"{FAR}/24")
    local = urlsplit(farm.house.environment["DATABASE_URL"])
    folder = unquote(parse_qs(local.query)["host"][0])
    harbour.relay(f"tcp:{NEAR}:{PORT}", f"unix:{folder}/.s.PGSQL.{PORT}")
    return f"postgresql://{USER}:{local.password}@{NEAR}:{PORT}/{DATABASE}"
