#include "store/events.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/files.h"

namespace assay {
namespace {

constexpr int64_t kMaxTailBytes = 64 << 20;

/// The line before the last line end of `tail`, or nothing when it begins before `tail` does.
std::optional<std::string_view> last_whole_line(std::string_view tail, bool is_whole_file) {
  const size_t end = tail.rfind('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const size_t before = end == 0 ? std::string_view::npos : tail.rfind('\n', end - 1);
  if (before == std::string_view::npos && !is_whole_file) return std::nullopt;
  const size_t start = before == std::string_view::npos ? 0 : before + 1;
  return tail.substr(start, end - start);
}

std::optional<int64_t> sequence_of(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("id") || !json["id"].is_string()) return std::nullopt;
  const auto& id = json["id"].get_ref<const std::string&>();
  const size_t dash = id.rfind('-');
  if (dash == std::string::npos) return std::nullopt;
  int64_t number = 0;
  const char* end = id.data() + id.size();
  const auto [stop, error] = std::from_chars(id.data() + dash + 1, end, number);
  if (error != std::errc() || stop != end || number < 1) return std::nullopt;
  return number;
}

}  // namespace

EventLines::EventLines(std::string run_id, int64_t last_seq)
    : run_id_(std::move(run_id)), last_seq_(last_seq) {}

std::string EventLines::next(std::string_view event, std::string_view data_json) {
  ++last_seq_;
  std::string line =
      fmt::format(R"({{"id":"{}","event":{},"data":{}}})", last_id(), nlohmann::json(event).dump(),
                  data_json.empty() ? "{}" : data_json);
  // A line end inside JSON text can only be white space between its parts.
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::string EventLines::last_id() const { return fmt::format("{}-{}", run_id_, last_seq_); }

Result<int64_t> last_event_seq(const std::filesystem::path& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT) return 0;
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) {
    return fail(Errc::kIo, fmt::format("cannot read {}: {}", path.string(), errno_text(errno)));
  }
  const int64_t size = status.st_size;
  std::string tail;
  for (int64_t want = 1 << 16;; want *= 4) {
    const int64_t take = std::min(want, size);
    tail.resize(static_cast<size_t>(take));
    const ssize_t got = ::pread(file.get(), tail.data(), tail.size(), size - take);
    if (got != take) return fail(Errc::kIo, fmt::format("cannot read {}", path.string()));
    if (const auto line = last_whole_line(tail, take == size)) {
      const auto number = sequence_of(*line);
      if (number) return *number;
      return fail(Errc::kProtocol,
                  fmt::format("the last line of {} has no event number", path.string()));
    }
    if (take == size) return 0;
    if (take >= kMaxTailBytes) {
      return fail(Errc::kProtocol, fmt::format("the last line of {} is longer than {} bytes",
                                               path.string(), kMaxTailBytes));
    }
  }
}

}  // namespace assay
