#include "stats/gap_store.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "base/varint.h"

namespace assay {
namespace {

constexpr double kStep = 1.01;
constexpr double kLeastMs = 1e-3;   // A microsecond: what gaps are told in.
constexpr size_t kBuckets = 2'800;  // Up to 11 days, the longest gap that is taken.

size_t bucket_of(double ms) {
  if (ms < kLeastMs) return 0;
  const auto bucket = static_cast<size_t>(std::log(ms / kLeastMs) / std::log(kStep)) + 1;
  return std::min(bucket, kBuckets - 1);
}

/// Where a bucket begins, milliseconds; it ends where the next begins.
double begin_of(size_t bucket) {
  return bucket == 0 ? 0 : kLeastMs * std::pow(kStep, static_cast<double>(bucket - 1));
}

}  // namespace

void GapStore::add(std::span<const double> ms) {
  numbers_.push_back(static_cast<uint32_t>(ms.size()));
  sums_.push_back(std::accumulate(ms.begin(), ms.end(), 0.0));
  for (const double gap : ms) {
    least_ = gaps_ == 0 ? gap : std::min(least_, gap);
    most_ = gaps_ == 0 ? gap : std::max(most_, gap);
    ++gaps_;
    if (counted()) {
      count(gap);
    } else {
      append_varint(microseconds_, static_cast<uint64_t>(std::llround(gap * 1e3)));
    }
  }
  if (!counted() && gaps_ > kMaxExactGaps) start_counting();
}

void GapStore::count(double ms) { ++histogram_[bucket_of(ms)]; }

void GapStore::start_counting() {
  histogram_.assign(kBuckets, 0);
  std::string_view rest = microseconds_;
  while (!rest.empty()) count(static_cast<double>(take_varint(rest).value_or(0)) / 1e3);
  std::string().swap(microseconds_);
}

std::vector<std::vector<double>> GapStore::clusters() const {
  std::vector<std::vector<double>> all(numbers_.size());
  std::string_view rest = microseconds_;
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].reserve(numbers_[i]);
    for (uint32_t gap = 0; gap < numbers_[i]; ++gap) {
      all[i].push_back(static_cast<double>(take_varint(rest).value_or(0)) / 1e3);
    }
  }
  return all;
}

std::vector<derive::Ratio> GapStore::parts(std::span<const uint32_t> order) const {
  std::vector<derive::Ratio> parts;
  for (const uint32_t i : order) {
    if (numbers_[i] > 0) parts.push_back({sums_[i], static_cast<double>(numbers_[i])});
  }
  return parts;
}

double GapStore::percentile(double share) const {
  const double rank = share * static_cast<double>(gaps_ - 1);
  double before = 0;
  for (size_t bucket = 0; bucket < histogram_.size(); ++bucket) {
    const auto here = static_cast<double>(histogram_[bucket]);
    if (here > 0 && rank < before + here) {
      const double inside = (rank - before + 0.5) / here;
      const double begin = begin_of(bucket);
      const double value = begin + inside * (begin_of(bucket + 1) - begin);
      return std::clamp(value, least_, most_);
    }
    before += here;
  }
  return most_;
}

Summary GapStore::summarise(std::span<const uint32_t> order) const {
  if (counted()) {
    return summarise_counted(
        {gaps_, least_, most_, [&](double share) { return percentile(share); }}, parts(order));
  }
  std::vector<std::vector<double>> unordered = clusters();
  std::vector<std::vector<double>> ordered;
  ordered.reserve(order.size());
  for (const uint32_t i : order) ordered.push_back(std::move(unordered[i]));
  return summarise_pooled(ordered);
}

}  // namespace assay
