#include "importers/run_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/varint.h"
#include "stats/derive.h"

namespace assay {
namespace {

constexpr int64_t kFromFlight = 0;  ///< Leg::concurrency until the records tell it.
constexpr size_t kMaxText = 400;

std::optional<int64_t> ended(const CallRecord& r) { return r.at.done ? r.at.done : r.at.ended; }

}  // namespace

RunBuilder::RunBuilder(const ImportHints& hints, std::string_view engine) : hints_(hints) {
  if (hints_.engine.empty()) hints_.engine = engine;
  run_.meta.imported.emplace();
}

int64_t RunBuilder::cell(std::string_view model, std::string_view variant) {
  std::string name = hints_.model.empty() ? printable(model, kMaxText) : hints_.model;
  if (name.empty()) name = "unknown";
  if (!variant.empty()) name += fmt::format(" [{}]", variant);
  Cell cell;
  cell.id = fmt::format("imported:{}:{}", hints_.engine, name);
  auto& cells = run_.meta.cells;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].id == cell.id) return static_cast<int64_t>(i);
  }
  cell.kind = hints_.engine;
  cell.model = std::move(name);
  cells.push_back(std::move(cell));
  return std::ssize(cells) - 1;
}

int64_t RunBuilder::leg(int64_t cell, std::string_view prompt_id, Phase phase,
                        std::optional<int64_t> concurrency, std::optional<int64_t> target_tokens) {
  RunMeta& meta = run_.meta;
  const std::string id = printable(prompt_id, kMaxText);
  const auto same_prompt = [&](const Prompt& p) { return p.id == id; };
  auto prompt = std::find_if(meta.prompts.begin(), meta.prompts.end(), same_prompt);
  if (prompt == meta.prompts.end()) {
    Prompt added;
    added.id = id;
    added.target_tokens = target_tokens;
    meta.prompts.push_back(std::move(added));
    prompt = meta.prompts.end() - 1;
  }
  Leg wanted;
  wanted.cell = cell;
  wanted.prompt = prompt - meta.prompts.begin();
  wanted.phase = phase;
  wanted.concurrency = concurrency.value_or(kFromFlight);
  for (size_t i = 0; i < meta.legs.size(); ++i) {
    const Leg& leg = meta.legs[i];
    if (std::tie(leg.cell, leg.prompt, leg.phase, leg.concurrency) ==
        std::tie(wanted.cell, wanted.prompt, wanted.phase, wanted.concurrency)) {
      return static_cast<int64_t>(i);
    }
  }
  meta.legs.push_back(std::move(wanted));
  return std::ssize(meta.legs) - 1;
}

void RunBuilder::only_totals(int64_t leg, std::string_view why) {
  run_.meta.legs[static_cast<size_t>(leg)].skip = why;
}

bool RunBuilder::add(int64_t leg_index, CallRecord record) {
  if (run_.calls.size() >= kMaxImportedCalls) return false;
  RunMeta& meta = run_.meta;
  Leg& leg = meta.legs[static_cast<size_t>(leg_index)];
  record.cell_id = meta.cells[static_cast<size_t>(leg.cell)].id;
  record.prompt_id = meta.prompts[static_cast<size_t>(leg.prompt)].id;
  record.backend = hints_.engine;
  record.phase = leg.phase;
  record.leg = leg_index;
  record.run_idx = leg.calls++;
  record.index = std::ssize(run_.calls);
  record.flags.emplace_back("imported");
  finish_record(record);
  meta.calls.push_back({leg_index, record.run_idx, 0, 0});
  run_.calls.push_back(std::move(record));
  return true;
}

void RunBuilder::report(std::string_view of, std::string_view name, std::string_view unit,
                        std::optional<double> value) {
  if (!value) return;
  auto& reported = run_.meta.imported->reported;
  if (reported.size() >= kMaxReportedFigures) {
    ++left_out_;
    return;
  }
  reported.push_back(
      {printable(of, kMaxText), printable(name, kMaxText), printable(unit, kMaxText), *value});
}

void RunBuilder::define(std::string definition) {
  auto& all = run_.meta.imported->definitions;
  if (std::find(all.begin(), all.end(), definition) == all.end()) {
    all.push_back(std::move(definition));
  }
}

/// As many calls as were in flight at once, where the file states no limit.
void RunBuilder::count_concurrency() {
  auto& legs = run_.meta.legs;
  std::vector<std::vector<std::pair<int64_t, int>>> edges(legs.size());
  for (const CallRecord& r : run_.calls) {
    if (!r.at.sent || !ended(r)) continue;
    auto& of_leg = edges[static_cast<size_t>(r.leg)];
    of_leg.emplace_back(*r.at.sent, 1);
    of_leg.emplace_back(*ended(r), -1);
  }
  for (size_t i = 0; i < legs.size(); ++i) {
    if (legs[i].concurrency != kFromFlight) continue;
    std::sort(edges[i].begin(), edges[i].end());  // At one instant ends come before starts.
    int64_t now = 0;
    int64_t most = 1;
    for (const auto& [at, step] : edges[i]) most = std::max(most, now += step);
    legs[i].concurrency = most;
  }
  for (CallRecord& r : run_.calls) r.concurrency = legs[static_cast<size_t>(r.leg)].concurrency;
}

void RunBuilder::set_wall_time() {
  std::optional<int64_t> last;
  for (const CallRecord& r : run_.calls) {
    if (const auto at = ended(r)) last = std::max(last.value_or(*at), *at);
  }
  if (last) run_.wall_s = static_cast<double>(*last) / 1e9;
}

Result<ImportedRun> RunBuilder::finish() {
  if (run_.calls.empty() && run_.meta.imported->reported.empty()) {
    return fail(Errc::kProtocol, "it holds no request and no figure");
  }
  if (left_out_ > 0) {
    note(fmt::format("{} of the tool's own figures were left out: {} are kept", left_out_,
                     kMaxReportedFigures));
  }
  count_concurrency();
  set_wall_time();
  return std::move(run_);
}

void TokenTimes::add(int64_t delta_ns) {
  // Rounded as a sum, so that errors do not add up.
  at_ns_ += std::max<int64_t>(0, delta_ns);
  const int64_t at_us = (at_ns_ + 500) / 1000;
  append_varint(tokens_, static_cast<uint64_t>(at_us - at_us_));
  append_varint(tokens_, 0);
  at_us_ = at_us;
  ++events_;
}

void set_failed(CallRecord& record, std::string error, std::optional<int64_t> http_status) {
  record.outcome = Outcome::kError;
  record.http_status = http_status;
  const bool refused = http_status && *http_status >= 400 && *http_status < 600;
  record.error_code = refused ? fmt::format("http_{}", *http_status) : "imported";
  record.error = printable(error, kMaxText);
  if (record.error->empty()) record.error = "the tool gives no reason";
}

tl::unexpected<Error> too_many_calls() {
  return fail(Errc::kInvalidArgument,
              fmt::format("it holds more than {} requests", kMaxImportedCalls),
              "split it, and import the parts");
}

}  // namespace assay
