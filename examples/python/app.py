"""An API that tells which server and which Python answered."""

import platform
import socket

import bottle

app = bottle.Bottle()


@app.get("/health")
def health():
    return "ok\n"


@app.get("/")
def index():
    return {"server": socket.gethostname(), "python": platform.python_version()}
