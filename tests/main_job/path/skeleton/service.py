"""Answers with a greeting, once its database takes connections."""

import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

GREETING = "${{ values.greeting }} from ${{ values.name }}"
FAULT = "${{ values.fault }}"


def reaches_database():
    address = urlsplit(os.environ["DATABASE_URL"])
    with socket.create_connection((address.hostname, address.port), timeout=2):
        return True


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        is_fine = self.path != "/readyz" or (FAULT != "ready" and reaches_database())
        body = (GREETING if is_fine else "not ready").encode()
        self.send_response(200 if is_fine else 503)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    if FAULT == "start":
        raise SystemExit("the fault that was asked for")
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
