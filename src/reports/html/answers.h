#pragma once

#include <string>
#include <vector>

#include "reports/report_model.h"

namespace assay {

/// What the run says in sentences: which cell is fastest, by how much, how sure that is.
std::vector<std::string> answers_of(const ReportModel& model);

/// Something to do after reading, with the command where there is one.
struct NextStep {
  std::string why;
  std::string command;
};
std::vector<NextStep> next_steps(const ReportModel& model);

/// What a check of the measurement asks, and what to do when it fails.
struct CheckWords {
  std::string_view name;
  std::string_view unit;
  std::string_view asks;
  std::string_view remedy;
};
/// Null for a check that has no words.
const CheckWords* words_of_check(std::string_view name);

/// What to do about a caveat; empty when there is nothing.
std::string_view remedy_of(std::string_view caveat);

/// An option of `assay run` with its value.
struct OptionValue {
  std::string name;
  std::string value;
};
/// The command that measures the same again, with `changed` in place of what was asked; empty when
/// it cannot be copied.
std::string repeat_command(const RunMeta& meta, const std::vector<OptionValue>& changed = {});

}  // namespace assay
