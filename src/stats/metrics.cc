#include "stats/metrics.h"

#include <array>
#include <cmath>

#include "base/text.h"
#include "stats/cold.h"

namespace assay {
namespace {

using namespace derive;                // The table names a function for each metric.
constexpr double kWholeFrom = 999.95;  // Four digits tell enough; decimals beside them do not.
constexpr auto kLower = Better::kLower;
constexpr auto kHigher = Better::kHigher;
constexpr auto kNeither = Better::kNeither;

constexpr std::array kMetrics{
    Metric{"ttft_ms", "TTFT", "ms", 1, kLower,
           "first text-bearing event (content, reasoning, tool call) - sent", ttft_ms},
    Metric{"ttfv_ms", "First visible", "ms", 1, kLower,
           "first non-white byte outside reasoning - sent", ttfv_ms},
    Metric{"first_delta_ms", "First event", "ms", 1, kLower,
           "first event that is no comment - sent; a role-only delta counts", first_delta_ms},
    Metric{"icl_ms", "ICL", "ms", 1, kLower,
           "gap between successive groups of text-bearing events, pooled over calls", icl_ms,
           nullptr, icl_gaps},
    Metric{"max_gap_ms", "Longest gap", "ms", 1, kLower, "longest icl of a call: its stall",
           max_gap_ms},
    Metric{"decode_tps", "Output speed", "tok/s", 1, kHigher,
           "(streamed tokens - those of the first event) / (last text - first text)", decode_tps,
           decode_parts},
    Metric{"itl_ms", "ITL", "ms", 1, kLower, "1000 / decode_tps of the call", itl_ms},
    Metric{"tpot", "TPOT", "ms", 1, kLower, "alias of itl_ms", itl_ms},
    Metric{"prefill_tps", "Prefill", "tok/s", 1, kHigher,
           "engine: (prompt tokens - cached ones) / its prefill time", prefill_tps, prefill_parts},
    Metric{"prefill_ms", "Prefill time", "ms", 1, kLower,
           "the engine's own time to process the prompt", prefill_ms},
    Metric{"chunks_per_sec", "Chunks", "1/s", 1, kHigher,
           "(text-bearing events - 1) / (last text - first text); stands in without token counts",
           chunks_per_sec, chunk_parts},
    Metric{"tokens_per_event", "Tokens per event", "1", 2, kNeither,
           "streamed tokens / text-bearing events; above 1.1 icl is no token latency",
           tokens_per_event, event_parts},
    Metric{"tokens_per_sec", "Tokens per sec", "tok/s", 1, kHigher,
           "completion_tokens / ((total_duration_ms - first_delta_ms) / 1000); mean over calls",
           tokens_per_sec},
    Metric{"e2e_ms", "E2E latency", "ms", 0, kLower, "terminating event - sent", e2e_ms},
    Metric{"e2e_tps", "E2E speed", "tok/s", 1, kHigher,
           "completion_tokens / e2e: waiting for the first token included", e2e_tps, e2e_parts},
    Metric{"load_ms", "Load", "ms", 0, kLower, "the engine's own time to load the model", load_ms},
    Metric{"unload_ms", "Unload", "ms", 1, kLower,
           "cold: from the request to unload until the model was gone", unload_ms},
    Metric{"cold.load_ms", "Cold load", "ms", 1, kLower,
           "cold: load_ms of the calls that have all parts of the split", cold_load_ms},
    Metric{"cold.prefill_ms", "Cold prefill", "ms", 1, kLower,
           "cold: ttft, less a load within the call", cold_prefill_ms},
    Metric{"cold.decode_ms", "Cold decode", "ms", 1, kLower, "cold: last text - first text",
           cold_decode_ms},
    Metric{"cold.other_ms", "Cold other", "ms", 1, kLower,
           "cold: wall less unload, load, prefill and decode", cold_other_ms},
    Metric{"cold.wall_ms", "Cold wall", "ms", 1, kLower,
           "cold: terminating event - request to unload, less the planned pause", cold_wall_ms},
    Metric{"page_cache_percent", "Page cache", "%", 0, kNeither,
           "cold: share of the model file in the page cache just before the load",
           page_cache_percent},
    Metric{"read_mb", "Read", "MB", 1, kNeither,
           "cold: what the engine's process read from storage", read_megabytes},
    Metric{"text_events", "Text events", "1", 1, kNeither, "text-bearing events of the stream",
           text_event_count},
    Metric{"usage_output_tokens", "Tokens (usage)", "tokens", 1, kNeither,
           "output tokens by the answer's usage", usage_output_tokens},
    Metric{"engine_output_tokens", "Tokens (engine)", "tokens", 1, kNeither,
           "output tokens by the engine's own figures", engine_output_tokens},
    Metric{"cached_tokens", "Cached tokens", "tokens", 0, kNeither,
           "prompt tokens that the engine took from its cache", cached_tokens},
    Metric{"engine_decode_tps", "Engine speed", "tok/s", 1, kHigher,
           "the engine's own output tokens / its decode time", engine_decode_tps,
           engine_decode_parts},
    Metric{"tpot.vllm", "TPOT (vLLM)", "ms", 1, kLower,
           "(last text - first event) / (tokens - 1), as vLLM bench", tpot_vllm},
    Metric{"tpot.guidellm", "TPOT (GuideLLM)", "ms", 1, kLower,
           "(last text - sent) / tokens, as GuideLLM: the first token's wait included",
           tpot_guidellm},
    Metric{"ntpot", "NTPOT", "ms", 1, kLower, "e2e / tokens, as inference-perf", ntpot},
    Metric{"itl.aiperf", "ITL (AIPerf)", "ms", 1, kLower,
           "(last text - first text) / (tokens - 1), as AIPerf", itl_aiperf},
};

}  // namespace

std::span<const Metric> metrics() { return kMetrics; }

const Metric* find_metric(std::string_view name) {
  for (const Metric& metric : kMetrics) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

std::string metric_text(const Metric& metric, std::optional<double> value) {
  if (!value) return "-";
  return grouped(*value, std::fabs(*value) < kWholeFrom ? metric.decimals : 0);
}

}  // namespace assay
