"""A page for a browser: one file that loads nothing, for light and dark, for screen and paper."""

import html
from collections.abc import Iterable, Sequence

from nncheck.wire import clean

STYLE = """
:root { color-scheme: light dark;
  --ink: light-dark(#1b1b1b, #ececec); --paper: light-dark(#fff, #161616);
  --line: light-dark(#767676, #8c8c8c); --soft: light-dark(#f0f0f0, #262626);
  --all: light-dark(#1d4f91, #a6cbf7); --all-ink: light-dark(#fff, #081627);
  --most: light-dark(#8db6e6, #4f86c9); --most-ink: light-dark(#0b1f38, #050e1a);
  --some: light-dark(#d3e4f7, #2b4d79); --some-ink: light-dark(#0b1f38, #fff);
  --none: light-dark(#f6c9a0, #7a3b0a); --none-ink: light-dark(#3d1d00, #ffe9d6);
  --odd: light-dark(#555, #c9c9c9); --odd-ink: light-dark(#fff, #161616); }
body { font: 16px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 76em; margin: 0 auto; padding: 1em 1.5em 4em; }
h1 { font-size: 1.6em; margin: .3em 0; } h2 { font-size: 1.25em; margin: 2em 0 .4em; }
p { max-width: 46em; margin: .4em 0; }
code, pre { font-family: ui-monospace, monospace; font-size: .92em; }
pre { background: var(--soft); padding: .5em .8em; white-space: pre-wrap; margin: .4em 0; }
p, pre { overflow-wrap: anywhere; } th, td { overflow-wrap: break-word; min-width: 2.5em; }
a { color: inherit; } nav a { margin-right: 1em; white-space: nowrap; }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--all); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .5em 0; } caption { text-align: left; margin: .3em 0; }
th, td { text-align: left; vertical-align: top; padding: .3em .7em .3em 0;
  border-bottom: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media print { :root { color-scheme: only light; } body { padding: 0; font-size: 10pt; }
  * { print-color-adjust: exact; } nav { display: none; } .wide { overflow: visible; }
  tr { break-inside: avoid; } h2, caption { break-after: avoid; } }
"""


def page(title: str, body: str, style: str = "") -> str:
    """A whole page. `title` is plain text and `body` HTML; nothing on it can run or load."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{text(title)}</h1>\n{body}</main>\n</body>\n</html>\n"
    )


def text(anything: object) -> str:
    """Anybody's words as HTML that shows just them."""
    return html.escape(clean(str(anything)))


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()
) -> str:
    """A table, all of it HTML; the first cell of a row is its heading, `numbers` align right."""
    kinds = [' class="number"' if i in numbers else "" for i in range(len(heads))]
    top = "".join(f'<th scope="col"{k}>{h}</th>' for k, h in zip(kinds, heads, strict=True))
    lines = [
        f'<tr><th scope="row">{first}</th>'
        + "".join(f"<td{k}>{cell}</td>" for k, cell in zip(kinds[1:], rest, strict=True))
        + "</tr>\n"
        for first, *rest in rows
    ]
    return (
        f'<div class="wide"><table><caption>{caption}</caption>\n<thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{''.join(lines)}</tbody></table></div>\n"
    )
