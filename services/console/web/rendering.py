"""Templates become answers. Everything is escaped unless a template's own text says otherwise, and
a name that a template does not know is an error instead of a gap.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from litestar import Response
from markupsafe import Markup

from services.console.documents import moment
from services.console.web.assets import Assets
from services.console.web.shell import Shell
from services.console.web.visible import shortened, visible, with_code

_FOLDER = Path(__file__).parent.parent / "templates"
_HTML = "text/html"


class Pages:
    """Renders a template as a whole page, as a part of one, or as a page without an owner."""

    def __init__(self, assets: Assets, **known: Any) -> None:
        self._env = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._env.globals.update(asset=assets.address, **known)
        self._env.filters.update(when=when, figure=figure, json=shown_json, ms=milliseconds)
        self._env.filters.update(visible=visible, shortened=shortened, with_code=with_code)

    def page(
        self, template: str, *, shell: Shell, status: int = 200, **context: Any
    ) -> Response[str]:
        """A whole page, or a part of one; the template extends `layout.html` for the former."""
        text = self.text(template, shell=shell, **context)
        return Response(text, status_code=status, media_type=_HTML)

    def bare(self, template: str, *, status: int = 200, **context: Any) -> Response[str]:
        """A page for somebody who has not signed in."""
        return Response(self.text(template, **context), status_code=status, media_type=_HTML)

    def text(self, template: str, **context: Any) -> str:
        """The HTML alone, for streams."""
        return self._env.get_template(template).render(**context)


def when(at: datetime | str | None, form: str = "time") -> Markup:
    """A time that the browser shows in the viewer's zone, with UTC on hover. `form`: `time` of the
    day, `date` with it, `recent` with the date where it is not today's, or `ago`.
    """
    if at is None:
        return Markup("")
    told = at if isinstance(at, datetime) else msgspec.convert(at, datetime)
    utc = told.astimezone(UTC)
    text = f"{utc:%Y-%m-%d %H:%M:%S}" if form != "time" else f"{utc:%H:%M:%S}"
    template = Markup('<time datetime="{}" title="{} UTC" data-form="{}">{}</time>')
    return template.format(moment(utc), f"{utc:%Y-%m-%d %H:%M:%S.%f}"[:-3], form, text)


def figure(value: Any, unit: str = "") -> Markup:
    """A number, or a dash where there is none; the unit is small."""
    if value is None or value == "":
        return Markup('<span class="none">&ndash;</span>')
    text = Markup('<span class="figure">{}</span>').format(value)
    return text + Markup(' <span class="unit">{}</span>').format(unit) if unit else text


def milliseconds(value: float | None) -> str:
    """With as many digits as tell something."""
    if value is None:
        return ""
    if value < 100:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


def shown_json(value: Any) -> str:
    """Indented; what is raw stays as it was written."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
