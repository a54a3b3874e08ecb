"""Plays llama-server for supervise_test.py: the ways in which a launch can go, by a script.

    fake_llama_server.py SCRIPT.json ARGUMENTS OF llama-server ...

The script: {"binary": the assay program, "notes": file that gets a JSON line for each start,
"play": how it goes, "layers": N, "flags": [of the mock server]}. Plays: `serve`; `slow`, which takes
a second and answers 503 until then; `gpu_oom`, until at most N layers are asked for; `load_failed`;
`killed`, by SIGKILL, until at most N layers are asked for; `exit`; `never`; `once`, which serves the first time and cannot be started again; `port`, which finds
its port taken at the first start. What it serves is `assay mock-server`.
"""
import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


def say(text):
    print(text, file=sys.stderr, flush=True)


def answer_503_for(port, seconds):
    class Loading(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            body = b'{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}'
            self.send_response(503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = HTTPServer(("127.0.0.1", port), Loading)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    time.sleep(seconds)
    server.shutdown()
    server.server_close()


def serve(script, given):
    # In memory: the key is on no disk.
    key = os.memfd_create("key", 0)
    os.write(key, os.environ["LLAMA_API_KEY"].encode())
    os.set_inheritable(key, True)
    say("main: server is listening on http://127.0.0.1:" + given["--port"])
    os.execv(script["binary"], [
        script["binary"], "mock-server", "--port", given["--port"], "--flavor", "llamacpp",
        "--models=" + given["--alias"], "--slots", given["--parallel"],
        "--api-key-file", f"/proc/self/fd/{key}", *script.get("flags", [])])


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        script = json.load(file)
    arguments = sys.argv[2:]
    words = iter(a for a in arguments if a not in ("--mmap", "--no-mmap", "--mlock"))
    given = dict(zip(words, words))
    with open(script["notes"], "a+", encoding="utf-8") as notes:
        notes.seek(0)
        starts = len(notes.readlines())
        notes.write(json.dumps({"pid": os.getpid(), "arguments": arguments,
                                "environment": dict(os.environ), "folder": os.getcwd(),
                                "files": sorted(os.listdir("/proc/self/fd"))}) + "\n")
    layers = int(given.get("--n-gpu-layers", "0"))
    play = script["play"]
    say("llama_model_loader: loaded meta data")
    if play == "gpu_oom" and layers > script["layers"]:
        say("ggml_backend_cuda_buffer_type_alloc_buffer: allocating 4096.00 MiB on device 0: "
            "cudaMalloc failed: out of memory")
        say("llama_model_load: error loading model: unable to allocate CUDA0 buffer")
        say("main: exiting due to model loading error, key " + os.environ["LLAMA_API_KEY"])
        sys.exit(1)
    if play == "load_failed" or (play == "once" and starts > 0):
        say("llama_model_load: error loading model: unknown model architecture: 'none'")
        say("main: exiting due to model loading error")
        sys.exit(1)
    if play == "killed" and layers > script["layers"]:
        os.kill(os.getpid(), signal.SIGKILL)
    if play == "exit":
        sys.exit(3)
    if play == "never":
        time.sleep(600)
    if play == "port" and starts == 0:
        say("main: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: " + given["--port"])
        sys.exit(1)
    say(f"load_tensors: offloaded {layers}/3 layers to GPU")
    say("system_info: n_threads = 2 (n_threads_batch = 2) / 2 | CPU : SSE3 = 1 |")
    if play == "slow":
        answer_503_for(int(given["--port"]), 1)
    serve(script, given)


if __name__ == "__main__":
    main()
