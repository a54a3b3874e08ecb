#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "net/http_client.h"
#include "net/task.h"
#include "process/child.h"
#include "supervise/recipe.h"

namespace assay {

/// What a caller decides of one load.
struct LoadOptions {
  Nanos timeout = std::chrono::seconds(180);  ///< Of each attempt.
  std::function<bool()> cancelled;            ///< Asked every 20 ms; empty: never.
  /// Heard after each attempt that failed and is followed by another.
  std::function<void(const LoadAttempt&)> on_fall_back;
  std::string log_file;                            ///< See ChildSpec.
  std::function<Result<void>(pid_t)> before_exec;  ///< See ChildSpec.
};

/// One model in an engine that we start, watch and stop.
///
///              load()                   ready
///   stopped ------------> loading ----------------> running
///    ^   ^                 |  ^ |                     | |
///    |   |                 |  +-+ gpu_oom: next rung; | | its process ended
///    |   |                 |  |   oom_killed: the last| |
///    |   |    cancelled    |  |                       | |
///    |   +-----------------+  |                       | |
///    |                     |  | load(): at the rung   | |
///    |                     |  | that was in effect    | |
///    |                     v  |                       | |
///    |                    failed <--------------------+-+
///    |  stop()               |                        |
///    +-----------------------+------------------------+
///
/// The first load walks the ladder of ladder.h and remembers the rung that held: later loads are
/// made with exactly that one, because what was measured so far was measured with it.
/// Load thread only; the process dies with us unless it was given a log file and let go.
class ManagedEngine {
 public:
  enum class State : uint8_t { kStopped, kLoading, kRunning, kFailed };
  static constexpr Nanos kReadinessEvery = std::chrono::milliseconds(500);
  static constexpr Nanos kLogEvery = std::chrono::milliseconds(20);
  static constexpr Nanos kStopGrace = std::chrono::seconds(2);
  static constexpr size_t kMaxPortTries = 3;  ///< Another program may take a free port first.
  static constexpr size_t kAttemptLogBytes = 2 << 10;

  /// kInvalidArgument names what is out of range or not supported by this kind of engine, kNotFound
  /// a missing file or program.
  static Result<std::unique_ptr<ManagedEngine>> make(HttpClient& http, LaunchRequest request);

  /// Starts it and waits until it is ready. The outcome is the last attempt's. `options` has to
  /// live as long.
  Task<LoadOutcome> load(const LoadOptions& options);
  /// Ends its process; it can be loaded again.
  void stop();
  /// It goes on without us: see ChildSpec::log_file.
  void let_go();

  /// A process that ended by itself is kFailed.
  [[nodiscard]] State state();
  /// Reads what it writes, so that it does not stand still. Call it now and then.
  void drain();
  /// `signal 9, 'the last line of its log'`: how a process that failed ended.
  [[nodiscard]] std::string ended_how();
  /// The end of its log, its key not in it.
  [[nodiscard]] std::string log_tail();
  /// Of its process, also of one that has ended; absent before the first.
  [[nodiscard]] std::optional<pid_t> pid() const;

  [[nodiscard]] const Recipe& recipe() const { return recipe_; }
  [[nodiscard]] const LaunchRequest& request() const { return request_; }
  [[nodiscard]] const std::vector<LoadAttempt>& attempts() const { return attempts_; }
  /// What is in effect, as far as the engine tells. After a load that succeeded.
  [[nodiscard]] const LaunchSettings& effective() const { return effective_; }
  [[nodiscard]] const Url& url() const { return url_; }
  [[nodiscard]] const Secret& key() const { return key_; }
  /// The model's loading by the engine, or from the start of its process until it was ready.
  [[nodiscard]] double load_ms() const { return load_ms_; }

 private:
  ManagedEngine(HttpClient& http, const Recipe& recipe, LaunchRequest request,
                std::vector<std::string> program)
      : http_(http),
        recipe_(recipe),
        request_(std::move(request)),
        program_(std::move(program)),
        log_(recipe.log) {}

  Task<void> make_attempt(const LoadOptions& options, LoadAttempt& attempt);
  Task<LoadOutcome> watch(const LoadOptions& options);
  Result<void> start(const LaunchSettings& settings, const LoadOptions& options);
  Task<bool> answers();
  void take_effect(const LaunchSettings& settings);

  HttpClient& http_;
  const Recipe& recipe_;
  LaunchRequest request_;
  std::vector<std::string> program_;
  std::vector<LoadAttempt> attempts_;
  std::optional<LaunchSettings> rung_;  ///< That the last successful load was made with.
  LaunchSettings effective_;
  EngineLog log_;
  std::unique_ptr<Child> child_;
  State state_ = State::kStopped;
  Url url_;
  Secret key_;
  double load_ms_ = 0;
};

/// The names of settings that a recipe does not take, as options: `--gpu-layers`.
std::vector<std::string> not_supported(const Recipe& recipe, const LaunchSettings& settings);

/// A load that failed, for people: which model, the outcome, what the engine said, what to do.
Error load_error(const LaunchRequest& request, const LoadAttempt& attempt);

}  // namespace assay
