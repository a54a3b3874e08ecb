#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/engine.h"
#include "model/options.h"
#include "model/run.h"

namespace assay {

/// How the engine behind RunMeta::cells[cell] can be asked for settings.
using FitOf = std::function<SettingsFit(int64_t cell, const CallSettings& settings)>;

/// What Leg::skip begins with where the engine has no way to be asked for it; its kind and the
/// names of what it cannot take follow.
inline constexpr std::string_view kNotSupported = "not supported by ";

/// What a specification asks of every call.
CallSettings settings_of(const RunSpec& spec);

/// Adds legs and calls to a plan, stage after stage. Prompts and legs are named by their index in
/// the RunMeta, which, like the specification and `fit`, outlives the builder.
class PlanBuilder {
 public:
  PlanBuilder(RunMeta& meta, const RunSpec& spec, const FitOf& fit)
      : meta_(meta), spec_(spec), fit_(fit) {}

  int64_t add_prompt(Prompt prompt);

  /// A leg of `calls` calls. One that its engine has no way to be asked for is skipped, with the
  /// names of what it cannot take; so is one with a reason in `skip`.
  int64_t add_leg(int64_t cell, int64_t prompt, Phase phase, int64_t calls, CallSettings settings,
                  std::string skip = {});

  /// One stage: one call of each leg a round, in an order of its own, so that what a call does to
  /// the next does not always hit the same leg.
  void add_rounds(std::vector<int64_t> legs);

  /// How the engine of a cell can be asked for what is no setting.
  [[nodiscard]] SettingsFit ways(int64_t cell) const;

  /// Calls before all others that load the model first.
  void add_cold(int64_t cell, int64_t prompt, const CallSettings& settings);

  /// Warm-up calls, in a stage of their own.
  void add_warmup(int64_t cell, int64_t prompt, const CallSettings& settings, int64_t calls);

 private:
  void fit_to_engine(Leg& leg) const;
  [[nodiscard]] const Leg& leg_at(int64_t leg) const {
    return meta_.legs[static_cast<size_t>(leg)];
  }

  RunMeta& meta_;
  const RunSpec& spec_;
  const FitOf& fit_;
  int64_t stage_ = 0;
};

}  // namespace assay
