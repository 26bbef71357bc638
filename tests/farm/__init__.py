"""The virtual camera farm: cameras for tests and benches, with a ledger of every picture, and faults.

with Farm([CameraSpec(), CameraSpec(codec="hevc", mode="loop")]) as farm:
    container = av.open(farm.url(0), options={"rtsp_transport": "tcp"}, timeout=(5, 5))
    farm.camera(0).drop()
    made = farm.camera(0).ledger()
"""

from tests.farm.farm import CameraHandle, Farm
from tests.farm.ledger import Emitted, LedgerEntry, entries_of_file, entry_of_packet
from tests.farm.spec import CameraSpec

__all__ = [
    "CameraHandle", "CameraSpec", "Emitted", "Farm", "LedgerEntry", "entries_of_file", "entry_of_packet",
]  # fmt: skip
