"""A publisher on the loopback interface: serves files, resumes where asked, and breaks off where told."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Publisher:
    """`files` by path; `breaks` holds, by path, after how many bytes each of the next answers ends."""

    def __init__(self):
        self.files = {}
        self.breaks = {}
        self.ranges = []
        self.url = ""

    def answer(self, request):
        content = self.files.get(request.path)
        if content is None:
            request.send_error(404)
            return
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if asked and first >= len(content):
            request.send_error(416)
            return
        request.send_response(206 if asked else 200)
        request.send_header("Content-Length", str(len(content) - first))
        request.end_headers()
        cut = self.breaks.get(request.path) or [len(content)]
        request.wfile.write(content[first:][: cut.pop(0)])


@contextmanager
def publishing():
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            publisher.answer(self)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    publisher.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
