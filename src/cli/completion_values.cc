#include "cli/completion_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/text.h"
#include "cli/command.h"
#include "engines/engine.h"
#include "gguf/ggml_format.h"
#include "gguf/model_shape.h"
#include "importers/importer.h"
#include "mock/options.h"
#include "reports/builtin.h"
#include "run/suites.h"
#include "stats/metrics.h"

namespace assay {
namespace {

using Paths = Completion::Paths;

Candidate candidate(std::string_view word, std::string_view help = {}) {
  return {std::string(word), std::string(help)};
}

// Values that stand in a list of their own.

Completion engine_kinds(std::string_view) {
  Completion found;
  for (const EngineEntry& engine : engine_table()) {
    found.candidates.push_back(candidate(engine.name, engine.summary));
  }
  return found;
}

Completion mock_flavors(std::string_view) {
  Completion found;
  for (const std::string_view flavor : flavor_texts()) {
    found.candidates.push_back(candidate(flavor));
  }
  return found;
}

Completion report_formats(std::string_view) {
  Completion found;
  for (const Report& report : reports()) {
    found.candidates.push_back(candidate(report.name, report.summary));
  }
  return found;
}

Completion import_formats(std::string_view) {
  Completion found;
  for (const Importer& importer : importers()) {
    found.candidates.push_back(candidate(importer.name, importer.summary));
  }
  return found;
}

/// Shapes; their quantisations once a shape stands there.
Completion shapes(std::string_view typed) {
  Completion found;
  const bool named = typed.find(':') != std::string_view::npos;
  for (const ModelShape& shape : model_shapes()) {
    if (!named) found.candidates.push_back(candidate(shape.name));
    for (const QuantisationFormat& format : quantisation_formats()) {
      if (named) {
        found.candidates.push_back({fmt::format("{}:{}", shape.name, format.name), {}});
      }
    }
  }
  return found;
}

Completion suites(std::string_view) {
  Completion found{.candidates = {}, .paths = Paths::kFiles};
  for (const Suite& suite : builtin_suites()) {
    found.candidates.push_back(candidate(suite.name, suite.summary));
  }
  return found;
}

Completion metric_names(std::string_view) {
  Completion found;
  for (const Metric& metric : metrics()) {
    found.candidates.push_back(candidate(metric.name, metric.definition));
  }
  return found;
}

Completion shells(std::string_view) {
  Completion found;
  for (const std::string_view shell : completion_shells()) {
    found.candidates.push_back(candidate(shell));
  }
  return found;
}

Completion help_topics(std::string_view) {
  Completion found;
  for (const std::string_view topic : {"metrics", "exit-codes", "environment"}) {
    found.candidates.push_back(candidate(topic));
  }
  for (const Command& command : commands()) {
    const std::string_view word = command.path.substr(0, command.path.find(' '));
    if (found.candidates.back().word != word) found.candidates.push_back(candidate(word));
  }
  return found;
}

/// The list behind a flag's or an argument's value.
struct ValueList {
  std::string_view name;  ///< Of the flag or argument.
  std::string_view path;  ///< Of the command; empty: of every one.
  Completion (*values)(std::string_view typed);
};

constexpr std::array kValueLists{
    ValueList{"engine", "", engine_kinds},
    ValueList{"flavor", "mock-server", mock_flavors},
    ValueList{"format", "report", report_formats},
    ValueList{"format", "import", import_formats},
    ValueList{"shape", "", shapes},
    ValueList{"suite", "", suites},
    ValueList{"SUITE", "suites show", suites},
    ValueList{"METRIC", "explain", metric_names},
    ValueList{"SHELL", "completion", shells},
    ValueList{"TOPIC", "help", help_topics},
};

/// A lower-case word stands for itself; FILE, RUN and the like do not.
bool is_literal(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

void append(std::vector<Candidate>& to, std::vector<Candidate> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

}  // namespace

Completion values_of(const AskedValue& asked, const KeptNames& kept) {
  Completion found;
  for (const std::string& piece : split(asked.value, '|')) {
    if (is_literal(piece)) found.candidates.push_back({piece, {}});
    if (piece == "FILE") found.paths = Paths::kFiles;
    if (piece == "DIR") found.paths = Paths::kDirectories;
    if (piece == "RUN") {
      found.candidates.push_back({"last", "the newest run"});
      append(found.candidates, kept.baselines());
      append(found.candidates, kept.runs());
    }
  }
  if (asked.path == "baseline rm" && asked.name == "NAME") {
    append(found.candidates, kept.baselines());
  }
  for (const ValueList& list : kValueLists) {
    if (list.name != asked.name || (!list.path.empty() && list.path != asked.path)) continue;
    Completion listed = list.values(asked.typed);
    append(found.candidates, std::move(listed.candidates));
    if (listed.paths != Paths::kNone) found.paths = listed.paths;
  }
  return found;
}

}  // namespace assay
