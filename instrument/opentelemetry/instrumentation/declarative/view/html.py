"""Writes a page that shows recorded spans. It is one file, and needs no network connection.

The data is compressed and in Base64, so that no value can end the element that contains it. The script puts values into
the page as text only. The content security policy allows this script and this style, and nothing else.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
from pathlib import Path

_FOLDER = Path(__file__).with_name("page")
#: In this order: each one uses only those before it.
_SCRIPTS = (
    "vendor/dagre.min.js",
    "text.js",
    "elements.js",
    "model.js",
    "list.js",
    "details.js",
    "matrix.js",
    "layout.js",
    "graph.js",
    "operations.js",
    "story.js",
    "sequence.js",
    "waterfall.js",
    "page.js",
)
_LICENSE = "vendor/dagre.LICENSE.txt"

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
<script type="text/plain" id="data">{data}</script>
<script>{script}</script>
<!--
The layout of graphs: dagre, https://github.com/dagrejs/dagre
{license}
-->
</body>
</html>
"""


def page(data: str, title: str) -> str:
    """The text of a page with the data of ``PageData``."""
    style = _read("page.css")
    script = "\n".join(map(_read, _SCRIPTS))
    sources = f"script-src {_hash(script)}; style-src {_hash(style)}"
    policy = f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"
    return _PAGE.format(
        policy=policy,
        title=html.escape(title),
        style=style,
        body=_read("page.html"),
        data=base64.b64encode(gzip.compress(data.encode("utf-8"), 5, mtime=0)).decode("ascii"),
        script=script,
        license=_read(_LICENSE),
    )


def _read(name: str) -> str:
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("//# sourceMappingURL"))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
