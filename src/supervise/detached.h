#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "model/enum_text.h"
#include "model/load_history.h"
#include "process/process_identity.h"

namespace assay {

/// An engine of ours that outlives the command that started it, as `<data>/engines/<id>.json` says.
/// The file has mode 0600: it holds the key.
///
///                 load                    ready
///   (no file) ------------> loading ----------------> running
///       ^                    |    |                      |
///       | unload, cancelled, |    | load_failed, ...     | its process is gone
///       | loader is gone     |    v                      |
///       +--------------------+  failed <-----------------+
///       | unload                  |
///       +-------------------------+
///         reset
struct DetachedEngine {
  enum class State : uint8_t { kLoading, kRunning, kFailed };

  std::string id;    ///< 8 hexadecimal digits.
  std::string name;  ///< The model's towards clients.
  State state = State::kLoading;
  std::string gguf;
  std::string launcher;  ///< The recipe's name.
  std::string url;
  Secret key;
  ProcessIdentity process;
  ProcessIdentity loader;  ///< The command that waits for it to be ready.
  LoadHistory load;        ///< Its effective settings are known once it is ready.
  std::string error;       ///< Why it failed: `gpu_oom: …`; empty while it has not.
  std::string since_utc;

  /// Whether its process runs, and is the one that we started.
  [[nodiscard]] bool is_alive() const { return process.pid > 0 && is_running(process); }
};

/// All of them, by name. Files that cannot be read are left out.
std::vector<DetachedEngine> detached_engines(const std::filesystem::path& data_dir);

/// Writes its file, in place of what was there.
Result<void> keep_detached(const std::filesystem::path& data_dir, const DetachedEngine& engine);
/// Removes its file and its log.
void forget_detached(const std::filesystem::path& data_dir, const DetachedEngine& engine);
/// Ends its process, whoever started it, and forgets it. A command that waits for it then takes it
/// for cancelled.
Result<void> end_detached(const std::filesystem::path& data_dir, const DetachedEngine& engine);

bool is_kept(const std::filesystem::path& data_dir, const std::string& id);
std::filesystem::path detached_log_file(const std::filesystem::path& data_dir,
                                        const std::string& id);

/// Ends engines whose loader died before they were ready, marks those that died as failed, and
/// forgets those of before the machine's last start. Returns what it did, one sentence each.
std::vector<std::string> sweep_detached(const std::filesystem::path& data_dir);

template <>
struct EnumText<DetachedEngine::State> {
  using S = DetachedEngine::State;
  static constexpr std::array kNames{std::pair{S::kLoading, std::string_view("loading")},
                                     std::pair{S::kRunning, std::string_view("running")},
                                     std::pair{S::kFailed, std::string_view("failed")}};
};

}  // namespace assay
