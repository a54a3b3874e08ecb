#include "store/ledger_scan.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/files.h"
#include "model/cell_load.h"
#include "model/json.h"

namespace assay {
namespace {

constexpr size_t kReadBytes = 256 << 10;     // Small: most ledgers are.
constexpr size_t kMaxLineBytes = 256 << 20;  // A meta line carries every prompt of its suite.
constexpr size_t kMaxDamagedTold = 100;

struct Line {
  std::string_view text;  ///< Without the line end; valid until the next next().
  int64_t offset = 0;
  int64_t number = 0;
  bool ended = true;
};

/// Lines of a file through one buffer. Read rather than mapped: the writer may cut the file back
/// while it is read, and touching a mapped page beyond the end kills the process.
class LineReader {
 public:
  LineReader(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  /// Empty at the end of the file.
  Result<std::optional<Line>> next() {
    size_t searched = 0;
    for (;;) {
      const std::string_view rest = std::string_view(buffer_).substr(start_, end_ - start_);
      const size_t found = rest.find('\n', searched);
      if (found != std::string_view::npos) return take(rest.substr(0, found), found + 1, true);
      if (at_end_ && rest.empty()) return std::nullopt;
      if (at_end_) return take(rest, rest.size(), false);
      if (rest.size() > kMaxLineBytes) {
        return fail(Errc::kProtocol, fmt::format("line {} of {} is longer than {} bytes",
                                                 number_ + 1, path_, kMaxLineBytes));
      }
      searched = rest.size();
      if (auto more = fill(); !more) return fail(more.error());
    }
  }

 private:
  Line take(std::string_view text, size_t used, bool ended) {
    const Line line{text, offset_, ++number_, ended};
    start_ += used;
    offset_ += static_cast<int64_t>(used);
    return line;
  }

  Result<void> fill() {
    if (start_ > 0) {
      buffer_.erase(0, start_);
      end_ -= start_;
      start_ = 0;
    }
    if (buffer_.size() < end_ + kReadBytes) buffer_.resize(end_ + kReadBytes);
    const ssize_t got = ::read(fd_, buffer_.data() + end_, buffer_.size() - end_);
    if (got < 0 && errno == EINTR) return {};
    if (got < 0) {
      return fail(Errc::kIo, fmt::format("cannot read {}: {}", path_, errno_text(errno)));
    }
    end_ += static_cast<size_t>(got);
    at_end_ = got == 0;
    return {};
  }

  int fd_;
  std::string path_;
  std::string buffer_;
  size_t start_ = 0;  ///< Of the unread bytes in buffer_.
  size_t end_ = 0;
  int64_t offset_ = 0;  ///< Of start_ in the file.
  int64_t number_ = 0;
  bool at_end_ = false;
};

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

/// Tells second final records of one planned call.
class FinalRecords {
 public:
  /// False when the call has a final record already.
  bool first(const CallRecord& r, size_t planned) {
    if (!r.final) return true;
    if (planned > 0 && r.index >= 0 && r.phase != Phase::kSkipped) {
      const auto index = static_cast<size_t>(r.index);
      if (index >= planned) return beyond_.insert(r.index).second;
      // A bit each: a plan may hold a million calls.
      seen_.resize(planned);
      const bool is_first = !seen_[index];
      seen_[index] = true;
      return is_first;
    }
    // Skipped cells, calls beside the plan, and ledgers of other writers, do not number their calls
    // by a plan.
    return names_
        .insert(fmt::format("{}\n{}\n{}\n{}\n{}\n{}", r.cell_id, r.prompt_id, to_text(r.phase),
                            r.run_idx, r.concurrency, r.index))
        .second;
  }

 private:
  std::vector<bool> seen_;              ///< By index, of calls in the plan.
  std::unordered_set<int64_t> beyond_;  ///< Indices beyond it.
  std::unordered_set<std::string> names_;
};

/// What the lines said so far.
class Scanner {
 public:
  Scanner(const OnCall& on_call, const OnMeta& on_meta) : on_call_(on_call), on_meta_(on_meta) {}

  /// Sorts one line in. An Error only from `on_call`; damage is remembered.
  Result<void> add(const Line& line) {
    settle_damage();
    scan_.kept_bytes = line.offset + static_cast<int64_t>(line.text.size()) + (line.ended ? 1 : 0);
    if (is_blank(line.text)) return {};
    const auto type = line_type(line.text);
    if (!type) return damaged(line, "it is no JSON object with a type");
    switch (*type) {
      case LineType::kCall:
        return add_call(line);
      case LineType::kMeta:
        return add_meta(line);
      case LineType::kWait: {
        auto wait = parse_wait(line.text);
        if (!wait) return damaged(line, wait.error().message);
        scan_.content.waits.push_back(std::move(*wait));
        return {};
      }
      case LineType::kLoad: {
        auto load = parse_load(line.text);
        if (!load) return damaged(line, load.error().message);
        return add_load(line, std::move(*load));
      }
      case LineType::kEnd: {
        auto end = parse_end(line.text);
        if (!end) return damaged(line, end.error().message);
        scan_.content.end = std::move(*end);
        return {};
      }
      case LineType::kResume:
        ++scan_.content.resumes;
        scan_.content.end.reset();  // What follows has not ended yet.
        return {};
      case LineType::kUnknown:
        ++scan_.content.unknown_lines;
        return {};
    }
    return {};
  }

  void torn(const Line& line) {
    settle_damage();
    scan_.kept_bytes = line.offset;
    ++scan_.content.torn_lines;
  }

  Result<LedgerScan> finish(const std::string& path) {
    if (damage_ && !damage_->is_json) {
      scan_.kept_bytes = damage_->offset;
      ++scan_.content.torn_lines;
      damage_.reset();
    }
    settle_damage();
    if (!has_meta_) {
      return fail(Errc::kProtocol, fmt::format("{} has no whole meta line", path),
                  "it is no ledger, or it was cut before its run began");
    }
    return std::move(scan_);
  }

 private:
  /// A damaged line. Whether it is a torn tail is known when the next line is there or not.
  struct Damage {
    int64_t offset = 0;
    std::string sentence;
    bool is_json = false;
  };

  Result<void> damaged(const Line& line, std::string_view why) {
    damage_ = Damage{line.offset, fmt::format("line {}: {}", line.number, why),
                     nlohmann::json::accept(line.text)};
    return {};
  }

  void settle_damage() {
    if (!damage_) return;
    ++scan_.content.unknown_lines;
    if (scan_.content.damaged.size() < kMaxDamagedTold) {
      scan_.content.damaged.push_back(std::move(damage_->sentence));
    }
    damage_.reset();
  }

  Result<void> add_call(const Line& line) {
    auto record = parse_call(line.text);
    if (!record) return damaged(line, record.error().message);
    if (!finals_.first(*record, scan_.content.meta.calls.size())) {
      ++scan_.content.duplicates;
      return {};
    }
    return on_call_(std::move(*record));
  }

  Result<void> add_load(const Line& line, CellLoad load) {
    std::vector<Cell>& cells = scan_.content.meta.cells;
    if (load.cell < 0 || load.cell >= static_cast<int64_t>(cells.size())) {
      return damaged(line, "it is of a cell that the plan does not have");
    }
    take_load(load, cells[static_cast<size_t>(load.cell)]);
    scan_.content.loads.push_back(std::move(load));
    return {};
  }

  Result<void> add_meta(const Line& line) {
    auto meta = parse_meta(line.text);
    if (!meta) return damaged(line, meta.error().message);
    if (has_meta_) return damaged(line, "a second meta line");
    scan_.content.meta = std::move(*meta);
    has_meta_ = true;
    if (on_meta_) on_meta_(scan_.content.meta);
    return {};
  }

  const OnCall& on_call_;
  const OnMeta& on_meta_;
  LedgerScan scan_;
  FinalRecords finals_;
  std::optional<Damage> damage_;
  bool has_meta_ = false;
};

}  // namespace

Result<LedgerScan> scan_ledger(const std::filesystem::path& path, UnendedLine unended,
                               const OnCall& on_call, const OnMeta& on_meta) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    const int why = errno;
    return fail(why == ENOENT ? Errc::kNotFound : Errc::kIo,
                fmt::format("cannot read {}: {}", path.string(), errno_text(why)));
  }
  LineReader reader(file.get(), path.string());
  Scanner scanner(on_call, on_meta);
  for (;;) {
    const auto line = reader.next();
    if (!line) return fail(line.error());
    if (!*line) break;
    const bool whole = (*line)->ended ||
                       (unended == UnendedLine::kAccept && nlohmann::json::accept((*line)->text));
    if (!whole) {
      scanner.torn(**line);
    } else if (auto added = scanner.add(**line); !added) {
      return fail(added.error());
    }
  }
  return scanner.finish(path.string());
}

}  // namespace assay
