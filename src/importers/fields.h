#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay {

/// The first thing that is wrong with a foreign file, with its place.
class Faults {
 public:
  /// Later ones are dropped.
  void add(std::string_view place, std::string_view what);
  [[nodiscard]] bool any() const { return !first_.empty(); }
  /// kProtocol with the first fault. Only when any().
  [[nodiscard]] Error error() const;

 private:
  std::string first_;
};

/// Members of one JSON object. A member that is missing or null is absent; one of another type is a
/// fault that names its place. `json` and `faults` outlive it.
class Fields {
 public:
  /// Anything but an object is a fault and has no members.
  Fields(const nlohmann::ordered_json& json, std::string place, Faults& faults);

  /// Finite, and of at most kMaxNumber.
  [[nodiscard]] std::optional<double> number(std::string_view name) const;
  /// A whole number from 0 to kMaxNumber.
  [[nodiscard]] std::optional<int64_t> count(std::string_view name) const;
  /// Empty when absent.
  [[nodiscard]] std::string text(std::string_view name) const;
  /// The same where versions of the tool differ in what stands there: no fault.
  [[nodiscard]] std::string text_if_text(std::string_view name) const;
  [[nodiscard]] bool is(std::string_view name) const;  ///< A member that is `true`.
  /// The object in it; one without members when absent.
  [[nodiscard]] Fields object(std::string_view name) const;
  /// Null when absent.
  [[nodiscard]] const nlohmann::ordered_json* list(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;

  /// Says that a member without which nothing can be made is missing or makes no sense.
  void fault(std::string_view name, std::string_view what) const;
  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  [[nodiscard]] const nlohmann::ordered_json* find(std::string_view name) const;

  const nlohmann::ordered_json* json_;
  std::string place_;
  Faults* faults_;
};

/// What no count, nanosecond or byte of a benchmark exceeds, and doubles hold exactly.
inline constexpr double kMaxNumber = 9e15;

/// An entry of a list of numbers; a fault unless it is one, finite and of at most kMaxNumber.
std::optional<double> number_at(const nlohmann::ordered_json& list, size_t index,
                                const std::string& place, Faults& faults);

/// Nanoseconds of a duration, absent beyond 100 years: a damaged file cannot overflow an instant.
std::optional<int64_t> nanos_of_seconds(std::optional<double> seconds);

/// Nanoseconds since the Unix epoch of `2026-01-31T12:00:00`, with or without a fraction, and `Z`
/// or `+00:00` behind it. Absent for anything else, a time of another zone too.
std::optional<int64_t> nanos_of_utc(std::string_view text);

}  // namespace assay
