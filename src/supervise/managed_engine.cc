#include "supervise/managed_engine.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"
#include "model/document_fields.h"
#include "net/sleep.h"
#include "supervise/engine_environment.h"
#include "supervise/ladder.h"

namespace assay {
namespace {

constexpr Nanos kProbeTimeout = std::chrono::seconds(1);

/// A port of the loopback that is free now.
Result<uint16_t> free_port() {
  const Fd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (!probe.valid() || ::bind(probe.get(), generic, size) != 0 ||
      ::getsockname(probe.get(), generic, &size) != 0) {
    return fail(Errc::kIo, fmt::format("no port is free: {}", errno_text(errno)));
  }
  return ::ntohs(address.sin_port);
}

Secret random_key() { return Secret(fmt::format("{:016x}{:016x}", random_u64(), random_u64())); }

/// By SIGKILL, which the kernel sends when memory runs out; a shell in between says 128 + 9.
bool was_killed(std::string_view how) { return how == "signal 9" || how == "exit code 137"; }

double ms_since(MonoNs start) { return static_cast<double>(mono_now_ns() - start) / 1e6; }

/// The end of a text, from the start of a line where one is near.
std::string tail_of(std::string text, size_t bytes) {
  if (text.size() <= bytes) return text;
  text.erase(0, text.size() - bytes);
  const size_t line = text.find('\n');
  if (line != std::string::npos && line + 1 < text.size()) text.erase(0, line + 1);
  return text;
}

}  // namespace

std::vector<std::string> not_supported(const Recipe& recipe, const LaunchSettings& settings) {
  std::vector<std::string> names;
  visit_members(settings, [&]<class Member>(std::string_view name, const Member& member) {
    if constexpr (requires { member.has_value(); }) {
      const bool taken = std::ranges::find(recipe.takes, name) != recipe.takes.end();
      if (!member.has_value() || taken) return;
      std::string option = fmt::format("--{}", name);
      std::ranges::replace(option, '_', '-');
      names.push_back(std::move(option));
    }
  });
  return names;
}

Error load_error(const LaunchRequest& request, const LoadAttempt& attempt) {
  const std::string what =
      fmt::format("{} could not be loaded: {}: {}", printable(request.alias, 80),
                  to_text(attempt.outcome), printable(attempt.error, 400));
  switch (attempt.outcome) {
    case LoadOutcome::kCancelled:
      return {Errc::kCancelled, what};
    case LoadOutcome::kStartupTimeout:
      return {Errc::kTimeout, what, "--load-timeout gives it more time"};
    case LoadOutcome::kGpuOom:
      return {Errc::kUnavailable, what,
              "its memory did not suffice on the processor either: a smaller --context-length or "
              "quantisation needs less"};
    case LoadOutcome::kOomKilled:
      return {Errc::kUnavailable, what,
              "it was killed, as the kernel does when memory runs out ('dmesg' tells): a smaller "
              "--context-length or quantisation needs less"};
    default:
      return {Errc::kUnavailable, what};
  }
}

Result<std::unique_ptr<ManagedEngine>> ManagedEngine::make(HttpClient& http,
                                                           LaunchRequest request) {
  const Recipe& recipe = recipe_for(request.program);
  auto faults = check_load_settings(request.settings);
  if (const auto names = not_supported(recipe, request.settings); !names.empty()) {
    faults.push_back(fmt::format("not supported by {}: {}", recipe.name, join(names, ", ")));
  }
  if (!faults.empty()) return fail(Errc::kInvalidArgument, join(faults, "\n"));
  std::error_code error;
  if (!std::filesystem::is_regular_file(request.gguf, error)) {
    return fail(Errc::kNotFound, fmt::format("there is no file {}", request.gguf.string()));
  }
  auto program = recipe.find(request.program);
  if (!program) return fail(program.error());
  return std::unique_ptr<ManagedEngine>(
      new ManagedEngine(http, recipe, std::move(request), std::move(*program)));
}

Task<LoadOutcome> ManagedEngine::load(const LoadOptions& options) {
  stop();
  const bool takes_gpu = std::ranges::find(recipe_.takes, "gpu_layers") != recipe_.takes.end();
  std::vector<LaunchSettings> rungs{request_.settings};
  if (takes_gpu) rungs = offload_ladder(request_.settings, request_.layers);
  if (rung_) rungs = {*rung_};
  state_ = State::kLoading;
  LoadOutcome outcome = LoadOutcome::kProcessExit;
  for (size_t rung = 0, tries = 1; rung < rungs.size();) {
    LoadAttempt attempt;
    attempt.settings = rungs[rung];
    co_await make_attempt(options, attempt);
    outcome = attempt.outcome;
    attempts_.push_back(attempt);
    if (outcome == LoadOutcome::kOk) {
      rung_ = rungs[rung];
      state_ = State::kRunning;
      co_return outcome;
    }
    if (log_.port_taken() && outcome != LoadOutcome::kCancelled && tries < kMaxPortTries) {
      ++tries;
      continue;
    }
    // Only for want of memory is another attempt worth making; where the machine's own ran out,
    // one, without what a GPU's driver takes of it.
    const size_t last = rungs.size() - 1;
    if ((outcome != LoadOutcome::kGpuOom && outcome != LoadOutcome::kOomKilled) || rung == last) {
      break;
    }
    rung = outcome == LoadOutcome::kOomKilled ? last : rung + 1;
    if (options.on_fall_back) options.on_fall_back(attempt);
  }
  state_ = outcome == LoadOutcome::kCancelled ? State::kStopped : State::kFailed;
  co_return outcome;
}

Task<void> ManagedEngine::make_attempt(const LoadOptions& options, LoadAttempt& attempt) {
  const MonoNs started = mono_now_ns();
  log_ = EngineLog(recipe_.log);
  if (const auto running = start(attempt.settings, options); !running) {
    attempt.outcome = LoadOutcome::kProcessExit;
    attempt.error = running.error().message;
    co_return;
  }
  attempt.outcome = co_await watch(options);
  attempt.took_ms = ms_since(started);
  if (attempt.outcome == LoadOutcome::kOk) {
    load_ms_ = log_.load_ms.value_or(attempt.took_ms);
    take_effect(attempt.settings);
    log_ = EngineLog(recipe_.log);  // What was overcome explains no later end.
    co_return;
  }
  if (attempt.outcome == LoadOutcome::kCancelled) {
    attempt.error = "stopped while it was loading";
  } else if (attempt.outcome == LoadOutcome::kStartupTimeout) {
    attempt.error = fmt::format("not ready within {}", duration_text(options.timeout));
  } else {
    attempt.error = ended_how();
  }
  if (attempt.outcome == LoadOutcome::kProcessExit && was_killed(child_->ended_how())) {
    attempt.outcome = LoadOutcome::kOomKilled;
  }
  attempt.log_tail = tail_of(log_tail(), kAttemptLogBytes);
  child_->stop(kStopGrace);
}

Task<LoadOutcome> ManagedEngine::watch(const LoadOptions& options) {
  const MonoNs deadline = mono_now_ns() + options.timeout.count();
  MonoNs next_probe = mono_now_ns() + kReadinessEvery.count();
  for (;;) {
    if (options.cancelled && options.cancelled()) co_return LoadOutcome::kCancelled;
    const bool running = child_->running();
    log_.feed(child_->take_output());
    if (!running) {
      log_.feed("\n");  // Its last line may have no end.
      co_return log_.failure().value_or(LoadOutcome::kProcessExit);
    }
    if (log_.take_ready() || mono_now_ns() >= next_probe) {
      const bool ready = co_await answers();
      if (ready) co_return LoadOutcome::kOk;
      next_probe = mono_now_ns() + kReadinessEvery.count();
    }
    if (mono_now_ns() >= deadline) {
      // Some engines stay after they have failed, and answer nothing.
      co_return log_.failure().value_or(LoadOutcome::kStartupTimeout);
    }
    co_await sleep_for(http_.io(), kLogEvery);
  }
}

Result<void> ManagedEngine::start(const LaunchSettings& settings, const LoadOptions& options) {
  const auto port = free_port();
  if (!port) return fail(port.error());
  url_ = Url();
  url_.host = "127.0.0.1";
  url_.port = *port;
  key_ = random_key();
  ChildSpec spec;
  spec.arguments = program_;
  for (std::string& argument : recipe_.arguments(request_, settings, *port)) {
    spec.arguments.push_back(std::move(argument));
  }
  spec.environment = engine_environment(recipe_, key_, settings.gpu_hidden);
  spec.directory = "/";
  spec.log_file = options.log_file;
  spec.before_exec = options.before_exec;
  auto child = Child::start(spec);
  if (!child) return fail(child.error());
  child_ = std::move(*child);
  return {};
}

Task<bool> ManagedEngine::answers() {
  HttpRequest request;
  request.target = recipe_.health_path;
  const auto answer = co_await http_.fetch(url_, request, key_, kProbeTimeout);
  co_return answer && answer->first.status == 200;
}

void ManagedEngine::take_effect(const LaunchSettings& settings) {
  effective_ = settings;
  if (log_.threads) effective_.threads = log_.threads;
  if (log_.context_length) effective_.context_length = log_.context_length;
  if (log_.gpu_layers) effective_.gpu_layers = log_.gpu_layers;
}

void ManagedEngine::stop() {
  if (child_) child_->stop(kStopGrace);
  state_ = State::kStopped;
}

void ManagedEngine::let_go() {
  if (child_) child_->let_go();
}

ManagedEngine::State ManagedEngine::state() {
  if (state_ == State::kRunning && !child_->running()) state_ = State::kFailed;
  return state_;
}

void ManagedEngine::drain() {
  if (child_) log_.feed(child_->take_output());
}

std::string ManagedEngine::ended_how() {
  if (!child_) return {};
  drain();
  std::string how = child_->ended_how();
  std::string line = key_.redact(printable(trim(log_.telling_line()), 200));
  if (how.empty()) return line;
  return line.empty() ? how : fmt::format("{}: {}", how, line);
}

std::string ManagedEngine::log_tail() {
  return child_ ? to_valid_utf8(key_.redact(child_->log_tail())) : std::string();
}

std::optional<pid_t> ManagedEngine::pid() const {
  return child_ ? std::optional(child_->pid()) : std::nullopt;
}

}  // namespace assay
