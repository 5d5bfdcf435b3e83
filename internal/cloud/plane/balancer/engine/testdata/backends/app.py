"""Reports each request that gunicorn understands as a line of JSON, before it responds."""

import json
import os


def application(environ, start_response):
    length = 0
    while part := environ["wsgi.input"].read(1 << 16):
        length += len(part)
    if int(environ.get("CONTENT_LENGTH", length)) != length:  # the client has gone
        raise EOFError
    body = json.dumps({
        "method": environ["REQUEST_METHOD"], "target": environ["RAW_URI"].encode("latin-1").decode(),
        "host": environ.get("HTTP_HOST", ""), "length": length,
    }).encode()
    os.write(1, body + b"\n")
    start_response("200 OK", [("X-Backend", "1"), ("Content-Length", str(len(body)))])
    return [body]
