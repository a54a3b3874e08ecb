#pragma once

#include "../stats/synthetic.h"

namespace assay::synthetic {

/// Suite `speed`: one real and one random-weight model, one that could not be reached. Prompts of
/// three lengths, the shortest twice: fresh and reused.
inline LedgerContent speed_run() {
  Builder b("speed");
  const int64_t fast = b.cell("gemma-3-1b-it-q4_k_m.gguf");
  const int64_t dummy = b.cell("dummy-llama-3.2-3b-instruct-q8_0");
  const int64_t gone = b.cell("phi-4-mini", "ollama");
  auto& cells = b.ledger.meta.cells;
  cells[0].load_ms = 812.4;
  cells[0].managed = true;
  cells[1].random_weights = true;
  cells[2].unavailable = "connection refused";
  const int64_t small = b.prompt("speed-short", 32);
  const int64_t middle = b.prompt("speed-512", 512);
  const int64_t deep = b.prompt("speed-4096", 4096);
  for (const int64_t cell : {dummy, fast}) {
    const double slow = cell == fast ? 1 : 2.5;
    const int64_t warmup = b.leg(cell, small, Phase::kWarmup);
    b.add_ok(warmup, 1, {.ttft_ms = 900 * slow, .tokens = 8});
    for (const auto& [prompt, length, calls] :
         {std::tuple{small, 32, 6}, std::tuple{middle, 512, 6}, std::tuple{deep, 4096, 3}}) {
      const int64_t leg = b.leg(cell, prompt);
      b.add_ok(leg, calls,
               {.ttft_ms = slow * (20 + length / 1.5),
                .gap_ms = slow * (25 + length / 1000.0),
                .tokens = 128,
                .prompt_tokens = length + 3,
                .cached = 0},
               0.02);
    }
    const int64_t again = b.leg(cell, small);
    b.add_ok(again, 6,
             {.ttft_ms = slow * 15,
              .gap_ms = slow * 25,
              .tokens = 128,
              .prompt_tokens = 35,
              .cached = 30},
             0.02);
  }
  const int64_t skipped = b.leg(gone, small, Phase::kSkipped);
  b.add(skipped, skipped_call("connection refused"));
  return b.ledger;
}

/// Suite `prompt`: one cell; a leg with a histogram, failures and skips; one of three calls; one in
/// which everything failed, with an error text that means no good.
inline LedgerContent prompt_run() {
  Builder b("prompt");
  const int64_t cell = b.cell("qwen2.5-1.5b-q4_k_m");
  b.ledger.meta.cells[0].version = "b6341";
  const int64_t many = b.leg(cell, b.prompt("P-MEDIUM"));
  b.add_ok(many, 30,
           {.ttft_ms = 182, .gap_ms = 30.6, .tokens = 64, .prompt_tokens = 24, .cached = 0});
  b.add(many, failed_call(b.now_ms, "connection reset by peer"));
  b.add(many, failed_call(b.now_ms, "connection reset by peer"));
  b.add(many, skipped_call("budget"));
  const int64_t few = b.leg(cell, b.prompt("P-EASY"), Phase::kCold);
  b.add_ok(few, 3, {.ttft_ms = 1900, .gap_ms = 30, .tokens = 10, .prompt_tokens = 9});
  const int64_t bad = b.leg(cell, b.prompt("P|<b>*HARD*"));
  b.add(bad,
        failed_call(b.now_ms, "\x1b[31mred\x1b[0m | <script>alert(1)</script>\n# not a title"));
  return b.ledger;
}

/// Suite `synthetic` over several cells: two that work, one where all failed, one skipped.
inline LedgerContent cells_run() {
  Builder b("synthetic");
  const int64_t slow = b.cell("qwen2.5-1.5b-q4_k_m");
  const int64_t fast = b.cell("llama-3.2-1b-q8_0");
  const int64_t broken = b.cell("broken");
  const int64_t large = b.cell("phi-4-mini");
  b.ledger.meta.cells[3].unavailable = "does not fit (needs 3.1 GB, 2.4 GB free)";
  const int64_t shorter = b.prompt("in128");
  const int64_t longer = b.prompt("in512");
  for (const auto& [cell, gap] : {std::pair{slow, 31.0}, std::pair{fast, 24.3}}) {
    for (const auto& [prompt, ttft] : {std::pair{shorter, 90.0}, std::pair{longer, 300.0}}) {
      b.add_ok(b.leg(cell, prompt), 8, {.ttft_ms = ttft, .gap_ms = gap, .tokens = 64, .cached = 0});
    }
  }
  b.add(b.leg(broken, shorter), failed_call(b.now_ms, "HTTP 500"));
  b.add(b.leg(large, shorter, Phase::kSkipped), skipped_call("does not fit"));
  return b.ledger;
}

}  // namespace assay::synthetic
