"""CNN Explainer, built from its own source and served from loopback as its host does.

The variable `CNN_EXPLAINER` is the path of a checkout of github.com/poloclub/cnn-explainer, which
is built in a temporary copy. Scripts that its page takes from other hosts are those of the npm
packages of the same versions, served from loopback too.
"""

import gzip
import mimetypes
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

VARIABLE = "CNN_EXPLAINER"
MAPS = "image.node-image"  # in its page, three channels of a picture and ten maps of ten layers
MAP_COUNT = 103
PREFIX = "/cnn-explainer"  # of the URLs in its scripts, as on its host
ON_CPU = "/cpu.html"  # the same page, whose tf.js does not use WebGL: faster without a GPU
PAGES = {"CNN Explainer": "/", "CNN Explainer without WebGL": ON_CPU}
TF_JS = "@tensorflow/tfjs"
# Prefixes of URLs in its index.html: the npm package that has the file, its version, and where.
HOSTED = {
    "https://cdn.jsdelivr.net/npm/bulma@0.8.0/": ("bulma", "0.8.0", ""),
    "https://cdn.jsdelivr.net/npm/mathjax@3/": ("mathjax", "3", ""),
    "https://cdn.jsdelivr.net/npm/@tensorflow/tfjs@1.0.0/": (TF_JS, "1.0.0", ""),
    "https://cdn.jsdelivr.net/gh/cferdinandi/smooth-scroll@15/": ("smooth-scroll", "15", ""),
    "https://d3js.org/d3.v5.js": ("d3", "5", "dist/d3.js"),
    "https://unpkg.com/recommender-overlay/": ("recommender-overlay", "latest", ""),
    "https://use.fontawesome.com/releases/v5.3.1/": (
        "@fortawesome/fontawesome-free",
        "5.3.1",
        "",
    ),
}
# What else the page asks of other hosts fails at once: a font, polyfills, YouTube, recommendations.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


def source() -> Path | None:
    """Return the checkout to build, or None."""
    path = os.environ.get(VARIABLE)
    return Path(path) if path else None


def version() -> dict[str, str]:
    """Return the commit of the checkout, by name; empty without one."""
    if not (path := source()):
        return {}
    command = ["git", "-C", str(path), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True)
    return {"CNN Explainer": done.stdout.strip() or "of an unknown commit"}


@contextmanager
def running() -> Iterator[str | None]:
    """Build and serve the page during the `with` block; give its address, None without a source."""
    if not (path := source()):
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        public, packages = build(path, Path(folder))
        with served(public, packages) as address:
            yield address


def build(path: Path, folder: Path) -> tuple[Path, Path]:
    """Build a copy in `folder`; return its folder `public` and that of the packages it needs."""
    copy, hosts = folder / "copy", folder / "hosts"
    shutil.copytree(path, copy, ignore=shutil.ignore_patterns(".git", "node_modules"))
    _npm(copy, "install")
    _npm(copy, "run", "build")
    hosts.mkdir()
    _npm(hosts, "install", *(f"{name}@{number}" for name, number, _ in HOSTED.values()))
    index = copy / "public/index.html"
    html = index.read_text(encoding="utf-8")
    for url, (name, _, file) in HOSTED.items():
        html = html.replace(url, f"/npm/{name}/{file}")
    index.write_text(html, encoding="utf-8")
    head, tf, rest = html.partition(f"/npm/{TF_JS}/dist/tf.min.js")
    rest = rest.replace("</script>", "</script><script>tf.setBackend('cpu')</script>", 1)
    (index.parent / ON_CPU[1:]).write_text(head + tf + rest, encoding="utf-8")
    return index.parent, hosts / "node_modules"


def _npm(folder: Path, *arguments: str) -> None:
    command = ["npm", *arguments, "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"CNN Explainer could not be built:\n{done.stdout}{done.stderr}")


@contextmanager
def served(public: Path, packages: Path) -> Iterator[str]:
    """Serve the built page during the `with` block; give its address.

    Text is compressed, once, and may be kept for ten minutes, as on GitHub Pages.
    """

    @cache
    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/npm/"):
            file = packages / path.removeprefix("/npm/")
        else:
            file = public / (path.removeprefix(PREFIX).lstrip("/") or "index.html")
        if not file.is_file():
            return 404, {}, b""
        kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
        headers = {"Content-Type": kind, "Cache-Control": "max-age=600"}
        body = file.read_bytes()
        if any(word in kind for word in ("text", "javascript", "json", "svg")):
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body)
        return 200, headers, body

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else an answer's body waits for the headers' receipt

        def do_GET(self) -> None:
            status, headers, body = answer(unquote(urlsplit(self.path).path))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *values: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            if not isinstance(sys.exception(), ConnectionError):  # the browser left the page
                super().handle_error(request, client_address)

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
