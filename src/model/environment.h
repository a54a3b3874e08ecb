#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace assay {

/// A graphics processor as its driver names it.
struct Gpu {
  std::string name;
  std::string driver;  ///< Name or version; empty when unknown.
};

/// The machine that a run was driven from. Nothing in it names a person, a host or a network, so
/// that it can be published. What is absent has its reason in `missing`.
struct Environment {
  std::optional<std::string> cpu_model;
  std::optional<int64_t> cores;         ///< Logical processors.
  std::optional<std::string> governor;  ///< Frequency governor of the first processor.
  std::optional<int64_t> memory_bytes;
  std::optional<std::string> kernel;
  std::optional<std::string> os;
  std::optional<double> cpu_limit;  ///< Processors that the container may use; absent: all.
  std::optional<int64_t> memory_limit_bytes;
  std::vector<Gpu> gpus;
  std::string compiler;                        ///< What Assay was compiled with.
  std::map<std::string, std::string> missing;  ///< By member: why there is nothing.
};

/// One entry of the list of what makes a run reproducible.
struct PreflightCheck {
  std::string name;
  bool ok = true;
  std::string detail;     ///< What was found, for people.
  bool identity = false;  ///< Without it nobody can say what was measured.
  bool decides = true;    ///< False: told, but the figures are none the worse for it.
};

}  // namespace assay
