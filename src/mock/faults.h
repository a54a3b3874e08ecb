#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mock/behaviour.h"

namespace assay {

/// A fault that a request chooses by its model name, `fault:NAME[:ARGUMENT[:ARGUMENT]]`.
struct Fault {
  std::string_view name;
  std::string_view arguments;  ///< With their defaults, such as `N=2, SECONDS=0`; or empty.
  std::string_view effect;
  /// What a right client records, with the default arguments, in the words of the call record: its
  /// outcome, then its error code; after `ok` the flag it gets, if any.
  std::string_view outcome_openai, outcome_ollama;
  /// Requests made by a client that repeats 429, 5xx and failed connects up to three times, once
  /// more leaves out an optional member that was refused, and repeats nothing else; with the
  /// default arguments.
  int attempts;
  /// Sets what departs from a normal answer; kInvalidArgument for arguments it cannot use.
  Result<void> (*apply)(const std::vector<std::string>& arguments, Behaviour& behaviour);
};

/// The one table, in the order of the manual.
std::span<const Fault> faults();

/// The normal behaviour for names that do not start with `fault:`; kInvalidArgument for a fault
/// that is not in the table.
Result<Behaviour> behaviour_of(std::string_view model);

/// Requests that the client described at Fault::attempts makes.
int expected_attempts(const Behaviour& behaviour);

/// The table as Markdown, as docs/mock-server.md has it.
std::string fault_table_markdown();

}  // namespace assay
