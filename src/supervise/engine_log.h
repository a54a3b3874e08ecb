#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/load_settings.h"

namespace assay {

/// A text in a line of an engine's log, and what it says of an end that follows.
struct FailurePattern {
  std::string_view text;  ///< In lower case.
  LoadOutcome means{};
};

/// A number that an engine's log tells.
struct LogFact {
  enum class Of : uint8_t { kThreads, kContextLength, kGpuLayers, kLoadMs };
  Of of{};
  std::string_view marker;      ///< The number follows it.
  std::optional<double> fixed;  ///< The marker alone says this.
};

/// What is looked for in the log of one kind of engine.
struct LogTables {
  std::span<const FailurePattern> failures;  ///< What explains most comes first.
  std::span<const LogFact> facts;
  std::span<const std::string_view> port_taken;  ///< In lower case.
  std::span<const std::string_view> ready;  ///< The engine says that it is, or will be in a moment.
};

/// What every engine that is llama.cpp writes when it fails, whatever computes for it.
std::span<const FailurePattern> llama_cpp_failures();

/// Reads an engine's log as it comes and remembers what matters in it. Memory is bounded: a line is
/// looked at up to kMaxLineBytes.
class EngineLog {
 public:
  static constexpr size_t kMaxLineBytes = 8 << 10;

  explicit EngineLog(const LogTables& tables) : tables_(tables) {}

  void feed(std::string_view bytes);
  /// Whether a line said that the engine is ready; true once for each such line.
  [[nodiscard]] bool take_ready();
  /// What an end is to be taken for: by the text that stands first in the table. A log without a
  /// known text says nothing: absent.
  [[nodiscard]] std::optional<LoadOutcome> failure() const { return failure_; }
  /// The line that says so, or the last one that was not empty.
  [[nodiscard]] const std::string& telling_line() const;
  /// Whether it found its port in use.
  [[nodiscard]] bool port_taken() const { return port_taken_; }

  std::optional<int64_t> threads;
  std::optional<int64_t> context_length;
  std::optional<int64_t> gpu_layers;
  std::optional<double> load_ms;

 private:
  void read_line(std::string_view line);
  void take_fact(const LogFact& fact, std::string_view line);

  LogTables tables_;
  std::string line_;
  std::string failure_line_;
  std::string last_line_;
  std::optional<LoadOutcome> failure_;
  size_t weight_ = SIZE_MAX;  ///< The place of its text in the table.
  bool ready_ = false;
  bool port_taken_ = false;
};

}  // namespace assay
