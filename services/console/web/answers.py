"""What pages answer instead: a sign-in, a problem in words, a failure."""

from urllib.parse import quote, urlsplit

import structlog
from litestar import Response
from litestar.exceptions import HTTPException

from services.console.problems import AnyRequest, Problem
from services.console.web.access.guarding import SignInNeeded
from services.console.web.rendering import Pages

_SEE_OTHER = 303
_PROBLEM_PLACE = {"HX-Retarget": "#problem", "HX-Reswap": "innerHTML"}
_STREAM = "text/event-stream"
_STREAM_RETRY_MS = 3_000

_log = structlog.get_logger()


class PageAnswers:
    """The exception handlers of all pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def sign_in(self, request: AnyRequest, _: SignInNeeded) -> Response[str]:
        if _follows(request):
            return _stream_end("signed-out", "")
        if request.headers.get("hx-request"):
            shown = urlsplit(request.headers.get("hx-current-url", ""))
            place = _sign_in_place(shown.path, shown.query)
            return Response("", status_code=401, headers={"HX-Redirect": place})
        is_page = request.method == "GET"
        place = _sign_in_place(request.url.path, request.url.query) if is_page else "/sign-in"
        return Response("", status_code=_SEE_OTHER, headers={"Location": place})

    def problem(self, request: AnyRequest, problem: Problem) -> Response[str]:
        return self._answer(request, problem.status, problem.detail, field=problem.field)

    def http(self, request: AnyRequest, error: HTTPException) -> Response[str]:
        return self._answer(request, error.status_code, error.detail)

    def bug(self, request: AnyRequest, error: Exception) -> Response[str]:
        _log.error("page.failed", method=request.method, path=request.url.path, exc_info=error)
        return self._answer(request, 500, "The console failed; its log has the stack.")

    def _answer(
        self, request: AnyRequest, status: int, detail: str, *, field: str | None = None
    ) -> Response[str]:
        if _follows(request):
            return _stream_end("problem", detail)
        told = {"code": status, "detail": detail, "field": field}
        if request.headers.get("hx-request"):
            answer = self._pages.bare("problem.html", status=status, **told)
            for name, value in _PROBLEM_PLACE.items():
                answer.set_header(name, value)
            return answer
        return self._pages.bare("problem-page.html", status=status, **told)


def _follows(request: AnyRequest) -> bool:
    """A browser that opens a stream is told in its own form, or it would see nothing but that the
    stream does not open.
    """
    return _STREAM in request.headers.get("accept", "")


def _stream_end(event: str, data: str) -> Response[str]:
    text = f"retry: {_STREAM_RETRY_MS}\nevent: {event}\ndata: {' '.join(data.split())}\n\n"
    return Response(text, media_type=_STREAM)


def _sign_in_place(path: str, query: str) -> str:
    if path in {"", "/"} and not query:
        return "/sign-in"
    return f"/sign-in?next={quote(f'{path}?{query}' if query else path)}"
