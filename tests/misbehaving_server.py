"""An OpenAI-compatible endpoint that misbehaves on demand, and counts what it is asked."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Server", "share_of"]


def share_of(pixels: bytes, text: str) -> float:
    """The probability of yes that the server gives: of the image and the question alone."""
    digest = hashlib.sha256(pixels + text.encode()).digest()
    return 0.05 + 0.9 * digest[0] / 255


class Server:
    """A server on a free port of this machine.

    Args:
        behave: Gives what to do with the call of each number, from 0: ``ok``, an HTTP status such
            as ``429``, ``half``, ``json``, ``keys``, ``drop``, ``drip``, ``refuse``, ``text:...``.
        model: The model id it returns.

    Attributes:
        calls: Calls by what was done with them.
        most: The most calls there were at a time.
        asked: How often each image and question was answered.

    """

    def __init__(
        self, behave: Callable[[int], str] = lambda number: "ok", model: str = "m-1"
    ) -> None:
        self.behave, self.model, self.logprobs = behave, model, True
        self.retry_after: str | None = None
        self.pause = self.noise = self.shift = 0.0  # seconds; of shares, at random and always
        self.calls: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.most = self._now = self._number = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            request_queue_size = 256

            def handle_error(self, *_: Any) -> None:  # a client was killed
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Server:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self._lock:
            number, self._number = self._number, self._number + 1
            self._now += 1
            self.most = max(self.most, self._now)
            what = self.behave(number)
            self.calls[what] += 1
            self.keys.add(handler.headers.get("Authorization"))
        try:
            time.sleep(self.pause)
            self._do(handler, json.loads(raw), what)
        finally:
            with self._lock:
                self._now -= 1

    def _do(self, handler: BaseHTTPRequestHandler, body: dict[str, Any], what: str) -> None:
        if what == "drop":
            handler.close_connection = True
            return
        if what.isdigit():
            key = handler.headers.get("Authorization", "")
            self._send(handler, int(what), json.dumps({"error": f"no luck, {key}"}).encode())
            return
        answer = json.dumps(self._made(body, what)).encode()
        if what == "half":
            self._send(handler, 200, answer[: len(answer) // 2], len(answer))
        elif what == "json":
            self._send(handler, 200, answer[: len(answer) // 2])
        elif what == "keys":
            self._send(handler, 200, b'{"choices": []}')
        elif what == "drip":
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            for _ in range(40):
                handler.wfile.write(b" ")
                time.sleep(0.05)
        else:
            self._send(handler, 200, answer)

    def _made(self, body: dict[str, Any], what: str) -> dict[str, Any]:
        from PIL import Image

        image, text = body["messages"][-1]["content"]
        with Image.open(io.BytesIO(base64.b64decode(image["image_url"]["url"].split(",")[1]))) as i:
            pixels = i.tobytes()
        if what == "ok":
            with self._lock:
                self.asked[hashlib.sha256(pixels).hexdigest()[:16] + text["text"]] += 1
                self.bodies.append({**body, "messages": len(body["messages"])})
                del self.bodies[:-20]
        share = share_of(pixels, text["text"]) + self.shift
        share += self.noise * math.sin(self._number * 12.9898)
        share = min(0.999, max(0.001, share))
        said = what.removeprefix("text:") if what.startswith("text:") else "Yes"
        top = [("Yes", share * 0.9), ("no", (1 - share) * 0.9), ("Maybe", 0.05)]
        log = {"token": "Yes", "logprob": math.log(share * 0.9)}
        log["top_logprobs"] = [{"token": one, "logprob": math.log(p)} for one, p in top]
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": said},
            "finish_reason": "stop",
            "logprobs": {"content": [log]} if self.logprobs and body.get("logprobs") else None,
        }
        if what == "refuse":
            choice |= {"message": {"content": None, "refusal": "I cannot."}, "logprobs": None}
        usage = {"prompt_tokens": 100, "completion_tokens": 1}
        return {"model": self.model, "choices": [choice], "usage": usage}

    def _send(
        self, handler: BaseHTTPRequestHandler, status: int, body: bytes, length: int | None = None
    ) -> None:
        handler.send_response(status)
        if status in (429, 503) and self.retry_after is not None:
            handler.send_header("Retry-After", self.retry_after)
        if status == 302:
            handler.send_header("Location", "http://127.0.0.1:1/stolen")
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True
