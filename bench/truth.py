#!/usr/bin/env python3
"""How far the records are from what the mock really sent.

Each streamed event carries the instant just before its send(); the mock's own lateness therefore
does not count. Then the same run with and without a role chunk at 0 ms: only `first_delta_ms` and
`tokens_per_sec`, which are defined by it, may move (and the alias of a peer that counts alike).
"""
import sys

from benchlib import Setup, Table, arguments, median

ROUNDS = 3
# What two runs of the same server may differ by; the role chunk comes 200 ms before the first token.
SAME_MS = 5
MOVED_MS = 100
BY_ROLE = {"first_delta_ms", "tokens_per_sec"}
# A peer's formula, kept as it is: it counts from the first chunk that has choices.
BY_PEER = {"tpot.vllm"}


def add_streams(table, setup, url, streams, tokens, rounds):
    runs = [setup.run("client_bench", url, "--streams", streams, "--tokens", tokens, "--calls", 1,
                      "--truth") for _ in range(rounds)]

    def figure(name):
        return median([run[name] for run in runs])

    head = f"{streams} streams:"
    table.add(f"{head} ttft p50, error", abs(figure("ttft_p50_error_ms")), "ms", most=1)
    table.add(f"{head} ttft p99, error", abs(figure("ttft_p99_error_ms")), "ms", most=3)
    table.add(f"{head} ttft of a call, error at p99", figure("call_error_p99_ms"), "ms")
    table.add(f"{head} stamp minus true send, p50", figure("stamp_error_p50_us"), "us")
    table.add(f"{head} stamp minus true send, p99", figure("stamp_error_p99_us"), "us", most=100)
    table.add(f"{head} read minus stamp, p50", figure("read_lag_p50_us"), "us")
    table.add(f"{head} read minus stamp, p99", figure("read_lag_p99_us"), "us", most=2000)
    table.add(f"{head} calls whose record lacks events", figure("unmatched_calls"), "", most=0)


def measured_metrics(setup, role, repetitions):
    """Median by metric of one run against a mock with that --role."""
    with setup.mock("--ttft", "200ms", "--gap", "20ms", "--role", role) as url:
        result, *_ = setup.assay_run("--target", url, "--prompt", "Count.", "--max-tokens", 32,
                                     "--warmup", 1, "-r", repetitions)
    legs = [leg for leg in result["legs"] if leg["phase"] == "measure"]
    return {name: figures["p50"] for name, figures in legs[-1]["metrics"].items()}


def moved(with_role, without):
    """Metrics that differ by more than two runs of one server do."""
    names = []
    for name in sorted(with_role.keys() | without.keys()):
        a, b = with_role.get(name), without.get(name)
        if (a is None) != (b is None):
            names.append(name)
        elif a is not None and abs(a - b) > max(0.03 * max(abs(a), abs(b)),
                                                SAME_MS if name.endswith("_ms") else 0):
            names.append(name)
    return names


def add_role(table, setup):
    early = measured_metrics(setup, "early", 1 if setup.smoke else 10)
    none = measured_metrics(setup, "none", 1 if setup.smoke else 10)
    changed = moved(early, none)
    others = [name for name in changed if name not in BY_ROLE | BY_PEER]
    table.add("role chunk: metrics that it moves, besides two", len(others), "", most=0,
              note=", ".join(others))
    unmoved = [name for name in BY_ROLE if name not in changed]
    table.add("role chunk: of those two, unmoved", len(unmoved), "", most=0,
              note=", ".join(unmoved))
    for name in ("first_delta_ms", "ttft_ms", "decode_tps", "tokens_per_sec"):
        table.add(f"role chunk: {name}, without", none.get(name))
        table.add(f"role chunk: {name}, with", early.get(name))


def main():
    options = arguments(__doc__.splitlines()[0]).parse_args()
    setup = Setup(options)
    table = Table("Records against the truth", options)
    with setup.mock("--ttft", "200ms", "--gap", "20ms", "--role", "none") as url:
        for streams in (8,) if setup.smoke else (64, 1000):
            add_streams(table, setup, url, streams, 8 if setup.smoke else 128,
                        1 if setup.smoke else ROUNDS)
    add_role(table, setup)
    return table.finish()


if __name__ == "__main__":
    sys.exit(main())
