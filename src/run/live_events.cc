#include "run/live_events.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "model/heat.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kTextEveryNs = 50'000'000;       // 20 a second.
constexpr int64_t kProgressEveryNs = 500'000'000;  // 2 a second.
constexpr size_t kMaxPiece = 64 << 10;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

LiveEvents::LiveEvents(EventLines lines, std::function<void(std::string)> write)
    : lines_(std::move(lines)), write_(std::move(write)) {}

void LiveEvents::emit(std::string_view event, const std::string& data_json) {
  write_(lines_.next(event, data_json));
}

void LiveEvents::Progress::add(const CallRecord& final_record) {
  ++done;
  if (final_record.outcome == Outcome::kOk) {
    ++ok;
  } else if (final_record.outcome == Outcome::kSkipped) {
    ++skipped;
  } else {
    ++failed;
  }
}

void LiveEvents::Progress::estimate_end(int64_t before, int64_t elapsed_ns) {
  const int64_t here = done - before;
  if (here < 2) return;
  const double each = static_cast<double>(elapsed_ns) / 1e9 / static_cast<double>(here);
  eta_s = each * static_cast<double>(total - done);
}

void LiveEvents::run_state(std::string_view state, const RunMeta& meta) {
  emit("run", dump({{"run_id", meta.run_id},
                    {"state", state},
                    {"suite", meta.suite},
                    {"cells", meta.cells.size()},
                    {"calls", meta.calls.size()}}));
}

void LiveEvents::cell_state(const Cell& cell, std::string_view state) {
  emit("model", dump({{"cell_id", cell.id}, {"model", cell.model}, {"state", state}}));
}

void LiveEvents::suite_state(const RunMeta& meta, std::string_view state) {
  emit("suite", dump({{"suite", meta.suite}, {"revision", meta.suite_rev}, {"state", state}}));
}

void LiveEvents::stage(std::string_view name, int64_t index, int64_t attempt) {
  emit("stage", dump({{"stage", name}, {"index", index}, {"attempt", attempt}}));
}

void LiveEvents::call_started(const PlannedCall& call, int64_t index, int64_t attempt) {
  if (followed_ < 0) {
    followed_ = index;
    followed_attempt_ = attempt;
    followed_visible_ = followed_thinking_ = false;
    offset_ = 0;
    text_.clear();
  }
  emit("stage", dump({{"stage", "sent"},
                      {"index", index},
                      {"attempt", attempt},
                      {"leg", call.leg},
                      {"run_idx", call.run_idx}}));
}

void LiveEvents::live(const LiveEvent& event) {
  ++text_events_;
  if (event.index != followed_) return;
  const bool visible = event.kind == LiveEvent::Kind::kText;
  if (!visible && !followed_thinking_) {
    followed_thinking_ = true;
    stage("thinking", followed_, followed_attempt_);
  }
  if (visible && !followed_visible_) {
    followed_visible_ = true;
    stage("streaming", followed_, followed_attempt_);
  }
  if (!visible) return;
  if (text_.size() < kMaxPiece) text_ += event.text;
  if (mono_now_ns() - text_written_ >= kTextEveryNs) flush_text();
}

void LiveEvents::flush_text() {
  if (text_.empty()) return;
  emit("token", dump({{"index", followed_}, {"offset", offset_}, {"text", text_}}));
  offset_ += static_cast<int64_t>(text_.size());
  text_.clear();
  text_written_ = mono_now_ns();
}

void LiveEvents::call_done(const CallRecord& record) {
  if (record.index == followed_) {
    flush_text();
    stage("done", record.index, record.attempt);
    followed_ = -1;
  }
  Json data{{"index", record.index},
            {"attempt", record.attempt},
            {"final", record.final},
            {"state", to_text(record.outcome)},
            {"error_code", or_null(record.error_code)},
            {"ttft_ms", nullptr},
            {"tokens_per_sec", or_null(record.tokens_per_sec)}};
  if (record.at.first_text && record.at.sent) {
    data["ttft_ms"] = static_cast<double>(*record.at.first_text - *record.at.sent) / 1e6;
  }
  emit("item", dump(data));
}

void LiveEvents::telemetry(const TelemetrySample& sample, double wall_s) {
  std::optional<double> disk_mb;
  if (sample.disk_read_bytes_per_s && sample.disk_write_bytes_per_s) {
    disk_mb = (*sample.disk_read_bytes_per_s + *sample.disk_write_bytes_per_s) / 1e6;
  }
  // Of several cards the busiest, of several sensors the hottest.
  std::optional<double> gpu;
  for (const GpuSample& card : sample.gpus) {
    if (card.percent) gpu = std::max(gpu.value_or(0), *card.percent);
  }
  std::optional<double> temperature;
  if (const auto hottest = hottest_of(sample)) temperature = hottest->celsius;
  emit("telemetry", dump({{"t", wall_s},
                          {"tps", take_text_events()},
                          {"fd", or_null(sample.open_files)},
                          {"cpu", or_null(sample.cpu_percent)},
                          {"disk", or_null(disk_mb)},
                          {"gpu", or_null(gpu)},
                          {"temp", or_null(temperature)}}));
}

void LiveEvents::progress(const Progress& p) {
  if (p.done < p.total && mono_now_ns() - progress_written_ < kProgressEveryNs) return;
  progress_written_ = mono_now_ns();
  emit("progress", dump({{"done", p.done},
                         {"total", p.total},
                         {"ok", p.ok},
                         {"ko", p.failed},
                         {"other", p.skipped},
                         {"eta_s", or_null(p.eta_s)},
                         {"model_index", p.cell},
                         {"models_total", p.cells}}));
}

void LiveEvents::cooling(std::string_view words) {
  if (std::exchange(cooling_, !words.empty()) == !words.empty()) return;
  emit("stage", dump({{"stage", words.empty() ? "cooled" : "cooling"}, {"detail", words}}));
}

void LiveEvents::alert(std::string_view code, std::string_view message) {
  emit("alert", dump({{"code", code}, {"message", message}}));
}

void LiveEvents::end(std::string_view state) { emit("end", dump({{"state", state}})); }

int64_t LiveEvents::take_text_events() { return std::exchange(text_events_, 0); }

}  // namespace assay
