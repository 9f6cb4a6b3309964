"""Views as HTML for notebooks: names in them stay text, and light and dark pages both suit them.

Colours of ink and paper are the page's own; only what must stand out has one of ours, another on
the dark themes of JupyterLab, VS Code, Colab and the documentation's site.
"""

from __future__ import annotations

from dataclasses import asdict
from hashlib import sha256
from html import escape
from itertools import groupby

from flasheval.base.drawing.view import Figure, Line, Part, Table, View
from flasheval.base.text import visible

__all__ = ["html"]

_STYLE = """\
.flasheval.flasheval{--paper:#fff;--line:#8884;--blue:#0072b2;--orange:#d55e00;--grey:#8a8a8a;\
max-width:60em;line-height:1.45}
[data-jp-theme-light=false] .flasheval.flasheval,.vscode-dark .flasheval.flasheval,\
[data-theme=dark] .flasheval.flasheval,[theme=dark] .flasheval.flasheval,\
[data-md-color-scheme=slate] .flasheval.flasheval{--paper:#111;--blue:#5fb0ee;--orange:#f29048;\
--grey:#a0a0a0}
.flasheval.flasheval p{margin:.3em 0}
.flasheval.flasheval .faint,.flasheval.flasheval caption,.flasheval.flasheval figcaption{opacity:.7}
.flasheval.flasheval ul{list-style:none;margin:.5em 0;padding:0}
.flasheval.flasheval li{margin:.2em 0}
.flasheval.flasheval .warning li{border-left:3px solid var(--orange);padding-left:.6em}
.flasheval.flasheval .scroll{overflow-x:auto}
.flasheval.flasheval table{border-collapse:collapse;table-layout:auto;width:auto;\
margin:.6em 0;font-size:inherit;color:inherit;font-variant-numeric:tabular-nums}
.flasheval.flasheval caption{caption-side:top;text-align:left;padding:.2em 0}
.flasheval.flasheval :is(th,td){text-align:right;vertical-align:top;font-weight:400;\
padding:.25em 1.2em .25em 0;border:0;border-bottom:1px solid var(--line);background:none;\
color:inherit;white-space:normal}
.flasheval.flasheval thead th{vertical-align:bottom;opacity:.7}
.flasheval.flasheval .left{text-align:left}
.flasheval.flasheval .strong{font-weight:700}
.flasheval.flasheval tr{background:none}
.flasheval.flasheval figure{margin:.8em 0}
.flasheval.flasheval svg{display:block;width:100%;height:auto}
.flasheval.flasheval svg text{fill:currentColor}
"""
_LISTS = {"warning": "warning", "alert": "warning", "item": "items"}
_PIXELS = 1.15  # of a page, for each of a drawing's: letters as large as those around it


def html(view: View) -> str:
    """Return a view as one HTML element, with its figures in it.

    Example:
        >>> page = html(View((Line("<b> is best", "headline"), Line("mind & this", "warning"))))
        >>> print(page[page.index("</style>") + 8 :])
        <p><strong>&lt;b&gt; is best</strong></p>
        <ul class="warning"><li>mind &amp; this</li></ul></div>

    """
    blocks = []
    for look, group in groupby(view.parts, _look):
        parts = list(group)
        if look in _LISTS:
            items = "".join(f"<li>{_text(one.text)}</li>" for one in parts if isinstance(one, Line))
            blocks.append(f'<ul class="{_LISTS[look]}">{items}</ul>')
        else:
            blocks += filter(None, map(_block, parts))
    return f'<div class="flasheval"><style>{_STYLE}</style>' + "\n".join(blocks) + "</div>"


def _look(part: Part) -> str:
    return part.look if isinstance(part, Line) else ""


def _block(part: Part) -> str:
    if isinstance(part, Table):
        return _table(part)
    return _figure(part) if isinstance(part, Figure) else _line(part)


def _line(line: Line) -> str:
    text = _text(line.text)
    if not text:
        return ""
    form = {
        "headline": "<p><strong>{}</strong></p>",
        "faint": '<p class="faint">{}</p>',
        "note": "<p><em>{}</em></p>",
        "chapter": "<h3>{}</h3>",
        "section": "<h4>{}</h4>",
        "code": "<pre><code>{}</code></pre>",
    }.get(line.look, "<p>{}</p>")
    return form.replace("{}", text)


def _table(table: Table) -> str:
    caption = f"<caption>{_text(table.caption)}</caption>" if table.caption else ""
    titles = "".join(
        f'<th scope="col"{_class(table, place)}>{_title(title)}</th>'
        for place, title in enumerate(table.titles)
    )
    rows = "\n".join(
        "<tr>" + "".join(_cell(table, place, cell) for place, cell in enumerate(row)) + "</tr>"
        for row in table.rows
    )
    head = f"<thead><tr>{titles}</tr></thead>"
    body = f"<tbody>\n{rows}</tbody>"
    return f'<div class="scroll"><table>{caption}{head}{body}</table></div>'


def _title(title: str) -> str:
    return "<br/>".join(map(_text, filter(None, title.split("\n"))))


def _cell(table: Table, place: int, text: str) -> str:
    kind = "th" if place == 0 else "td"
    scope = ' scope="row"' if place == 0 else ""
    return f"<{kind}{scope}{_class(table, place)}>{_text(text)}</{kind}>"


def _class(table: Table, place: int) -> str:
    names = ["left"] if place < table.left else []
    names += ["strong"] if place == table.strong else []
    return f' class="{" ".join(names)}"' if names else ""


def _figure(figure: Figure) -> str:
    import warnings

    from flasheval.base.drawing.figures import drawn
    from flasheval.base.drawing.svg import Drawing, inline_svg, laid_out

    key = "f" + sha256(repr(asdict(figure)).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    label = figure.title or figure.caption or "plot"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="no font here has")  # the browser has its own
        plot = laid_out(lambda: Drawing(key, drawn(figure), figure.caption, label))
    width = plot.figure.get_size_inches()[0] * 72 * _PIXELS
    caption = f"<figcaption>{_text(figure.caption)}</figcaption>" if figure.caption else ""
    return f'<figure style="max-width:{width:.0f}px">{inline_svg(plot)}{caption}</figure>'


def _text(text: str) -> str:
    return escape(visible(text))
