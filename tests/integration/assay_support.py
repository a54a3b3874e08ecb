"""What the integration tests share: a sandbox per test, mock servers, ledgers.

ASSAY_BINARY names the program under test. Standard library only.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BINARY = os.environ.get("ASSAY_BINARY", "")
LIMIT_S = 60

if not BINARY or not os.access(BINARY, os.X_OK):
    sys.exit("ASSAY_BINARY has to name the assay program")


def wait_until(condition, what, limit_s=20.0):
    """The first true value of `condition`; an error that says `what` after the limit."""
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit_s} s in vain for {what}")
        time.sleep(0.01)


def whole_lines(path):
    """The lines of a file that have their line end, as bytes."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        return []
    return data.split(b"\n")[:-1]


class Ledger:
    """One run's files, read back without the program's own code."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.lines = [json.loads(line) for line in whole_lines(self.directory / "run.jsonl")]
        self.calls = [line for line in self.lines if line["type"] == "call"]
        # Calls beside the plan, such as those that warm a model again, have the index -1.
        self.finals = [call for call in self.calls if call["final"] and call["index"] >= 0]
        ends = [line for line in self.lines if line["type"] == "meta_end"]
        self.end = ends[-1] if ends else None

    @property
    def meta(self):
        return self.lines[0] if self.lines and self.lines[0]["type"] == "meta" else None

    def events(self):
        """(number of lines that are none, events)."""
        good, bad = [], 0
        for line in whole_lines(self.directory / "events.jsonl"):
            try:
                good.append(json.loads(line))
            except ValueError:
                bad += 1
        return bad, good

    def responses(self):
        return [json.loads(line) for line in whole_lines(self.directory / "responses.jsonl")]

    def planned_keys(self):
        """What identifies each planned call, in the order of the plan."""
        meta = self.meta
        keys = []
        for leg_index, run_idx, *_ in meta["calls"]:
            leg = meta["legs"][leg_index]
            prompt = meta["prompts"][leg["prompt"]]["sha256"] if leg["prompt"] >= 0 else ""
            keys.append((meta["cells"][leg["cell"]]["id"], prompt, leg["settings_hash"],
                         leg["phase"], run_idx, leg["concurrency"]))
        return keys

    @staticmethod
    def key_of(call):
        return (call["cell_id"], call["prompt_sha256"], call["settings_hash"], call["phase"],
                call["run_idx"], call["concurrency"])

    def final_set(self):
        """Key, outcome and error code of every final record, sorted."""
        return sorted((self.key_of(c), c["outcome"], c["error_code"] or "") for c in self.finals)


class Mock:
    """An `assay mock-server` of its own process."""

    def __init__(self, env, *flags):
        self.process = subprocess.Popen([BINARY, "mock-server", "--port", "0", *flags], env=env,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.first_line = self.process.stdout.readline()
        addresses = json.loads(self.first_line)
        self.url, self.reset_url = addresses["listening"], addresses["reset"]

    def stats(self):
        with urllib.request.urlopen(self.url + "/stats", timeout=10) as answer:
            return json.load(answer)

    def reset(self):
        request = urllib.request.Request(self.url + "/stats/reset", data=b"", method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def stop(self):
        self.process.terminate()
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        return code


class ScriptedServer:
    """An OpenAI-compatible server whose POST answers a test decides.

    `answer(handler, count)` gets the request handler and how many POSTs came before this one;
    `requests` keeps what they brought.
    """

    def __init__(self, answer):
        outer = self
        self.count = 0
        self.keys = []
        self.requests = []  # (headers, body) of every POST
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, status, body, kind="application/json", headers=()):
                data = body if isinstance(body, bytes) else body.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def stream(self, text="Hello world"):
                chunks = [{"choices": [{"index": 0, "delta": {"content": text},
                                        "finish_reason": None}]},
                          {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
                body = "".join(f"data: {json.dumps(c)}\n\n" for c in chunks) + "data: [DONE]\n\n"
                self.reply(200, body, "text/event-stream")

            def do_GET(self):
                if self.path == "/v1/models":
                    self.reply(200, json.dumps({"object": "list", "data": [{"id": "scripted"}]}))
                else:
                    self.reply(404, json.dumps({"error": {"message": "no such route"}}))

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                with lock:
                    outer.requests.append((dict(self.headers), body))
                    count = outer.count
                    outer.count += 1
                    outer.keys.append(self.headers.get("Authorization", ""))
                answer(self, count)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class AssayTest(unittest.TestCase):
    """A test with directories, a lock and an environment of its own."""

    maxDiff = 4000

    def setUp(self):
        self.box = Path(tempfile.mkdtemp(prefix="assay-test-"))
        self.addCleanup(shutil.rmtree, self.box, ignore_errors=True)
        for name in ("home", "data", "cache", "config", "work"):
            (self.box / name).mkdir()
        self.work = self.box / "work"
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.box / "home"),
            "XDG_DATA_HOME": str(self.box / "data"),
            "XDG_CACHE_HOME": str(self.box / "cache"),
            "XDG_CONFIG_HOME": str(self.box / "config"),
            "ASSAY_LOCK_FILE": str(self.box / "lock"),
        }
        for name in ("ASSAY_ENGINE_DIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.data = self.box / "data" / "assay"

    def not_tested(self, why):
        """Skips the test, and says so where nobody can miss it."""
        print(f"NOT TESTED: {self.id()}: {why}", flush=True)
        self.skipTest(why)

    def mock(self, *flags):
        """A mock server that answers at once unless the flags say otherwise."""
        usual = {"--ttft": "2ms", "--gap": "1ms", "--tokens": "8"}
        for name, value in usual.items():
            if name not in flags:
                flags = (name, value, *flags)
        server = Mock(self.env, *flags)
        self.addCleanup(server.stop)
        return server

    def scripted(self, answer):
        server = ScriptedServer(answer)
        self.addCleanup(server.stop)
        return server

    def start(self, *args, env=None):
        """Starts assay in a process group of its own, as a terminal does. Its output goes to the
        files `out` and `err` of the process object."""
        out, err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        process = subprocess.Popen([BINARY, *map(str, args)], env={**self.env, **(env or {})},
                                   cwd=self.work, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   start_new_session=True)
        process.out, process.err = out, err
        self.addCleanup(self.finish, process)
        return process

    @staticmethod
    def finish(process):
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        process.out.close()
        process.err.close()

    @staticmethod
    def text_of(stream):
        stream.flush()
        stream.seek(0)
        return stream.read()

    @staticmethod
    def children_of(process):
        """Process ids of what it started itself, such as its engines."""
        path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        return [int(pid) for pid in path.read_text(encoding="utf-8").split()]

    def assay(self, *args, env=None, code=0, limit_s=LIMIT_S):
        """Runs assay to its end; (stdout, stderr). `code` is what it has to end with."""
        done = subprocess.run([BINARY, *map(str, args)], env={**self.env, **(env or {})},
                              cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=limit_s, check=False)
        out = done.stdout.decode("utf-8", "surrogateescape")
        err = done.stderr.decode("utf-8", "surrogateescape")
        self.assertEqual(done.returncode, code, f"assay {' '.join(map(str, args))}\n{out}\n{err}")
        return out, err

    def json(self, *args, **kwargs):
        """Runs assay with --json; its document."""
        return json.loads(self.assay(*args, "--json", **kwargs)[0])

    def run_prompt(self, target, *args, model="mock", **kwargs):
        """A short run of one prompt; its document."""
        return self.json("run", "--target", target, "-m", model, "--prompt", "hello there",
                         "--no-progress", *args, **kwargs)

    def run_directories(self):
        """Directories of all runs, oldest first."""
        runs = self.data / "runs"
        return sorted(runs.iterdir(), key=lambda d: d.stat().st_ctime_ns) if runs.is_dir() else []

    def ledger(self, run_id=None):
        if run_id is None:
            (directory,) = self.run_directories()
        else:
            directory = self.data / "runs" / run_id
        return Ledger(directory)

    def assert_whole(self, ledger, state="completed"):
        """Exactly one final record per planned call, and the end line."""
        self.assertEqual(sorted(c["index"] for c in ledger.finals),
                         list(range(len(ledger.meta["calls"]))))
        self.assertEqual(sorted(map(Ledger.key_of, ledger.finals)), sorted(ledger.planned_keys()))
        attempts = [(c["index"], c["attempt"]) for c in ledger.calls]
        self.assertEqual(len(attempts), len(set(attempts)), "an attempt is recorded twice")
        self.assertEqual(ledger.lines[-1]["type"], "meta_end")
        self.assertEqual(ledger.end["state"], state)

    def own_processes(self):
        """(pid, command line) of living processes that were started in this test's sandbox."""
        found = []
        mark = f"ASSAY_LOCK_FILE={self.env['ASSAY_LOCK_FILE']}".encode()
        engines = str(self.box).encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                # A zombie has ended; only nobody asked yet how.
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                command = (entry / "cmdline").read_bytes()
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if state in "ZX":
                continue
            if mark in environment.split(b"\0") or engines in command:
                found.append((int(entry.name), command.replace(b"\0", b" ").decode(errors="replace")))
        return found
