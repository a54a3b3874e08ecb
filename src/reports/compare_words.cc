#include "reports/compare_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "reports/tables.h"

namespace assay {
namespace {

constexpr size_t kIdPrefix = 8;
constexpr size_t kMaxDiffering = 16;
constexpr std::array kVerdicts{Verdict::kBetter, Verdict::kWorse, Verdict::kSame,
                               Verdict::kUnclear};

/// `TTFT fresh +20.0 % (95 % interval +18.0 … +21.0 %)`.
std::string change_text(const ComparedMetric& row) {
  return fmt::format("{} {} (95 % interval {} %)", row_label(row),
                     percent_text(row.now / row.base - 1), change_interval_text(row.difference));
}

/// The gate rows with a verdict, joined; what is unclear says what would settle it.
std::string rows_text(const ComparedCell& cell, Verdict verdict, std::string_view title) {
  std::vector<std::string> parts;
  for (const ComparedMetric& row : cell.metrics) {
    if (!row.gate || !row.difference || row.verdict != verdict) continue;
    parts.push_back(change_text(row));
    if (!row.more) continue;
    parts.back() += fmt::format(", about {} more repetitions a side would settle it", *row.more);
  }
  return parts.empty() ? std::string() : fmt::format("{}: {}.", title, join(parts, "; "));
}

bool has(const ComparedCell& cell, Verdict verdict) {
  return std::any_of(cell.metrics.begin(), cell.metrics.end(), [&](const ComparedMetric& row) {
    return row.gate && row.difference && row.verdict == verdict;
  });
}

/// `who`: `the new run`, `this variant`.
std::string claim_of(CellVerdict verdict, std::string_view who) {
  switch (verdict) {
    case CellVerdict::kBetter:
    case CellVerdict::kWorse:
      return fmt::format("{} is {}.", who, to_text(verdict));
    case CellVerdict::kMixed:
      return fmt::format("{} is better in one respect and worse in another.", who);
    case CellVerdict::kSame:
      return fmt::format("{} is the same as the base.", who);
    case CellVerdict::kUnclear:
      return fmt::format("whether {} is better is unclear.", who);
    case CellVerdict::kTooFew:
      return fmt::format("there are too few calls to say whether {} is better.", who);
    case CellVerdict::kNotComparable:
      return "cannot be compared.";
  }
  return "";
}

}  // namespace

std::string_view verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBetter:
      return "▲ better";
    case Verdict::kWorse:
      return "▼ worse";
    case Verdict::kSame:
      return "= same";
    case Verdict::kUnclear:
      return "? unclear";
  }
  return "";
}

std::string_view verdict_text(const ComparedMetric& row) {
  return row.difference ? verdict_text(row.verdict) : "? few calls";
}

std::string row_label(const ComparedMetric& row) {
  std::string label(row.metric->label);
  if (row.prefix && *row.prefix != Prefix::kUnknown) {
    label += fmt::format(" {}", to_text(*row.prefix));
  }
  if (row.concurrency > 1) label += fmt::format(" c{}", row.concurrency);
  return label;
}

std::string change_interval_text(const std::optional<Difference>& difference) {
  if (!difference) return "-";
  const Interval ci = difference->ci95();
  const auto end = [](double share) {
    if (std::fabs(share) >= 9.995) return fmt::format("{:+.0f}", share * 100);
    const double percent = std::round(1000 * share) / 10;
    return percent == 0 ? std::string("0.0") : fmt::format("{:+.1f}", percent);
  };
  return fmt::format("{} … {}", end(ci.low), end(ci.high));
}

std::string rate_text(const SuccessRate& rate) {
  const auto share = rate.share();
  return share ? fmt::format("{:.3f}", *share) : "-";
}

std::string counts_text(const RunComparison& comparison) {
  std::vector<std::string> parts;
  for (const Verdict verdict : kVerdicts) {
    parts.push_back(fmt::format("{} {}", comparison.count(verdict), to_text(verdict)));
  }
  std::string text = join(parts, ", ");
  int64_t more = 0;
  for (const ComparedCell& cell : comparison.cells) {
    for (const ComparedMetric& row : cell.metrics) more = std::max(more, row.more.value_or(0));
  }
  if (more > 0) text += fmt::format(" (about {} more repetitions would settle it)", more);
  return text;
}

std::string some_of(std::vector<std::string> items, size_t most) {
  if (items.size() > most) {
    const size_t rest = items.size() - most;
    items.resize(most);
    items.push_back(fmt::format("{} more", rest));
  }
  return join(items, ", ");
}

std::string differs_text(const ComparisonReport& report) {
  std::vector<std::string> differs;
  for (const SettingChange& change : report.comparison.differs) {
    differs.push_back(fmt::format("{} {} -> {}", change.name, change.base, change.now));
  }
  return differs.empty() ? "differs: nothing that the runs state"
                         : "differs: " + some_of(std::move(differs), kMaxDiffering);
}

std::string cell_label(const ComparisonReport& report, const ComparedCell& cell) {
  const auto among = [](const RunMeta& meta, const std::string& id) {
    for (size_t i = 0; i < meta.cells.size(); ++i) {
      if (meta.cells[i].id != id) continue;
      return meta.cells[i].variant.empty() ? cell_labels(meta)[i] : meta.cells[i].variant;
    }
    return id;
  };
  return cell.new_id.empty() ? among(report.base, cell.base_id) : among(report.now, cell.new_id);
}

std::string base_label(const ComparisonReport& report) {
  const std::string id = report.base.run_id.substr(0, kIdPrefix);
  return report.base_name.empty() ? id : fmt::format("{} ({})", id, report.base_name);
}

std::string new_label(const ComparisonReport& report) {
  return report.now.run_id.substr(0, kIdPrefix);
}

CellVerdict cell_verdict(const ComparedCell& cell) {
  if (!cell.not_comparable.empty()) return CellVerdict::kNotComparable;
  const bool better = has(cell, Verdict::kBetter);
  const bool worse = has(cell, Verdict::kWorse);
  if (better && worse) return CellVerdict::kMixed;
  if (better) return CellVerdict::kBetter;
  if (worse) return CellVerdict::kWorse;
  if (has(cell, Verdict::kUnclear)) return CellVerdict::kUnclear;
  return has(cell, Verdict::kSame) ? CellVerdict::kSame : CellVerdict::kTooFew;
}

std::string cell_claim(const ComparisonReport& report, const ComparedCell& cell) {
  const std::string label = cell_label(report, cell);
  if (!cell.not_comparable.empty()) {
    return fmt::format("{} cannot be compared: {}.", label, cell.not_comparable);
  }
  return fmt::format(
      "{}: {}", label,
      claim_of(cell_verdict(cell), cell.interleaved ? "this variant" : "the new run"));
}

std::string cell_reasons(const ComparedCell& cell) {
  // What decides comes first.
  constexpr std::array<std::pair<Verdict, std::string_view>, 4> kOrder{
      {{Verdict::kWorse, "Worse"},
       {Verdict::kBetter, "Better"},
       {Verdict::kUnclear, "Unclear"},
       {Verdict::kSame, "Same"}}};
  std::vector<std::string> parts;
  for (const auto& [verdict, title] : kOrder) {
    std::string rows = rows_text(cell, verdict, title);
    if (!rows.empty()) parts.push_back(std::move(rows));
  }
  return join(parts, " ");
}

std::string detectable_text(const ComparedCell& cell) {
  for (const ComparedMetric& row : cell.metrics) {
    if (row.metric->name != "decode_tps" || row.detectable <= 0) continue;
    return fmt::format(
        "smallest change of the output speed that this comparison finds in 9 of 10: {:.1f} %",
        row.detectable * 100);
  }
  return {};
}

bool of_one_run(const ComparisonReport& report) {
  const auto& cells = report.comparison.cells;
  return std::any_of(cells.begin(), cells.end(), [](const auto& cell) { return cell.interleaved; });
}

std::string scope_text(const ComparedCell& cell) {
  const bool has_floor = std::any_of(cell.metrics.begin(), cell.metrics.end(),
                                     [](const auto& row) { return row.noise_floor.has_value(); });
  // One loaded model, asked in turn: there is nothing else between the sides.
  if (cell.by_restart || has_floor || cell.shared_load) return {};
  if (cell.imported) {
    return "within-run only: how far two tools lie apart on identical runs is unknown";
  }
  if (cell.interleaved) {
    return "within-run only: each variant was loaded once, and loads of one model differ; "
           "--restarts 3 tells by how much";
  }
  return "within-run only: how far identical runs lie apart here is unknown, and a run's own "
         "interval is narrower than that; --restarts 3 on both runs or 'assay doctor --noise' "
         "tells";
}

}  // namespace assay
