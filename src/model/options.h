#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/load_settings.h"

namespace assay {

/// Everything a person can ask of a run. Defaults stand here and nowhere else.
struct RunSpec {
  // What is measured.
  std::vector<std::string> targets;
  std::string engine;
  std::vector<std::string> models;
  // Which of the models that are there.
  bool all_models = false;
  std::vector<std::string> quants;
  std::vector<std::string> arch;
  std::vector<std::string> params;
  std::optional<int64_t> min_context;
  std::string max_size;
  bool only_vision = false;
  bool only_tools = false;
  std::vector<std::string> include_models;
  std::vector<std::string> exclude_models;
  bool force = false;
  std::string rank_by;
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
  Nanos sustain{0};
  int64_t warmup = 1;
  int64_t cold = 0;
  int64_t max_concurrency = 1;
  std::string goodput;
  double attainment = 0.9;
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
  std::optional<std::string> think;
  std::string api_key_file;
  // How an engine of our own loads the model.
  std::string llama_server;
  std::optional<int64_t> context_length;
  std::optional<bool> cache_prompt;
  int64_t threads = 0;
  std::optional<int64_t> parallel;
  std::optional<int64_t> gpu_layers;
  std::optional<double> gpu_offload;
  std::optional<int64_t> batch_size;
  std::optional<int64_t> ubatch_size;
  std::optional<std::string> flash_attention;
  std::optional<std::string> cache_type_k;
  std::optional<std::string> cache_type_v;
  std::optional<bool> mmap;
  std::optional<bool> mlock;
  std::optional<bool> kv_offload;
  Nanos load_timeout = std::chrono::seconds(180);
  std::string prepare = "none";
  // How long things may take.
  Nanos connect_timeout = std::chrono::seconds(5);
  Nanos first_byte_timeout = std::chrono::minutes(10);
  Nanos first_token_timeout = std::chrono::minutes(10);
  Nanos idle_timeout = std::chrono::minutes(2);
  Nanos timeout = std::chrono::minutes(60);
  Nanos busy_timeout{0};
  int64_t retries = 3;
  Nanos grace = std::chrono::seconds(10);
  // Care.
  std::optional<int64_t> max_failed;
  bool wait = false;
  bool no_calibrate = false;
  // What the machine does meanwhile.
  double sample_rate = 1;
  std::vector<std::string> sample_nodes;
  Nanos idle{0};
  std::string cooldown;
  std::string max_temp;
  std::string max_power;
  std::string heat_bands = "50,70,85,95";
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
  bool force_load = false;
  std::string allow_dirty;
  std::string override_window;
  std::string authorize_load;
  std::vector<std::string> notify;
  // Where model files are.
  std::vector<std::string> models_dir;
  // What is kept and shown.
  std::string save_responses = "none";
  std::vector<std::string> labels;
  std::vector<std::string> output;
  std::string data_dir;
  bool json = false;
  bool quiet = false;
  bool no_progress = false;
  std::string color = "auto";
  /// Options that were given several values, by name: run/matrix.h. Their members hold the last.
  std::map<std::string, std::vector<std::string>, std::less<>> lists;
};

/// What people are told about an option.
struct OptionInfo {
  std::string_view name;  ///< `max-tokens`: `--max-tokens`, `max-tokens:` and `ASSAY_MAX_TOKENS`.
  std::string_view short_name;  ///< `m`, a second long name, or empty.
  std::string_view group;
  /// What stands for the value in help; empty for a switch. Lower-case words between `|` are values
  /// as they are typed, others say what is wanted: FILE, RUN, N.
  std::string_view value;
  std::string_view help;
  /// Whether several values, parted by commas, make a matrix: what stands after `value` in help.
  bool lists = false;
};

/// The one list of options. Flags, configuration keys, environment and documentation come from it.
template <class Spec, class Visit>
void visit_options(Spec& s, Visit&& visit) {
  using I = OptionInfo;
  visit(I{"target", "", "what", "URL", "server to measure; repeatable (default: look for one)"},
        s.targets);
  visit(I{"engine", "", "what", "KIND",
          "ollama, llamacpp, lmstudio, vllm or openai (default: detected)"},
        s.engine);
  visit(I{"model", "m", "what", "NAME",
          "model of a server, or model file enabled for benchmarks; repeatable, * and ? match"},
        s.models);
  visit(I{"all-models", "", "models", "",
          "every model of every server and every model file enabled for benchmarks; those with "
          "results for the same settings are skipped"},
        s.all_models);
  visit(I{"quants", "", "models", "Q[,Q]", "only these quantizations, such as q4,q8_0"}, s.quants);
  visit(I{"arch", "", "models", "A[,A]", "only these architectures, such as qwen3"}, s.arch);
  visit(I{"params", "", "models", "N[,N]", "only these sizes, such as 3B,7B or 3B-8B"}, s.params);
  visit(I{"min-context", "", "models", "N", "only models trained for N tokens of context or more"},
        s.min_context);
  visit(I{"max-size", "", "models", "SIZE", "only models up to this size, such as 8GB"},
        s.max_size);
  visit(I{"only-vision", "", "models", "", "only models that take images"}, s.only_vision);
  visit(I{"only-tools", "", "models", "", "only models trained to call tools"}, s.only_tools);
  visit(I{"include-models", "", "models", "RE", "only names that match a regular expression"},
        s.include_models);
  visit(I{"exclude-models", "", "models", "RE", "no names that match a regular expression"},
        s.exclude_models);
  visit(I{"force", "retest", "models", "", "also models with results for the same settings"},
        s.force);
  visit(I{"rank-by", "", "models", "WHAT", "order of the table: speed, ttft, memory or efficiency"},
        s.rank_by);
  visit(I{"gguf", "", "what", "FILE", "serve this model file with an engine of ours"}, s.gguf);
  visit(I{"shape", "", "what", "SHAPE", "the same with random weights in a known model's shape"},
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
  visit(I{"sustain", "", "repetition", "T",
          "repeat one prompt for that long, such as 10m: the last minute against the first"},
        s.sustain);
  visit(I{"warmup", "", "repetition", "N", "calls before them that are in no figure"}, s.warmup);
  visit(I{"cold", "", "repetition", "N", "before all others, N calls that load the model first"},
        s.cold);
  visit(
      I{"max-concurrency", "", "repetition", "C",
        "calls in flight at once, closed loop; each of several levels is measured by itself", true},
      s.max_concurrency);
  visit(I{"goodput", "", "repetition", "WHAT:LIMIT[,...]",
          "what a call has to hold, such as ttft:2s,tps:10: how many users at once still get it"},
        s.goodput);
  visit(I{"attainment", "", "repetition", "SHARE", "of the calls that have to hold it (0.9)"},
        s.attainment);
  visit(I{"request-rate", "", "repetition", "R",
          "open loop: R calls a second, whatever is in flight"},
        s.request_rate);
  visit(I{"arrivals", "", "repetition", "constant|poisson",
          "open loop: at even distances, or at random ones"},
        s.arrivals);
  visit(I{"ab", "", "repetition", "NAME=OPT=VALUE",
          "interleaved comparison: a variant and its options; two or more"},
        s.ab);
  visit(I{"budget", "", "repetition", "T", "time for suite speed, after each load of the model"},
        s.budget);
  visit(I{"seed", "", "repetition", "N", "seed of salts and synthetic texts"}, s.seed);
  visit(I{"max-tokens", "", "engine", "N", "limit of the answer, sent to the engine", true},
        s.max_tokens);
  visit(I{"temperature", "", "engine", "X", "sent to the engine", true}, s.temperature);
  visit(I{"top-p", "", "engine", "X", "sent to the engine", true}, s.top_p);
  visit(I{"top-k", "", "engine", "N", "sent to the engine", true}, s.top_k);
  visit(I{"sampling-seed", "", "engine", "N", "sent to the engine as its seed"}, s.sampling_seed);
  visit(I{"think", "", "engine", "off|on|low|medium|high|N",
          "whether to reason before the answer, how hard, or in at most N tokens", true},
        s.think);
  visit(
      I{"cache-prompt", "", "engine", "on|off", "llama.cpp: reuse what it knows of a prompt", true},
      s.cache_prompt);
  visit(I{"api-key-file", "", "engine", "FILE", "file of mode 0600 with the server's key"},
        s.api_key_file);
  visit(I{"llama-server", "", "load", "PROGRAM",
          "serve model files with this llama-server: a path, or a name on PATH (default: the "
          "bundled engine)"},
        s.llama_server);
  visit(I{"context-length", "", "load", "N", "context to ask for, where the engine lets us", true},
        s.context_length);
  visit(I{"threads", "", "load", "N", "threads of an engine of ours (0: as many as suit)", true},
        s.threads);
  visit(
      I{"parallel", "", "load", "N", "its slots (default: as --max-concurrency, at most 64)", true},
      s.parallel);
  visit(I{"gpu-layers", "", "load", "N", "layers in GPU memory (default: all that fit)", true},
        s.gpu_layers);
  visit(I{"gpu-offload", "", "load", "X", "the same as a share of all layers: a number from 0 to 1",
          true},
        s.gpu_offload);
  visit(I{"batch-size", "", "load", "N", "tokens of a prompt that are handed over at once", true},
        s.batch_size);
  visit(I{"ubatch-size", "", "load", "N", "tokens of them that are computed at once", true},
        s.ubatch_size);
  visit(I{"flash-attention", "", "load", "HOW", "on, off or auto", true}, s.flash_attention);
  visit(I{"cache-type-k", "", "load", "TYPE", "of cached keys: f16, q8_0, ...", true},
        s.cache_type_k);
  visit(I{"cache-type-v", "", "load", "TYPE", "of cached values: f16, q8_0, ...", true},
        s.cache_type_v);
  visit(I{"mmap", "", "load", "on|off", "map the model file into memory", true}, s.mmap);
  visit(I{"mlock", "", "load", "on|off", "keep the model in memory", true}, s.mlock);
  visit(I{"kv-offload", "", "load", "on|off", "cached keys and values in GPU memory", true},
        s.kv_offload);
  visit(I{"load-timeout", "", "load", "T", "until the engine is ready"}, s.load_timeout);
  visit(I{"prepare", "", "load", "HOW",
          "before a leg: stop-managed stops our other engines, unload-others has the server "
          "unload other models (none)"},
        s.prepare);
  visit(I{"connect-timeout", "", "limits", "T", "for making a connection"}, s.connect_timeout);
  visit(I{"first-byte-timeout", "", "limits", "T", "from sending to the first byte"},
        s.first_byte_timeout);
  visit(I{"first-token-timeout", "", "limits", "T", "from sending to the first token"},
        s.first_token_timeout);
  visit(I{"idle-timeout", "", "limits", "T", "between tokens"}, s.idle_timeout);
  visit(I{"timeout", "", "limits", "T", "for a whole call"}, s.timeout);
  visit(I{"busy-timeout", "", "limits", "T",
          "without a token while the engine's machine is busy (0: no limit)"},
        s.busy_timeout);
  visit(I{"retries", "", "limits", "N", "further attempts after 429, 5xx or no connection"},
        s.retries);
  visit(I{"grace", "", "limits", "T", "for calls in flight after the first Ctrl-C"}, s.grace);
  visit(I{"max-failed", "", "care", "N", "exit 6 above N failed calls (default: when all failed)"},
        s.max_failed);
  visit(I{"wait", "", "care", "", "wait while another run measures"}, s.wait);
  visit(I{"no-calibrate", "", "care", "", "do not measure what client and machine can do"},
        s.no_calibrate);
  visit(I{"sample-rate", "", "machine", "HZ",
          "samples a second of temperature, power, clocks and use, up to 10; 0: none"},
        s.sample_rate);
  visit(I{"sample-node", "", "machine", "NODE=DEST[:PATH]",
          "sample the machine of cells NODE:... by 'ssh DEST assay sample', or PATH for assay; "
          "repeatable"},
        s.sample_nodes);
  visit(I{"idle", "", "machine", "T",
          "rest before the first call; from 10s on energy is told without the idle power too"},
        s.idle);
  visit(
      I{"cooldown", "", "machine", "GATES",
        "let the machine cool: 10s or 60C before each call, call=, model=, batch=100:60s, max=5m, "
        "or tiers"},
      s.cooldown);
  visit(I{"max-temp", "", "machine", "TEMP", "stop the run above this temperature, such as 90C"},
        s.max_temp);
  visit(I{"max-power", "", "machine", "WATTS",
          "stop the run above this power of packages and cards together, such as 300W"},
        s.max_power);
  visit(I{"heat-bands", "", "machine", "C,C,C,C",
          "what parts the bands of heat; cool below the first, hot from the third (50,70,85,95)"},
        s.heat_bands);
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
  visit(I{"allow-dirty", "", "harness", "REASON",
          "measure from a tree with changes; the changed files and the reason are recorded"},
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
  visit(I{"models-dir", "", "models", "DIR", "directory with GGUF files to scan; repeatable"},
        s.models_dir);
  visit(I{"save-responses", "", "output", "all|none|sample:N", "which answers to keep"},
        s.save_responses);
  visit(I{"label", "", "output", "K=V", "label of the run; repeatable"}, s.labels);
  visit(I{"output", "o", "output", "FILE", "also a report: .html .md .json .csv .xml; repeatable"},
        s.output);
  visit(I{"data-dir", "", "output", "DIR", "where runs are kept"}, s.data_dir);
  visit(I{"json", "", "output", "", "print one JSON document instead of tables"}, s.json);
  visit(I{"quiet", "q", "output", "", "print only the run's id"}, s.quiet);
  visit(I{"no-progress", "", "output", "", "no progress line"}, s.no_progress);
  visit(I{"color", "", "output", "auto|always|never", "colours"}, s.color);
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

/// The levels of --max-concurrency, ascending; one where no list was given.
std::vector<int64_t> levels_of(const RunSpec& spec);

/// How an engine is asked to load a model.
LaunchSettings load_settings_of(const RunSpec& spec);

/// Measured calls of a leg where the budget does not decide: --repetitions, else 10, as many
/// as the highest of several levels, and with --goodput as many as can show its attainment.
int64_t usual_repetitions(const RunSpec& spec);

/// What cannot be asked together, or lies out of range: every fault, one sentence each.
std::vector<std::string> check_spec(const RunSpec& spec);

/// The options that differ from their defaults, as a JSON object. Paths are left as given. Left out
/// are `notify`, since addresses of webhooks are as good as keys, and `models-dir`, which is about
/// this machine and no run.
std::string changed_options_json(const RunSpec& spec);

}  // namespace assay
