#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace assay {

/// Everything a person can ask of a run. Defaults stand here and nowhere else.
struct RunSpec {
  // What is measured.
  std::vector<std::string> targets;
  std::string engine;
  std::vector<std::string> models;
  std::string gguf;
  std::string shape;
  // With which texts.
  std::string suite;
  std::string prompt;
  std::vector<int64_t> input_len;
  std::vector<int64_t> output_len;
  std::vector<int64_t> depth;
  // How often and how much at once.
  std::optional<int64_t> repetitions;
  int64_t restarts = 1;
  std::optional<double> until_ci;
  int64_t warmup = 1;
  int64_t max_concurrency = 1;
  std::vector<std::string> ab;
  std::optional<double> request_rate;
  std::string arrivals = "constant";
  Nanos budget = std::chrono::seconds(90);
  std::optional<int64_t> seed;
  // What is asked of the engine.
  std::optional<int64_t> max_tokens;
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<int64_t> top_k;
  std::optional<int64_t> sampling_seed;
  std::optional<int64_t> context_length;
  int64_t threads = 0;
  std::string api_key_file;
  // How long things may take.
  Nanos connect_timeout = std::chrono::seconds(5);
  Nanos first_byte_timeout = std::chrono::minutes(10);
  Nanos first_token_timeout = std::chrono::minutes(10);
  Nanos idle_timeout = std::chrono::minutes(2);
  Nanos timeout = std::chrono::minutes(60);
  int64_t retries = 3;
  Nanos grace = std::chrono::seconds(10);
  // Care.
  std::optional<int64_t> max_failed;
  bool wait = false;
  bool no_calibrate = false;
  // The harness: cells of a file, under rules.
  std::string cells_yaml;
  std::string prompts_yaml;
  std::vector<std::string> cells;
  bool probe = false;
  bool smoke = false;
  bool full = false;
  bool routed = false;
  std::string tag_prefix;
  bool for_publication = false;
  bool allow_dirty = false;
  bool force_load = false;
  std::string override_window;
  std::string authorize_load;
  std::vector<std::string> notify;
  // What is kept and shown.
  std::string save_responses = "none";
  std::vector<std::string> labels;
  std::vector<std::string> output;
  std::string data_dir;
  bool json = false;
  bool quiet = false;
  bool no_progress = false;
  std::string color = "auto";
};

/// What people are told about an option.
struct OptionInfo {
  std::string_view name;  ///< `max-tokens`: `--max-tokens`, `max-tokens:` and `ASSAY_MAX_TOKENS`.
  std::string_view short_name;  ///< `m`, or empty.
  std::string_view group;
  std::string_view value;  ///< What stands for the value in help; empty for a switch.
  std::string_view help;
};

/// The one list of options. Flags, configuration keys, environment and documentation come from it.
template <class Spec, class Visit>
void visit_options(Spec& s, Visit&& visit) {
  using I = OptionInfo;
  visit(I{"target", "", "what", "URL", "server to measure; repeatable (default: look for one)"},
        s.targets);
  visit(I{"engine", "", "what", "KIND", "ollama, llamacpp or openai (default: detected)"},
        s.engine);
  visit(I{"model", "m", "what", "NAME", "model to measure; repeatable, * and ? match"}, s.models);
  visit(I{"gguf", "", "what", "FILE", "serve this model file with the bundled engine"}, s.gguf);
  visit(I{"shape", "", "what", "SHAPE", "bundled engine: random weights in a known model's shape"},
        s.shape);
  visit(I{"suite", "s", "texts", "NAME|FILE", "suite or prompt file (default: speed)"}, s.suite);
  visit(I{"prompt", "", "texts", "TEXT", "one prompt, asked again and again"}, s.prompt);
  visit(I{"input-len", "", "texts", "N[,N]", "synthetic prompts of about N tokens"}, s.input_len);
  visit(I{"output-len", "", "texts", "N[,N]", "answers of N tokens (128)"}, s.output_len);
  visit(I{"depth", "", "texts", "N[,N]", "generate after a cached context of N tokens"}, s.depth);
  visit(I{"repetitions", "r", "repetition", "N", "measured calls of each leg (10, within budget)"},
        s.repetitions);
  visit(I{"restarts", "", "repetition", "K",
          "load the model K times and repeat the plan after each; 3 tell runs apart"},
        s.restarts);
  visit(I{"until-ci", "", "repetition", "PCT", "stop a leg once its interval is within PCT %"},
        s.until_ci);
  visit(I{"warmup", "", "repetition", "N", "calls before them that are in no figure"}, s.warmup);
  visit(I{"max-concurrency", "", "repetition", "C", "calls in flight at once, closed loop"},
        s.max_concurrency);
  visit(I{"request-rate", "", "repetition", "R",
          "open loop: R calls a second, whatever is in flight"},
        s.request_rate);
  visit(I{"arrivals", "", "repetition", "KIND", "open loop: constant or poisson"}, s.arrivals);
  visit(I{"ab", "", "repetition", "NAME=OPT=VALUE",
          "interleaved comparison: a variant and its options; two or more"},
        s.ab);
  visit(I{"budget", "", "repetition", "T", "time for suite speed, after each load of the model"},
        s.budget);
  visit(I{"seed", "", "repetition", "N", "seed of salts and synthetic texts"}, s.seed);
  visit(I{"max-tokens", "", "engine", "N", "limit of the answer, sent to the engine"},
        s.max_tokens);
  visit(I{"temperature", "", "engine", "X", "sent to the engine"}, s.temperature);
  visit(I{"top-p", "", "engine", "X", "sent to the engine"}, s.top_p);
  visit(I{"top-k", "", "engine", "N", "sent to the engine"}, s.top_k);
  visit(I{"sampling-seed", "", "engine", "N", "sent to the engine as its seed"}, s.sampling_seed);
  visit(I{"context-length", "", "engine", "N", "context to ask for, where the engine lets us"},
        s.context_length);
  visit(I{"threads", "", "engine", "N", "threads of the bundled engine (0: as many as suit)"},
        s.threads);
  visit(I{"api-key-file", "", "engine", "FILE", "file of mode 0600 with the server's key"},
        s.api_key_file);
  visit(I{"connect-timeout", "", "limits", "T", "for making a connection"}, s.connect_timeout);
  visit(I{"first-byte-timeout", "", "limits", "T", "from sending to the first byte"},
        s.first_byte_timeout);
  visit(I{"first-token-timeout", "", "limits", "T", "from sending to the first token"},
        s.first_token_timeout);
  visit(I{"idle-timeout", "", "limits", "T", "between tokens"}, s.idle_timeout);
  visit(I{"timeout", "", "limits", "T", "for a whole call"}, s.timeout);
  visit(I{"retries", "", "limits", "N", "further attempts after 429, 5xx or no connection"},
        s.retries);
  visit(I{"grace", "", "limits", "T", "for calls in flight after the first Ctrl-C"}, s.grace);
  visit(I{"max-failed", "", "care", "N", "exit 6 above N failed calls (default: when all failed)"},
        s.max_failed);
  visit(I{"wait", "", "care", "", "wait while another run measures"}, s.wait);
  visit(I{"no-calibrate", "", "care", "", "do not measure what client and machine can do"},
        s.no_calibrate);
  visit(I{"cells-yaml", "", "harness", "FILE",
          "measure the cells of this file: docs/formats/cells.md"},
        s.cells_yaml);
  visit(I{"prompts-yaml", "", "harness", "FILE",
          "its prompts, cold and warm (default: the frozen ones)"},
        s.prompts_yaml);
  visit(I{"cells", "", "harness", "ID[,ID]", "only these cells of the file"}, s.cells);
  visit(I{"probe", "", "harness", "", "only say which cells answer; nothing is recorded"}, s.probe);
  visit(I{"smoke", "", "harness", "", "one cell, one prompt, one call"}, s.smoke);
  visit(I{"full", "", "harness", "",
          "all patterns: cold, warm, routed, and parallel with --max-concurrency and "
          "--authorize-load"},
        s.full);
  visit(
      I{"routed", "", "harness", "", "ask each prompt by the cell's route too; needs --tag-prefix"},
      s.routed);
  visit(I{"tag-prefix", "", "harness", "PREFIX",
          "mark each call as a test: headers PREFIX-Test, PREFIX-Benchmark-..., and metadata"},
        s.tag_prefix);
  visit(I{"for-publication", "", "harness", "",
          "refuse before the first call unless every preflight check holds"},
        s.for_publication);
  visit(I{"allow-dirty", "", "harness", "",
          "measure from a tree with changes; the changed files are recorded"},
        s.allow_dirty);
  visit(I{"force-load", "", "harness", "",
          "measure on a busy machine, without waiting; recorded, and the run is unreliable"},
        s.force_load);
  visit(I{"override-window", "", "harness", "REASON",
          "measure outside of the cells' windows; recorded"},
        s.override_window);
  visit(I{"authorize-load", "", "harness", "REASON",
          "calls without a pause, and parallel ones; recorded"},
        s.authorize_load);
  visit(I{"notify", "", "harness", "JSON",
          "tell a command or a webhook how the run went: docs/howto/run-every-night.md"},
        s.notify);
  visit(I{"save-responses", "", "output", "WHICH", "keep answers: all, none or sample:N"},
        s.save_responses);
  visit(I{"label", "", "output", "K=V", "label of the run; repeatable"}, s.labels);
  visit(I{"output", "o", "output", "FILE", "also a report: .html .md .json .csv .xml; repeatable"},
        s.output);
  visit(I{"data-dir", "", "output", "DIR", "where runs are kept"}, s.data_dir);
  visit(I{"json", "", "output", "", "print one JSON document instead of tables"}, s.json);
  visit(I{"quiet", "q", "output", "", "print only the run's id"}, s.quiet);
  visit(I{"no-progress", "", "output", "", "no progress line"}, s.no_progress);
  visit(I{"color", "", "output", "WHEN", "auto, always or never"}, s.color);
}

/// An option tied to its place in a RunSpec, settable from text.
struct BoundOption {
  enum class Kind : uint8_t { kSwitch, kValue, kList };
  OptionInfo info;
  Kind kind = Kind::kValue;
  /// kInvalidArgument says what the value should be. A list replaces what was there.
  std::function<Result<void>(const std::vector<std::string>&)> set;
  std::function<std::vector<std::string>()> get;
};

/// Every option of `spec`, which must outlive the result.
std::vector<BoundOption> bind_options(RunSpec& spec);

/// What cannot be asked together, or lies out of range: every fault, one sentence each.
std::vector<std::string> check_spec(const RunSpec& spec);

/// The options that differ from their defaults, as a JSON object. Paths are left as given. `notify`
/// is left out: addresses of webhooks are as good as keys.
std::string changed_options_json(const RunSpec& spec);

}  // namespace assay
