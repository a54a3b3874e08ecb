#include "importers/fields.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kMaxSeconds = 100.0 * 366 * 86400;
const Json kNothing;

std::string member_place(const std::string& place, std::string_view name) {
  return place.empty() ? fmt::format("'{}'", name) : fmt::format("{}, '{}'", place, name);
}

}  // namespace

void Faults::add(std::string_view place, std::string_view what) {
  if (any()) return;
  first_ = place.empty() ? std::string(what) : fmt::format("{}: {}", place, what);
}

Error Faults::error() const { return Error(Errc::kProtocol, first_); }

Fields::Fields(const Json& json, std::string place, Faults& faults)
    : json_(&json), place_(std::move(place)), faults_(&faults) {
  if (!json.is_object() && !json.is_null()) faults.add(place_, "it is no JSON object");
  if (!json.is_object()) json_ = &kNothing;
}

const Json* Fields::find(std::string_view name) const {
  if (!json_->is_object()) return nullptr;
  const auto found = json_->find(name);
  return found == json_->end() || found->is_null() ? nullptr : &*found;
}

bool Fields::has(std::string_view name) const { return find(name) != nullptr; }

void Fields::fault(std::string_view name, std::string_view what) const {
  faults_->add(member_place(place_, name), what);
}

std::optional<double> Fields::number(std::string_view name) const {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    const double number = value->get<double>();
    if (std::isfinite(number) && std::fabs(number) <= kMaxNumber) return number;
  }
  fault(name, "it is no number that could be measured");
  return std::nullopt;
}

std::optional<int64_t> Fields::count(std::string_view name) const {
  const auto value = number(name);
  if (!value) return std::nullopt;
  if (*value >= 0 && *value == std::floor(*value)) return static_cast<int64_t>(*value);
  fault(name, "it is no whole number from 0 on");
  return std::nullopt;
}

std::string Fields::text(std::string_view name) const {
  const Json* value = find(name);
  if (value == nullptr) return {};
  if (value->is_string()) return value->get<std::string>();
  fault(name, "it is no text");
  return {};
}

std::string Fields::text_if_text(std::string_view name) const {
  const Json* value = find(name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

bool Fields::is(std::string_view name) const {
  const Json* value = find(name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

Fields Fields::object(std::string_view name) const {
  const Json* value = find(name);
  return {value == nullptr ? kNothing : *value, member_place(place_, name), *faults_};
}

const Json* Fields::list(std::string_view name) const {
  const Json* value = find(name);
  if (value == nullptr || value->is_array()) return value;
  fault(name, "it is no list");
  return nullptr;
}

std::optional<double> number_at(const Json& list, size_t index, const std::string& place,
                                Faults& faults) {
  const Json& value = list[index];
  if (value.is_number()) {
    const double number = value.get<double>();
    if (std::isfinite(number) && std::fabs(number) <= kMaxNumber) return number;
  }
  faults.add(fmt::format("{}[{}]", place, index), "it is no number that could be measured");
  return std::nullopt;
}

std::optional<int64_t> nanos_of_seconds(std::optional<double> seconds) {
  if (!seconds || !std::isfinite(*seconds) || std::fabs(*seconds) > kMaxSeconds) {
    return std::nullopt;
  }
  return std::llround(*seconds * 1e9);
}

std::optional<int64_t> nanos_of_utc(std::string_view text) {
  const std::string whole(text);
  std::tm time{};
  const char* rest = ::strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
  if (rest == nullptr) return std::nullopt;
  double fraction = 0;
  if (*rest == '.') {
    char* end = nullptr;
    fraction = std::strtod(rest, &end);
    rest = end;
  }
  const std::string_view zone(rest);
  if (!zone.empty() && zone != "Z" && zone != "+00:00") return std::nullopt;
  return int64_t{::timegm(&time)} * 1'000'000'000 + std::llround(fraction * 1e9);
}

}  // namespace assay
