#include "stats/ceiling.h"

namespace assay {
namespace {

const Cell* cell_of(const RunMeta& meta, const LegResult& leg) {
  if (leg.cell < 0 || leg.cell >= static_cast<int64_t>(meta.cells.size())) return nullptr;
  return &meta.cells[static_cast<size_t>(leg.cell)];
}

std::optional<double> mean_of(const LegResult& leg, std::string_view metric) {
  const MetricResult* found = leg.find(metric);
  return found != nullptr ? found->summary.mean : std::nullopt;
}

}  // namespace

std::optional<CeilingShare> decode_ceiling(const RunMeta& meta, const LegResult& leg) {
  const Cell* cell = cell_of(meta, leg);
  const auto& machine = meta.instrument.machine;
  const auto speed = mean_of(leg, "decode_tps");
  if (cell == nullptr || !cell->token_cost || !machine || !speed || leg.concurrency > 1) return {};
  if (machine->bytes_per_sec <= 0) return {};
  const double bytes = cell->token_cost->weight_bytes +
                       cell->token_cost->context_bytes * leg.prompt_tokens.value_or(0);
  return CeilingShare{*speed * bytes / machine->bytes_per_sec, "bandwidth"};
}

std::optional<CeilingShare> prefill_ceiling(const RunMeta& meta, const LegResult& leg) {
  const Cell* cell = cell_of(meta, leg);
  const auto& machine = meta.instrument.machine;
  if (cell == nullptr || !cell->token_cost || !machine || leg.prefix != Prefix::kFresh) return {};
  const auto speed = mean_of(leg, "prefill_tps");
  if (!speed || machine->operations_per_sec <= 0) return {};
  return CeilingShare{*speed * cell->token_cost->operations / machine->operations_per_sec,
                      "compute"};
}

}  // namespace assay
