"""Pass bytes on: `python relay.py LISTEN CONNECT`, each `unix:PATH` or `tcp:HOST:PORT`; says `ready` first.

Unix sockets with a path reach over network namespaces, so that relays join a namespace to what it may reach.
"""

import asyncio
import sys


async def main(listen: str, connect: str) -> None:
    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await opened(connect)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, other_writer), copy(other_reader, writer))

    kind, _, address = listen.partition(":")
    if kind == "unix":
        server: asyncio.AbstractServer = await asyncio.start_unix_server(join, address)
    else:
        host, _, port = address.rpartition(":")
        server = await asyncio.start_server(join, host, int(port))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


async def opened(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    kind, _, rest = address.partition(":")
    if kind == "unix":
        return await asyncio.open_unix_connection(rest)
    host, _, port = rest.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
