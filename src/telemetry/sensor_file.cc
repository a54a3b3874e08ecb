#include "telemetry/sensor_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "base/files.h"

namespace assay {
namespace {

constexpr std::string_view kWhite = " \t\n\r";

}  // namespace

std::optional<std::string> sensor_text(const std::filesystem::path& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return std::nullopt;
  std::string text;
  std::array<char, 8192> block;
  while (text.size() < kMaxSensorBytes) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    text.append(block.data(), static_cast<size_t>(got));
  }
  return text;
}

std::optional<double> number_in(std::string_view text) {
  const size_t begin = text.find_first_not_of(kWhite);
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !(value > -1e18 && value < 1e18)) return std::nullopt;
  return value;
}

std::optional<double> sensor_number(const std::filesystem::path& path) {
  const auto text = sensor_text(path);
  return text ? number_in(*text) : std::nullopt;
}

std::optional<double> number_after(std::string_view text, std::string_view key) {
  for (size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
    const bool begins_line = at == 0 || text[at - 1] == '\n';
    std::string_view rest = text.substr(at + key.size());
    const bool ends_word = !rest.empty() && (rest[0] == ':' || rest[0] == ' ' || rest[0] == '\t');
    if (!begins_line || !ends_word) continue;
    rest = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(": \t")));
    return number_in(rest);
  }
  return std::nullopt;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t at = line.find_first_not_of(kWhite); at != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(kWhite, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kWhite, end);
  }
  return words;
}

std::vector<std::filesystem::path> numbered(const std::filesystem::path& directory,
                                            std::string_view prefix, size_t most) {
  std::vector<std::pair<int, std::filesystem::path>> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.rfind(prefix, 0) != 0 || name.size() == prefix.size()) continue;
    int number = 0;
    const char* last = name.data() + name.size();
    const auto [stop, fault] = std::from_chars(name.data() + prefix.size(), last, number);
    if (fault == std::errc() && stop == last) found.emplace_back(number, entry->path());
  }
  std::sort(found.begin(), found.end());
  std::vector<std::filesystem::path> paths;
  for (auto& [number, path] : found) {
    if (paths.size() == most) break;
    paths.push_back(std::move(path));
  }
  return paths;
}

std::optional<double> rate_of(std::optional<double> before, std::optional<double> now,
                              double seconds) {
  if (!before || !now || !(seconds > 0) || *now < *before) return std::nullopt;
  return (*now - *before) / seconds;
}

std::optional<double> scaled(std::optional<double> value, double factor) {
  if (!value) return std::nullopt;
  return *value * factor;
}

}  // namespace assay
