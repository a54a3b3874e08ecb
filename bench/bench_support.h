#pragma once

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

/// What the two stream readers share, so that they do the same work and count it alike.
namespace assay::bench {

struct LoadOptions {
  std::string url;
  int64_t streams = 64;
  int64_t calls = 2;  ///< One after another, on each stream.
  int64_t tokens = 128;
  bool json = false;
  [[nodiscard]] int64_t all_calls() const { return streams * calls; }
};

inline void add_load_options(CLI::App& app, LoadOptions& options) {
  app.add_option("url", options.url, "The mock's address, http://127.0.0.1:PORT")->required();
  app.add_option("--streams", options.streams, "Calls at a time")->check(CLI::Range(1, 100'000));
  app.add_option("--calls", options.calls, "Calls on each stream")->check(CLI::Range(1, 10'000));
  app.add_option("--tokens", options.tokens, "Tokens of an answer")->check(CLI::Range(1, 100'000));
  app.add_flag("--json", options.json, "One JSON object");
}

/// CPU time that this process used.
struct CpuTimes {
  int64_t total_ns = 0;
  int64_t user_ns = 0;

  static CpuTimes now() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    CpuTimes times;
    times.total_ns = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    times.user_ns = usage.ru_utime.tv_sec * 1'000'000'000 + usage.ru_utime.tv_usec * 1'000;
    return times;
  }
};

/// What the process holds: what was allocated, and the resident pages that are its own.
struct MemoryUse {
  int64_t allocated = 0;
  int64_t resident = 0;

  static MemoryUse now() {
    const struct mallinfo2 info = ::mallinfo2();
    MemoryUse use;
    use.allocated = static_cast<int64_t>(info.uordblks + info.hblkhd);
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      constexpr std::string_view kKey = "RssAnon:";
      if (line.rfind(kKey, 0) == 0) use.resident = std::stoll(line.substr(kKey.size())) * 1024;
    }
    return use;
  }
};

/// The p-quantile (0 to 1) by nearest rank; 0 without values. Sorts them.
inline double quantile(std::vector<double>& values, double p) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<size_t>(p * static_cast<double>(values.size()));
  return values[std::min(rank, values.size() - 1)];
}

/// Named figures in order, printed as one JSON object or as lines.
class Figures {
 public:
  void add(std::string name, double value) { figures_.emplace_back(std::move(name), value); }
  void print(bool json) const {
    std::string text = json ? "{" : "";
    for (const auto& [name, value] : figures_) {
      if (json) {
        text += fmt::format("{}\"{}\":{:.10g}", text.size() > 1 ? "," : "", name, value);
      } else {
        text += fmt::format("{:<24} {:>14.10g}\n", name, value);
      }
    }
    fmt::print("{}{}", text, json ? "}\n" : "");
  }

 private:
  std::vector<std::pair<std::string, double>> figures_;
};

}  // namespace assay::bench
