"""A real HTTP server on the loopback interface that misbehaves on demand."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmark.data.archives import Archive


@dataclass
class Behaviour:
    """What the server does; ``cuts`` says after how many bytes each further answer ends."""

    content: bytes
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    status: int = 0
    shift: int = 0
    says_length: bool = True
    asked: list[str] = field(default_factory=list)


@dataclass
class Server:
    behaviour: Behaviour
    archive: Archive


class Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_GET(self) -> None:
        does, asked = self.behaviour, self.headers.get("Range", "")
        does.asked.append(asked)
        if does.status:
            self.send_error(does.status)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and does.ranges else 0
        if start > len(does.content):
            self.send_error(416)
            return
        body = does.content[start:]
        if asked and does.ranges:
            self.send_response(206)
            first = start + does.shift
            self.send_header("Content-Range", f"bytes {first}-{len(does.content) - 1}/{len(does.content)}")
        else:
            self.send_response(200)
        if does.says_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: does.cuts.pop(0)] if does.cuts else body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(content: bytes) -> Iterator[Server]:
    """The server, and the archive that it is supposed to send."""
    behaviour = Behaviour(content)
    handler = type("Bound", (Handler,), {"behaviour": behaviour})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{http.server_port}/set.tar"
    md5 = hashlib.md5(content).hexdigest()
    try:
        yield Server(behaviour, Archive(file="set.tar", url=url, size=len(content), md5=md5))
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
