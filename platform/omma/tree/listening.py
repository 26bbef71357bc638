"""The web's listening socket. The tree holds it, so that the port is ours from start to end."""

import errno
import socket

BACKLOG = 256
MAX_PORT = 65535


class PortError(Exception):
    """The web cannot listen there."""


def listen(host: str, port: int) -> socket.socket:
    """Open the socket, or raise `PortError` that says what to do."""
    if not 0 <= port <= MAX_PORT:
        raise PortError(f"--port {port}: expected 0 to {MAX_PORT}")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise PortError(f"--host {host}: no such address") from error
    except PermissionError as error:
        raise PortError(f"--port {port}: this user may not listen there, take one from 1024 on") from error
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise PortError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        raise PortError(f"port {port} is in use; stop what uses it or give another with --port") from error
