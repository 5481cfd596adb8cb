"""Readers of the live market, in a process of their own: ``python -m tests.bench.crowd PORT N``.

Each holds the stream open and turns a page about once a minute, as a browser does: with what it
has kept, so that a page that has not changed is not sent again. The process says ``ready`` when
all streams are open, and ends when its input is closed or after ``SECONDS_MAX``.
"""

import asyncio
import random
import sys
from typing import Final

SECONDS_MAX: Final = 600.0
PAGE_SECONDS: Final = 60.0
PAGES: Final = ("/market/", "/", "/market/map/", "/market/index/", "/market/curves/")
OPENING: Final = 20  # connections at once
OK, UNCHANGED = 200, 304


class Reader:
    """One browser: a stream, and the pages that it turns."""

    def __init__(self, port: int, number: int) -> None:
        self.port = port
        self.number = number
        self.cookie = ""
        self.tags: dict[str, str] = {}

    async def open_stream(self) -> asyncio.StreamReader:
        """Open the stream and return it once the first words have come."""
        stream, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"GET /market/stream/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        head = await stream.readuntil(b"\r\n\r\n")
        assert b" 200 " in head, head
        await stream.readuntil(b"event: clock")
        self.writer = writer  # kept, or the connection would close
        return stream

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Take in what the stream says."""
        while await stream.read(1 << 14):
            pass

    async def turn_pages(self) -> None:
        """Fetch a page about once a minute, each reader at its own moment."""
        chance = random.Random(self.number)  # noqa: S311
        await asyncio.sleep(chance.uniform(0, PAGE_SECONDS))
        for turn in range(int(SECONDS_MAX / PAGE_SECONDS)):
            await self._fetch(PAGES[(self.number + turn) % len(PAGES)])
            await asyncio.sleep(PAGE_SECONDS * chance.uniform(0.8, 1.2))

    async def _fetch(self, path: str) -> None:
        stream, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
        lines += [f"Cookie: {self.cookie}"] if self.cookie else []
        lines += [f"If-None-Match: {self.tags[path]}"] if path in self.tags else []
        writer.write("\r\n".join([*lines, "", ""]).encode())
        answer = (await stream.read(-1)).decode(errors="replace")
        writer.close()
        head = answer.partition("\r\n\r\n")[0]
        status = int(head.split(" ", 2)[1])
        assert status in (OK, UNCHANGED), head
        for line in head.split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "etag":
                self.tags[path] = value
            elif name.lower() == "set-cookie" and value.startswith("csrftoken"):
                self.cookie = value.partition(";")[0]


async def crowd(port: int, count: int) -> None:
    """Let ``count`` readers read until our input is closed."""
    readers = [Reader(port, number) for number in range(count)]
    streams: list[asyncio.StreamReader] = []
    for first in range(0, count, OPENING):
        few = readers[first : first + OPENING]
        streams += await asyncio.gather(*(reader.open_stream() for reader in few))
    tasks = [
        asyncio.ensure_future(task)
        for reader, stream in zip(readers, streams, strict=True)
        for task in (reader.follow(stream), reader.turn_pages())
    ]
    print("ready", flush=True)
    over = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    done, _ = await asyncio.wait(
        [over, *tasks], timeout=SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED
    )
    for task in done:
        task.result()  # a reader that failed fails the crowd
    if over not in done:
        raise TimeoutError("a reader lost its stream, or nobody ended the crowd")


if __name__ == "__main__":
    asyncio.run(crowd(int(sys.argv[1]), int(sys.argv[2])))
