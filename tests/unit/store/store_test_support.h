#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "model/json.h"
#include "store/run_dir.h"

namespace assay {

/// A directory of the test's own, removed with it.
class TempDir {
 public:
  TempDir() {
    // In memory where there is such a place: these tests sync thousands of times.
    const bool in_memory = ::access("/dev/shm", W_OK) == 0;
    std::string name = in_memory ? "/dev/shm" : std::filesystem::temp_directory_path().string();
    name += "/assay-store-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Sets an environment variable for the life of the object.
class ScopedEnv {
 public:
  ScopedEnv(const char* name, const char* value) : name_(name) {
    if (const char* old = ::getenv(name)) old_ = old;
    had_ = ::getenv(name) != nullptr;
    if (value != nullptr) {
      ::setenv(name, value, 1);
    } else {
      ::unsetenv(name);
    }
  }
  ~ScopedEnv() {
    if (had_) {
      ::setenv(name_, old_.c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  ScopedEnv(const ScopedEnv&) = delete;
  ScopedEnv& operator=(const ScopedEnv&) = delete;

 private:
  const char* name_;
  std::string old_;
  bool had_ = false;
};

inline std::string slurp(const std::filesystem::path& path) {
  return read_file(path).value_or(std::string());
}

inline void spill(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

inline constexpr const char* kRunId = "1a2b3c4d-0000-4000-8000-000000000001";

inline RunMeta sample_meta(int64_t calls, const std::string& run_id = kRunId) {
  RunMeta meta;
  meta.run_id = run_id;
  meta.started_at_utc = "2026-01-31T12:00:00.000Z";
  meta.started_wall_ns = 1'769'860'800'000'000'000;
  meta.suite = "prompt";
  meta.host = "host-1";
  meta.cells.push_back(Cell{.id = "local:openai:m", .kind = "openai", .model = "m"});
  meta.legs.push_back(Leg{.calls = calls});
  for (int64_t i = 0; i < calls; ++i) meta.calls.push_back({0, i, 0});
  return meta;
}

inline CallRecord sample_call(int64_t index, const std::string& run_id = kRunId) {
  CallRecord r;
  r.cell_id = "local:openai:m";
  r.prompt_id = "p1";
  r.run_idx = index;
  r.run_id = run_id;
  r.index = index;
  r.outcome = Outcome::kOk;
  r.flags = {"length"};
  r.tokens_per_sec = 12.5;
  r.at.sent = 1'000 * index;
  r.tokens = std::string("\x00\x01\xff", 3);
  return r;
}

/// A ledger's text: meta, `calls` records, and an end line.
inline std::string ledger_text(int64_t calls, const std::string& run_id = kRunId) {
  std::string text = meta_line(sample_meta(calls, run_id)) + "\n";
  for (int64_t i = 0; i < calls; ++i) text += call_line(sample_call(i, run_id)) + "\n";
  return text + end_line(RunEnd{.state = "completed", .finished_at_utc = "x", .wall_s = 1.5}) +
         "\n";
}

/// Puts a finished run into a data directory.
inline RunPaths make_run(const std::filesystem::path& data, const std::string& run_id,
                         const std::string& text) {
  const auto paths = create_run_directory(data, run_id);
  EXPECT_TRUE(paths) << paths.error().message;
  spill(paths->ledger, text);
  return *paths;
}

inline std::vector<int64_t> indices(const std::vector<CallRecord>& calls) {
  std::vector<int64_t> numbers;
  for (const CallRecord& call : calls) numbers.push_back(call.index);
  return numbers;
}

inline std::vector<int64_t> counting(int64_t count) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

}  // namespace assay
