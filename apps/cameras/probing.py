"""Looking through a camera once, in a child process that ends after a hard time limit."""

import base64
import json
import subprocess
import sys
from dataclasses import dataclass

from apps.cameras.addresses import CameraAddress, read_camera_address
from apps.cameras.logins import login_of, url_with_login, whole_address
from apps.cameras.models import Camera
from apps.core.exceptions import InvalidInputError, UnavailableError
from omma_engine.redaction import redact

LIMIT_S = 15


@dataclass(frozen=True, slots=True)
class ProbedCamera:
    """What was seen; `picture` is a JPEG as a data address, at most 960 px wide."""

    driver: str
    codec: str
    width: int
    height: int
    frame_rate: float
    has_audio: bool
    picture: str


def probe_address(
    *,
    address: str,
    driver: str | None = None,
    username: str = "",
    password: str = "",
    is_trusted: bool = False,
) -> ProbedCamera:
    """Open an address and return what is seen; errors name the field `address`."""
    read = read_camera_address(
        address, driver=driver, username=username, password=password, is_trusted=is_trusted
    )
    return _probe(read)


def probe_camera(camera: Camera) -> ProbedCamera:
    """Open a camera that exists, with the login that it has."""
    username, password = login_of(camera)
    read = read_camera_address(
        whole_address(camera.address, camera.secret),
        driver=camera.driver,
        username=username,
        password=password,
        trusted_origin=camera.trusted_origin,
    )
    return _probe(read)


def _probe(read: CameraAddress) -> ProbedCamera:
    request = json.dumps(
        {
            "kind": read.driver.value,
            "url": url_with_login(read.address, read.username, read.password),
            "numeric_host": read.checked.numeric_host,
            "options": {},
            "limit_s": LIMIT_S - 3,
        }
    )
    try:
        child = subprocess.run(
            [sys.executable, "-m", "omma_engine.sources.probe"],
            input=request.encode(),
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InvalidInputError(
            f"The camera did not answer within {LIMIT_S} seconds.", code="timeout", field="address"
        ) from None
    return _result(read, child.stdout)


def _result(read: CameraAddress, output: bytes) -> ProbedCamera:
    try:
        answer = json.loads(output)
    except json.JSONDecodeError:
        raise UnavailableError("The camera could not be looked at; try again.", code="probe_failed") from None
    if "error" in answer:
        raise InvalidInputError(
            redact(answer["error"]), code=answer.get("code", "unreachable"), field="address"
        )
    picture = base64.b64decode(answer.pop("jpeg"))
    return ProbedCamera(
        driver=read.driver.value,
        picture="data:image/jpeg;base64," + base64.b64encode(picture).decode(),
        **answer,
    )
