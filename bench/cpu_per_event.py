#!/usr/bin/env python3
"""What an event costs in the product's client, against the least that any client must do.

Pairs of client_bench and bare_reader_bench in ABBA order, each on one core, the mock on another.
The median of the pairs' ratios counts: single times depend on what else the machine does. Then
the memory that an open stream holds, and 4,000 streams at once without a lost event.
"""
import sys

from benchlib import Setup, Table, arguments, median

PAIRS = 9


def ratios(setup, url, streams, tokens, calls, pairs):
    """(cost of the client, cost of the bare reader) of each pair."""
    load = [url, "--streams", streams, "--tokens", tokens, "--calls", calls]
    costs = []
    for pair in range(pairs):
        order = ["client_bench", "bare_reader_bench"]
        if pair % 2:
            order.reverse()
        figures = {program: setup.run(program, *load) for program in order}
        client, bare = figures["client_bench"], figures["bare_reader_bench"]
        if client["events"] != bare["events"]:
            sys.exit(f"the client counted {client['events']} events, the bare reader "
                     f"{bare['events']}")
        costs.append((client["cpu_ns_per_event"], bare["cpu_ns_per_event"]))
    return costs


def main():
    options = arguments(__doc__.splitlines()[0]).parse_args()
    setup = Setup(options)
    table = Table("CPU time and memory per event and stream", options)
    tokens, pairs = (8, 1) if setup.smoke else (128, PAIRS)
    many = 100 if setup.smoke else 4000
    with setup.mock("--ttft", "200ms", "--gap", "20ms", "--role", "none") as url:
        for streams in (8, 16) if setup.smoke else (64, 1000):
            costs = ratios(setup, url, streams, tokens, 1, pairs)
            table.add(f"{streams} streams: client / bare reader",
                      median([client / bare for client, bare in costs]), "", most=2.5,
                      note=f"median of {len(costs)} pairs")
            table.add(f"{streams} streams: client, CPU per event",
                      median([client for client, _ in costs]), "ns")
            table.add(f"{streams} streams: bare reader, CPU per event",
                      median([bare for _, bare in costs]), "ns")
        streams = 16 if setup.smoke else 1000
        figures = [setup.run("client_bench", url, "--streams", streams, "--tokens", tokens,
                             "--calls", 1) for _ in range(pairs // 3 + 1)]
        for what in ("heap", "rss"):
            table.add(f"{streams} streams: memory of a stream, by {what}",
                      median([f[f"{what}_bytes_per_stream"] for f in figures]) / 1024, "KiB",
                      most=8)
    with setup.mock("--ttft", "500ms", "--gap", "100ms", "--role", "none") as url:
        figures = setup.run("client_bench", url, "--streams", many, "--tokens", tokens,
                            "--calls", 1)
        table.add(f"{many} streams: lost events", figures["lost_events"], "", most=0)
        table.add(f"{many} streams: failed calls", figures["failed_calls"], "", most=0)
        table.add(f"{many} streams: memory of a stream, by rss",
                  figures["rss_bytes_per_stream"] / 1024, "KiB")
    return table.finish()


if __name__ == "__main__":
    sys.exit(main())
