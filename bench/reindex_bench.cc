#include <fmt/format.h>
#include <stdlib.h>
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/varint.h"
#include "model/json.h"
#include "store/index.h"
#include "store/ledger.h"
#include "store/run_dir.h"

// Times reading and indexing one ledger of realistic call lines: `reindex_bench [calls]`.

namespace {

using assay::CallRecord;

CallRecord realistic_call(int64_t index, const std::string& run_id, assay::SplitMix64& random) {
  CallRecord r;
  r.cell_id = "local:llamacpp:qwen2.5-7b-instruct-q4_k_m";
  r.prompt_id = "prompt-01234567";
  r.run_idx = index;
  r.first_delta_ms = 180;
  r.total_duration_ms = 2'400;
  r.prompt_tokens = 512;
  r.completion_tokens = 128;
  r.tokens_per_sec = 57.6;
  r.finish_reason = "length";
  r.backend = "llamacpp";
  r.run_id = run_id;
  r.index = index;
  r.outcome = assay::Outcome::kOk;
  r.flags = {"length"};
  r.concurrency = 8;
  r.prefix = assay::Prefix::kFresh;
  r.prompt_sha256 = assay::sha256_hex("prompt");
  r.settings_hash = r.prompt_sha256.substr(0, 16);
  r.http_status = 200;
  const int64_t base = index * 300'000'000;
  r.at.due = r.at.start = base;
  r.at.sent = base + 81'234;
  r.at.sent_end = base + 99'321;
  r.at.first_byte = base + 178'000'123;
  r.at.first_event = r.at.first_role = base + 178'100'456;
  r.at.first_text = r.at.first_visible = base + 180'200'789;
  r.at.last_text = base + 2'399'000'111;
  r.at.done = base + 2'400'000'222;
  r.token_source = assay::TokenSource::kUsage;
  r.cached_tokens = 0;
  r.usage_output_tokens = 128;
  r.engine.prompt_tokens = 512;
  r.engine.prefill_ms = 171.338;
  r.engine.output_tokens = 128;
  r.engine.decode_ms = 2'219.04;
  r.events = 131;
  r.text_events = 128;
  r.text_bytes = 611;
  r.reads = 128;
  r.stamps = assay::StampSource::kKernel;
  r.client_lag_max_us = 212;
  r.client_lag_p99_us = 140;
  r.min_rtt_us = 31;
  r.response_sha256 = r.prompt_sha256;
  for (int i = 0; i < 128; ++i) {
    assay::append_varint(r.tokens, 17'000 + random.below(1'000));
    assay::append_varint(r.tokens, (3 + random.below(5)) << 1);
  }
  return r;
}

void write_ledger(const std::filesystem::path& path, const std::string& run_id, int64_t calls) {
  assay::RunMeta meta;
  meta.run_id = run_id;
  meta.started_at_utc = "2026-01-31T12:00:00.000Z";
  for (int64_t i = 0; i < calls; ++i) meta.calls.push_back({0, i, 0});
  std::ofstream file(path);
  file << assay::meta_line(meta) << '\n';
  assay::SplitMix64 random(1);
  for (int64_t i = 0; i < calls; ++i) {
    file << assay::call_line(realistic_call(i, run_id, random)) << '\n';
  }
  file << assay::end_line({.state = "completed"}) << '\n';
}

template <class F>
void timed(const char* what, int64_t calls, F&& work) {
  const int64_t wall = assay::mono_now_ns();
  const int64_t cpu = assay::read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  work();
  const double seconds = static_cast<double>(assay::mono_now_ns() - wall) / 1e9;
  const double cpu_s =
      static_cast<double>(assay::read_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9;
  fmt::print("{:<12} {:6.3f} s wall  {:6.3f} s CPU  {:9.0f} rows/s\n", what, seconds, cpu_s,
             static_cast<double>(calls) / seconds);
}

bool ok(bool good, const char* what) {
  if (!good) fmt::print(stderr, "{} failed\n", what);
  return good;
}

int run(const std::filesystem::path& data, int64_t calls) {
  const std::string id = assay::new_uuid4();
  const auto paths = assay::create_run_directory(data, id);
  if (!ok(paths.has_value(), "making the run")) return 1;
  timed("make lines", calls, [&] { write_ledger(paths->ledger, id, calls); });
  fmt::print("{} calls, {:.1f} MB\n", calls,
             static_cast<double>(std::filesystem::file_size(paths->ledger)) / 1e6);
  bool good = true;
  timed("read_ledger", calls, [&] {
    const auto content = assay::read_ledger(paths->ledger);
    good = good && content && static_cast<int64_t>(content->calls.size()) == calls;
  });
  for (const char* what : {"reindex", "reindex anew"}) {
    timed(what, calls, [&] {
      const auto report = assay::reindex(data);
      good = good && report && report->calls == calls && report->notes.empty();
    });
  }
  return ok(good, "reading back") ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t calls = argc > 1 ? std::atoll(argv[1]) : 100'000;
  std::string name = (std::filesystem::temp_directory_path() / "assay-reindex-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return 1;
  const int result = run(name, calls);
  std::filesystem::remove_all(name);
  return result;
}
