"""Writes captures/: requests to the byte as OpenAI's own clients send them, recorded by a socket that answers every one
with an empty list.

The Python client is the installed one (0.27.9 or 3.22.1 for the committed files), the Node client that of
server/src/test/node after `npm ci` there. What names the machine is taken out: the host's port, the bindings'
description of their system, telemetry headers.
"""

import json
import re
import socket
import subprocess
import threading
from functools import partial
from pathlib import Path

from references import places

BODY = b'{"created":1,"data":[],"object":"list"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (
    len(BODY),
    BODY,
)


class Recorder:
    """Takes one request a connection and keeps its bytes."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d/v1" % self.listener.getsockname()[1]
        self.requests = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            with connection:
                self.requests.append(whole(connection))
                connection.sendall(ANSWER)


def whole(connection):
    data = b""
    while not complete(data):
        data += connection.recv(1 << 16)
    return data


def complete(data):
    head, found, body = data.partition(b"\r\n\r\n")
    if re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
        return body.endswith(b"\r\n0\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(found) and len(body) >= (int(length[1]) if length else 0)


def anonymous(data):
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"x-stainless-")]
    lines = [re.sub(rb"(?i)^(host): .*", rb"Host: localhost", line) for line in lines]
    lines = [re.sub(rb"^(X-OpenAI-Client-User-Agent): .*", rb"\1: {}", line) for line in lines]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def python_of_old(openai, url):
    """Cases of the client's first interface, which ended with 0.28. It gives files no names of their own."""
    openai.api_base, openai.api_key = url, "random-string"

    def image():
        return places.SERVER_CIRCLE.open("rb")

    def mask():
        return places.SERVER_MASK.open("rb")

    return {
        "generate": lambda: openai.Image.create(prompt="A cute baby sea otter", n=1, size="512x512"),
        "generate-extras": lambda: openai.Image.create(
            prompt="a cat", negative_prompt="dog", seed=1, guidance_scale=9, num_inference_steps=2
        ),
        "edit": lambda: openai.Image.create_edit(image(), prompt="hat", n=1, num_inference_steps=2),
        "edit-masked": lambda: openai.Image.create_edit(image(), mask(), prompt="hat", num_inference_steps=2),
        "variation": lambda: openai.Image.create_variation(image(), n=1, size="256x256", num_inference_steps=2),
        "models": lambda: openai.Model.list(),
    }


def python_of_now(openai, url):
    """Cases of the client since 1.0."""
    client = openai.OpenAI(base_url=url, api_key="x", max_retries=0)
    few = {"num_inference_steps": 2}

    def image():
        return "in.png", places.SERVER_CIRCLE.read_bytes(), "image/png"

    def mask():
        return "mask.png", places.SERVER_MASK.read_bytes(), "image/png"

    return {
        "generate": lambda: client.images.generate(prompt="A cute baby sea otter", n=1, size="512x512", extra_body=few),
        "edit-masked": lambda: client.images.edit(image=image(), mask=mask(), prompt="hat", n=2, extra_body=few),
        "edit-array": lambda: client.images.edit(image=[image(), image()], prompt="hat", extra_body=few),
        "variation": lambda: client.images.create_variation(image=image(), extra_body=few),
        "models": lambda: client.models.list(),
    }


def python(url):
    import openai

    version = openai.version.VERSION if hasattr(openai, "version") else openai.__version__
    cases = python_of_old if version.startswith("0.") else python_of_now
    return f"python-{version}", cases(openai, url)


def node(url):
    package = json.loads((places.NODE_CLIENT / "node_modules/openai/package.json").read_text())
    script = Path(__file__).with_name("captures.mjs")

    def run(case):
        subprocess.run(
            ["node", script, url, case, places.SERVER_CIRCLE, places.SERVER_MASK], cwd=places.NODE_CLIENT, check=True
        )

    cases = ("generate", "edit-masked", "edit-array", "variation", "models")
    return f"node-{package['version']}", {case: partial(run, case) for case in cases}


def main():
    parser = places.parser(__doc__)
    parser.add_argument("client", choices=["python", "node"])
    args = parser.parse_args()
    recorder = Recorder()
    name, cases = {"python": python, "node": node}[args.client](recorder.url)
    folder = places.destination(places.CAPTURES, args.out)
    folder.mkdir(exist_ok=True)
    for case, call in cases.items():
        recorder.requests.clear()
        call()
        if len(recorder.requests) != 1:
            raise SystemExit(f"{name}, {case}: {len(recorder.requests)} requests came, one was expected")
        (folder / f"{name}-{case}.http").write_bytes(anonymous(recorder.requests[0]))


if __name__ == "__main__":
    main()
