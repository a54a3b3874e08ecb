#include "supervise/engine_log.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"

namespace assay {
namespace {

/// A number at the start of the text; white space may come before it.
std::optional<double> leading_number(std::string_view text) {
  text = trim(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0 || value > 1e15) return std::nullopt;
  return value;
}

}  // namespace

void EngineLog::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (line_.size() < kMaxLineBytes) line_ += part.substr(0, kMaxLineBytes - line_.size());
    if (end == std::string_view::npos) return;
    read_line(line_);
    line_.clear();
    bytes.remove_prefix(end + 1);
  }
}

bool EngineLog::take_ready() { return std::exchange(ready_, false); }

const std::string& EngineLog::telling_line() const {
  return failure_line_.empty() ? last_line_ : failure_line_;
}

void EngineLog::read_line(std::string_view line) {
  if (trim(line).empty()) return;
  last_line_ = line;
  const std::string lower = to_lower(line);
  // What was found before stands, unless this weighs more.
  const auto open = tables_.failures.first(std::min(weight_, tables_.failures.size()));
  for (size_t i = 0; i < open.size(); ++i) {
    if (lower.find(open[i].text) == std::string::npos) continue;
    weight_ = i;
    failure_ = open[i].means;
    failure_line_ = line;
    break;
  }
  for (const std::string_view text : tables_.port_taken) {
    port_taken_ |= lower.find(text) != std::string::npos;
  }
  for (const LogFact& fact : tables_.facts) take_fact(fact, line);
  for (const std::string_view marker : tables_.ready) {
    ready_ |= line.find(marker) != std::string_view::npos;
  }
}

void EngineLog::take_fact(const LogFact& fact, std::string_view line) {
  const size_t at = line.find(fact.marker);
  if (at == std::string_view::npos) return;
  const auto number =
      fact.fixed ? fact.fixed : leading_number(line.substr(at + fact.marker.size()));
  if (!number) return;
  const auto whole = static_cast<int64_t>(*number);
  switch (fact.of) {
    case LogFact::Of::kThreads:
      threads = whole;
      break;
    case LogFact::Of::kContextLength:
      context_length = whole;
      break;
    case LogFact::Of::kGpuLayers:
      gpu_layers = whole;
      break;
    case LogFact::Of::kLoadMs:
      load_ms = number;
      break;
  }
}

}  // namespace assay
