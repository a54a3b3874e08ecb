#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/enum_text.h"

namespace assay {

/// How an engine of our own loads its model. Absent: the engine's own default, nothing is passed.
/// As they were asked for, or as they came into effect after a fall-back.
struct LaunchSettings {
  std::optional<int64_t> threads;
  std::optional<int64_t> context_length;  ///< Tokens for each slot.
  std::optional<int64_t> parallel;        ///< Slots: calls that are worked on at once.
  std::optional<int64_t> gpu_layers;      ///< In GPU memory, the output layer among them.
  std::optional<double> gpu_offload;      ///< The same as a share of all layers, 0 to 1.
  std::optional<int64_t> batch_size;
  std::optional<int64_t> ubatch_size;
  std::optional<std::string> flash_attention;  ///< on, off or auto
  std::optional<std::string> cache_type_k;
  std::optional<std::string> cache_type_v;
  std::optional<bool> mmap;
  std::optional<bool> mlock;
  std::optional<bool> kv_offload;        ///< The cache of keys and values lies in GPU memory.
  std::optional<std::string> projector;  ///< Name of the file that turns pictures into tokens.
  bool gpu_hidden = false;               ///< The engine was started without sight of a GPU.

  friend bool operator==(const LaunchSettings&, const LaunchSettings&) = default;
};

/// What lies out of range or cannot be asked together: every fault, one sentence each, by the names
/// of the options.
std::vector<std::string> check_load_settings(const LaunchSettings& settings);

/// How an attempt to load a model ended.
enum class LoadOutcome : uint8_t {
  kOk,
  kGpuOom,          ///< The GPU's memory did not suffice: fewer layers may fit.
  kOomKilled,       ///< The kernel ended it with SIGKILL, as it does when memory runs out.
  kLoadFailed,      ///< The engine could not use the file or the settings.
  kProcessExit,     ///< It ended for a reason that it did not tell.
  kStartupTimeout,  ///< It was not ready in time.
  kCancelled,
};

/// One attempt to load a model, with the settings that it was made with.
struct LoadAttempt {
  LaunchSettings settings;
  LoadOutcome outcome = LoadOutcome::kOk;
  std::string error;  ///< One sentence; empty when it succeeded.
  double took_ms = 0;
  std::string log_tail;  ///< The end of what the engine wrote; empty when it succeeded.
};

template <>
struct EnumText<LoadOutcome> {
  static constexpr std::array kNames{
      std::pair{LoadOutcome::kOk, std::string_view("ok")},
      std::pair{LoadOutcome::kGpuOom, std::string_view("gpu_oom")},
      std::pair{LoadOutcome::kOomKilled, std::string_view("oom_killed")},
      std::pair{LoadOutcome::kLoadFailed, std::string_view("load_failed")},
      std::pair{LoadOutcome::kProcessExit, std::string_view("process_exit")},
      std::pair{LoadOutcome::kStartupTimeout, std::string_view("startup_timeout")},
      std::pair{LoadOutcome::kCancelled, std::string_view("cancelled")}};
};

}  // namespace assay
