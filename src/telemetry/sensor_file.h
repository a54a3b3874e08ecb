#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// The files of /proc and /sys, which are small, made anew by each reading, and often not there.

/// The whole file, at most kMaxSensorBytes of it; absent when it cannot be read.
std::optional<std::string> sensor_text(const std::filesystem::path& path);
inline constexpr size_t kMaxSensorBytes = 1 << 20;

/// The number that the file begins with.
std::optional<double> sensor_number(const std::filesystem::path& path);

/// The number that the text begins with, white space before it skipped.
std::optional<double> number_in(std::string_view text);

/// The number behind `key` in lines such as `MemFree:  12 kB` or `nr_throttled 3`.
std::optional<double> number_after(std::string_view text, std::string_view key);

/// The words of a line.
std::vector<std::string_view> words_of(std::string_view line);

/// The entries of a directory whose name is `prefix` and a number, by number. At most `most`.
std::vector<std::filesystem::path> numbered(const std::filesystem::path& directory,
                                            std::string_view prefix, size_t most = 1024);

/// `now - before` a second; absent when one is, time stands still or the counter ran backwards.
std::optional<double> rate_of(std::optional<double> before, std::optional<double> now,
                              double seconds);

/// `value * factor`, absent when it is.
std::optional<double> scaled(std::optional<double> value, double factor);

}  // namespace assay
