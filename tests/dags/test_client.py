import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dags.ops import client
from dags.ops.client import AirflowRefused, Client


@pytest.fixture
def slow(monkeypatch):
    """A server that lets a request in so many wait for longer than the client does."""
    monkeypatch.setattr(client, "TIMEOUT", (1.0, 0.2))
    asked, free = [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            if len(asked) <= server.silent:
                free.wait(30)
                return
            self._answer(b'{"dag_runs": []}')

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(b'{"access_token": "t"}')

        def _answer(self, body):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.silent = 0
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server, Client(f"http://127.0.0.1:{server.server_port}", "hub", "hub")
    free.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_that_does_not_come_in_time_is_asked_for_again(slow):
    server, airflow = slow
    server.silent = 1
    assert airflow.runs("hub_x") == {}


def test_an_airflow_that_never_answers_in_time_is_told_in_words(slow):
    server, airflow = slow
    server.silent = 1_000
    with pytest.raises(AirflowRefused, match=r"does not answer .*hub airflow status"):
        airflow.runs("hub_x")
