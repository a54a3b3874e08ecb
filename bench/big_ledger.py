#!/usr/bin/env python3
"""What reading a million calls back costs: reports and comparisons of large ledgers.

Writes two runs of ten legs, 16 text events a call, and times `assay report` to the console, to HTML
and to JSON, and `assay compare` of the two, each with its largest resident memory. The index is made
before: it is kept up to date by the command that ends a run.
"""
import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchlib import Setup, Table, arguments

CALLS = 1_000_000
LEGS = 10
EVENTS = 16
SHAPES = 4096  # Streams that differ; calls take them in turn.
CONCURRENCY = 8
CELL = "local:llamacpp:llama-3.2-1b-q8_0"


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def make_shape(rng, slow):
    """(ttft_us, span_us, base64 of the token times) of one stream."""
    ttft = int(rng.lognormvariate(12.1, 0.15) * slow)
    gaps = [int(rng.gauss(14_000, 900) * slow) for _ in range(EVENTS - 1)]
    blob = b"".join(varint(us) + varint(rng.randint(3, 7) << 1) for us in [ttft] + gaps)
    return ttft, sum(gaps), base64.b64encode(blob).decode()


def meta_line(run_id, calls):
    per_leg = calls // LEGS
    prompts = [{"id": f"in{64 * (i + 1)}", "sha256": f"{i:064x}", "salt": "call",
                "target_tokens": 64 * (i + 1), "max_tokens": 64, "frozen": False, "text": ""}
               for i in range(LEGS)]
    legs = [{"cell": 0, "prompt": i, "phase": "measure", "concurrency": CONCURRENCY,
             "calls": per_leg, "settings": {"max_tokens": 64, "fixed_length": True},
             "settings_hash": "0123456789abcdef", "skip": ""} for i in range(LEGS)]
    plan = ",".join(f"[{i // per_leg},{i % per_leg},{i // per_leg}]" for i in range(per_leg * LEGS))
    meta = json.dumps({
        "type": "meta", "benchmark_run_id": run_id, "harness_version": "1",
        "started_at_utc": "2026-01-31T12:00:00.000Z", "host": "tower", "schema": "assay.ledger/1",
        "assay_version": "0.1.0", "started_wall_ns": 1769860800000000000, "suite": "synthetic",
        "suite_rev": "1", "seed": 1, "labels": [], "notes": [], "options": {},
        "cells": [{"id": CELL, "kind": "llamacpp", "model": "llama-3.2-1b-q8_0"}],
        "prompts": prompts, "legs": legs, "calls": []}, separators=(",", ":"))
    return meta.replace('"calls":[]}', f'"calls":[{plan}]}}') + "\n"


CALL = (
    '{"type":"call","cell_id":"' + CELL + '","prompt_id":"in%d","phase":"measure","run_idx":%d,'
    '"first_delta_ms":%d,"total_duration_ms":%d,"prompt_tokens":%d,"completion_tokens":64,'
    '"tokens_per_sec":%.1f,"finish_reason":"length","backend":"llamacpp","error":null,'
    '"benchmark_run_id":"%s","index":%d,"leg":%d,"attempt":1,"final":true,"resumed":false,'
    '"outcome":"ok","error_code":null,"flags":[],"concurrency":8,"prefix":"fresh",'
    '"prompt_sha256":"%064x","settings_hash":"0123456789abcdef","cold_kind":null,"http_status":200,'
    '"due_ns":%d,"start_ns":%d,"connected_ns":null,"sent_ns":%d,"sent_end_ns":%d,"first_byte_ns":%d,'
    '"first_event_ns":%d,"first_role_ns":%d,"load_start_ns":null,"load_end_ns":null,'
    '"prefill_start_ns":null,"prefill_end_ns":null,"first_text_ns":%d,"first_reasoning_ns":null,'
    '"first_visible_ns":%d,"first_tool_ns":null,"first_tool_args_ns":null,"last_text_ns":%d,'
    '"done_ns":%d,"token_source":"usage","cached_tokens":0,"reasoning_tokens":null,'
    '"usage_output_tokens":64,"first_event_tokens":4,"engine_prompt_tokens":%d,'
    '"engine_prefill_ms":%.3f,"engine_output_tokens":64,"engine_decode_ms":%.3f,'
    '"engine_load_ms":null,"engine_total_ms":null,"events":18,"text_events":16,"text_bytes":260,'
    '"reasoning_bytes":0,"reads":16,"client_coalesced":0,"server_coalesced":0,"stamps":"kernel",'
    '"client_lag_max_us":212,"client_lag_p99_us":%d,"min_rtt_us":31,"response_sha256":"%064x",'
    '"tokens":"%s","restart":0,"ended_ns":null}\n')


def write_run(path, run_id, calls, slow):
    rng = random.Random(run_id)
    shapes = [make_shape(rng, slow) for _ in range(SHAPES)]
    per_leg = calls // LEGS
    path.parent.mkdir(parents=True)
    with open(path, "w", encoding="ascii", buffering=1 << 20) as file:
        file.write(meta_line(run_id, calls))
        lanes = [0] * CONCURRENCY  # When each worker is free.
        for index in range(per_leg * LEGS):
            leg, run_idx = divmod(index, per_leg)
            ttft, span, tokens = shapes[rng.randrange(SHAPES)]
            due = lanes[index % CONCURRENCY]
            sent = due + 80_000
            first = sent + ttft * 1000
            last = first + span * 1000
            done = last + 150_000
            lanes[index % CONCURRENCY] = done + 50_000
            prompt = 64 * (leg + 1)
            file.write(CALL % (
                prompt, run_idx, ttft // 1000, (done - sent) // 1_000_000, prompt + 3,
                64e6 / (span or 1), run_id, index, leg, leg, due, due, sent, sent + 20_000,
                first - 300_000, first - 200_000, first - 200_000, first, first, last, done,
                prompt + 3, (ttft - 4000) / 1e3, span * 64 / 60 / 1e3, 20 + run_idx % 100, index,
                tokens))
        file.write('{"type":"meta_end","state":"completed","finished_at_utc":'
                   '"2026-01-31T18:00:00.000Z","load_avg_end":[1.0,1.0,1.0],"wall_s":%.3f,'
                   '"loop_lag_p99_ms":0.2,"loop_lag_max_ms":0.9}\n' % (max(lanes) / 1e9))


def timed(setup, environment, *args):
    """(wall seconds, largest resident MB) of one command; None when it failed."""
    began = time.monotonic()
    with subprocess.Popen([setup.assay, *map(str, args)], stdout=subprocess.DEVNULL,
                          env=environment) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 3):  # 3: the comparison found a regression, as it should.
        return None, None
    return time.monotonic() - began, usage.ru_maxrss / 1024


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, help=f"calls of each run ({CALLS})")
    options = parser.parse_args()
    setup = Setup(options)
    calls = options.calls or (2_000 if setup.smoke else CALLS)
    table = Table(f"Large ledgers: {calls} calls in {LEGS} legs, {EVENTS} events each", options)
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        environment = dict(os.environ, ASSAY_DATA_DIR=folder)
        ids = ["00000000-0000-4000-8000-00000000000a", "10000000-0000-4000-8000-00000000000b"]
        for run_id, slow in zip(ids, (1.0, 1.05)):
            write_run(Path(folder) / "runs" / run_id / "run.jsonl", run_id, calls, slow)
        size = (Path(folder) / "runs" / ids[0] / "run.jsonl").stat().st_size
        table.add("a ledger", size / 1e6, "MB")
        wall, memory = timed(setup, environment, "runs", "reindex")
        table.add("reindex of both", wall, "s")
        table.add("reindex of both: memory", memory, "MB")
        out = Path(folder) / "report"
        for name, most, args in (
                ("report", 10, ["report", ids[0], "--format", "console"]),
                ("report -o x.html", 10, ["report", ids[0], "-o", f"{out}.html"]),
                ("report -o x.json", 10, ["report", ids[0], "-o", f"{out}.json"]),
                ("compare", 15, ["compare", *ids])):
            wall, memory = timed(setup, environment, *args)
            table.add(name, wall, "s", most=most)
            table.add(f"{name}: memory", memory, "MB", most=None if name == "compare" else 500)
    return table.finish()


if __name__ == "__main__":
    sys.exit(main())
