"""The images' healthcheck: whether a process answers on its health port."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from libs.common.probing import main


@pytest.fixture
def health():
    """Answers with `status`, and keeps the paths that it was asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked.append(self.path)
            self.send_response(server.status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.status, server.asked = 200, []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", [None, "", "0.0.0.0", "127.0.0.1"])
def test_who_answers_is_alive(health, host):
    environ = {"ALERTWIRE_HEALTH_PORT": str(health.server_port)}
    assert main(environ if host is None else {**environ, "ALERTWIRE_HEALTH_HOST": host}) == 0
    assert health.asked == ["/health/live"]


def test_who_answers_with_an_error_is_not(health):
    health.status = 503
    assert main({"ALERTWIRE_HEALTH_PORT": str(health.server_port)}) == 1


@pytest.mark.parametrize("port", ["", "none", "1"])
def test_who_does_not_answer_is_not(port):
    assert main({"ALERTWIRE_HEALTH_PORT": port}) == 1
