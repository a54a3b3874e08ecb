#include "stats/censored.h"

#include <algorithm>
#include <vector>

#include "stats/percentiles.h"

namespace assay {
namespace {

/// Values that answered, sorted, then the limits of those that failed.
struct Ranked {
  std::vector<double> values;
  size_t answered = 0;
};

Ranked rank(std::span<const double> answered, std::span<const double> limits) {
  Ranked ranked{{answered.begin(), answered.end()}, answered.size()};
  std::sort(ranked.values.begin(), ranked.values.end());
  const double slowest = ranked.values.empty() ? 0 : ranked.values.back();
  for (const double limit : limits) ranked.values.push_back(std::max(limit, slowest));
  std::sort(ranked.values.begin() + static_cast<std::ptrdiff_t>(ranked.answered),
            ranked.values.end());
  return ranked;
}

std::optional<Censored> at(const Ranked& ranked, double share) {
  const auto value = percentile(ranked.values, share);
  if (!value) return std::nullopt;
  const double position = share * static_cast<double>(ranked.values.size() - 1);
  // Rounding must not make a rank of a whole number touch the next call.
  return Censored{*value, position > static_cast<double>(ranked.answered) - 1 + 1e-9};
}

}  // namespace

std::optional<Censored> censored_percentile(std::span<const double> answered,
                                            std::span<const double> limits, double share) {
  return at(rank(answered, limits), share);
}

CensoredPercentiles censored_percentiles(std::span<const double> answered,
                                         std::span<const double> limits) {
  const Ranked ranked = rank(answered, limits);
  return {at(ranked, 0.50), at(ranked, 0.90), at(ranked, 0.95), at(ranked, 0.99)};
}

}  // namespace assay
