#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/call_record.h"
#include "model/day_window.h"
#include "model/environment.h"
#include "model/instrument.h"
#include "model/load_settings.h"
#include "model/telemetry.h"

namespace assay {

/// Requested settings of a call. Absent means the engine's own default: nothing is sent.
struct CallSettings {
  std::optional<int64_t> max_tokens;
  bool fixed_length = false;  ///< Ask for exactly max_tokens, where the engine can (ignore_eos).
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<int64_t> top_k;
  std::optional<int64_t> seed;
  std::optional<int64_t> context_length;  ///< Asked of engines that size their context per load.
  std::optional<bool> cache_prompt;       ///< Whether the engine may reuse a prompt it had before.
  /// Whether to reason first: `off`, `on`, `low`, `medium`, `high`, or at most so many tokens.
  std::optional<std::string> think;
  /// How a server that is not ours is asked to load the model, but for the context.
  std::optional<LaunchSettings> load;
};

/// One immutable text that is asked. `id` and `sha256` name it in every record.
struct Prompt {
  enum class Salt : uint8_t { kNone, kPerCall, kPerLeg };
  std::string id;
  std::string text;
  std::string sha256;       ///< Of `text`.
  Salt salt = Salt::kNone;  ///< A unique first line that keeps the engine's cache out of it.
  std::optional<int64_t> target_tokens;  ///< The length that was asked for, for synthetic prompts.
  std::optional<int64_t> max_tokens;     ///< The task's own limit.
  bool frozen = false;
};

/// What a prompt's median used to be at a cell: a figure that lies farther off is flagged.
struct Reference {
  std::string prompt_id;
  std::string metric;
  double value = 0;
  double tolerance = 0.3;  ///< Relative: 0.3 is 30 %.
};

/// One thing that gets a result: a target and a model.
struct Cell {
  std::string id;    ///< `<host or local>:<kind>:<model>`
  std::string kind;  ///< Engine kind, a name of the engine table.
  std::string url;   ///< Base URL, without credentials.
  std::string model;
  std::string version;       ///< Engine version, empty when unknown.
  std::string quantization;  ///< Empty when unknown.
  std::optional<int64_t> model_bytes;
  std::optional<int64_t> context_length;  ///< As the engine states it now.
  std::string digest;
  bool managed = false;           ///< Assay started the engine itself.
  bool random_weights = false;    ///< A dummy model: speed is real, text is noise.
  std::optional<double> load_ms;  ///< A managed engine's time from start to ready.
  std::optional<int64_t> threads;
  std::optional<int64_t> memory_bytes;  ///< Of the loaded model, or of a managed engine's process.
  std::optional<int64_t> vram_bytes;    ///< The part of it that is on a GPU, where the engine says.
  std::optional<int64_t> slots;  ///< Calls that the engine works on at once; more of them queue.
  /// Where the model runs on this machine's cores and its header could be read.
  std::optional<TokenCost> token_cost;
  std::string variant;  ///< Its name in an interleaved comparison; empty outside of one.
  /// Of a matrix of settings `option=value`, one for each option that has several values.
  std::vector<std::string> matrix;
  /// Digest of the weights' file, by which cells of several engines are known to run the same;
  /// empty where it is not known.
  std::string weights;
  /// The model's identity in the registry, of its path (model_fingerprint()); empty where it is not
  /// known.
  std::string fingerprint;
  // A short first estimate, from which the number of calls was planned.
  std::optional<double> estimated_prefill_tps;
  std::optional<double> estimated_decode_tps;
  std::optional<double> tokens_per_word;   ///< Of synthetic text, by the engine's own count.
  std::optional<int64_t> prompt_overhead;  ///< Tokens that the chat template adds.
  std::string unavailable;                 ///< Why nothing can be measured; empty when it can.
  std::string known_in;                    ///< Id of the earlier run that it has results in, if so.
  // What a file of cells says of it.
  std::string routed_from;  ///< Id of the cell that this one reaches by a router; else empty.
  std::string cold_kind;    ///< What a cold call is here; empty: as the engine says.
  std::optional<double> max_rate;     ///< Calls a second at most; absent: not paced.
  std::vector<DayWindow> windows;     ///< When calls may be sent; none: always.
  std::vector<std::string> patterns;  ///< Of cold, warm, parallel and routed; none: all.
  std::vector<Reference> expect;
  std::string launcher;  ///< How Assay started it: `llama-server`, `bundled`; else empty.
  std::optional<LaunchSettings> load_requested;
  /// After fall-backs, as far as the engine tells; of other servers what they tell of themselves.
  std::optional<LaunchSettings> load_effective;
  std::vector<LoadAttempt> load_attempts;  ///< In order; the last one is the one in effect.
  std::vector<std::string> load_refused;   ///< Of load_requested: it was loaded without them.
};

/// When the calls of an open loop are due.
enum class Arrivals : uint8_t { kConstant, kPoisson };

/// Calls that belong together: one cell, prompt, phase, concurrency and settings.
struct Leg {
  int64_t cell = 0;    ///< Index into RunMeta::cells.
  int64_t prompt = 0;  ///< Index into RunMeta::prompts.
  Phase phase = Phase::kMeasure;
  int64_t concurrency = 1;             ///< At most so many in flight; closed loop.
  std::optional<double> request_rate;  ///< Calls a second of an open loop, which has no such limit.
  Arrivals arrivals = Arrivals::kConstant;
  int64_t calls = 0;  ///< Planned calls.
  CallSettings settings;
  std::string settings_hash;            ///< Over these settings and the effective ones of the load.
  std::string requested_settings_hash;  ///< The same with the load as it was asked for.
  std::optional<double> sustain_s;      ///< It goes on for so long; what is left of it is skipped.
  std::string skip;  ///< Why all its calls are skipped, such as `budget`; empty when they are not.
  /// Settings that the engine has no word for and that are asked for in another way: a fixed length
  /// by the prompt. Whatever cannot be asked for at all is a reason in `skip`.
  std::vector<std::string> not_sent;
};

/// One planned call. The plan is `calls` in order; a group of equal `stage` runs side by side.
struct PlannedCall {
  int64_t leg = 0;
  int64_t run_idx = 0;
  int64_t stage = 0;
  int64_t restart = 0;  ///< How often the model is loaded anew before it.
};

/// A figure as another tool states it, by its own name and definition.
struct ReportedFigure {
  std::string of;    ///< The test or benchmark that it is about.
  std::string name;  ///< The tool's own.
  std::string unit;  ///< Empty where the tool names none.
  double value = 0;
};

/// Where the records of a run come from that another tool measured.
struct ImportSource {
  std::string tool;     ///< An importer's name, such as `llama-bench`.
  std::string version;  ///< Of the tool; empty when its file does not say.
  std::string file;     ///< Its name without folders; `-` for standard input.
  std::string sha256;   ///< Of the file.
  std::string imported_at_utc;
  std::vector<std::string> definitions;  ///< How its figures are defined where ours differ.
  std::vector<ReportedFigure> reported;
};

/// The ledger's first line: what was planned, in which circumstances.
struct RunMeta {
  std::string run_id;
  std::string git_sha;  ///< 40 hex digits, empty outside a checkout.
  std::optional<bool> git_dirty;
  std::vector<std::string> git_changes;  ///< The files that make it dirty, as git names them.
  std::string harness_version;  ///< Source 004's HARNESS_VERSION: bumped when a shape changes.
  std::string assay_version;
  std::string started_at_utc;
  int64_t started_wall_ns = 0;  ///< Anchors the run's instants to the wall clock, for display.
  std::string host;
  std::vector<double> load_avg_start;
  std::optional<std::string> env_route;
  std::optional<std::string> env_llamacpp_url;
  std::string suite;      ///< `speed`, `prompt`, `synthetic`, or a suite's name.
  std::string suite_rev;  ///< Hash over its prompts.
  uint64_t seed = 0;
  std::optional<double> budget_s;
  std::vector<std::string> labels;  ///< `key=value`
  std::vector<std::string> notes;   ///< What the planner decided, for people.
  std::string options_json;         ///< The options that differ from their defaults, as JSON.
  Instrument instrument;
  std::vector<Cell> cells;
  std::vector<Prompt> prompts;
  std::vector<Leg> legs;
  std::vector<PlannedCall> calls;
  std::vector<std::string> declared_cells;  ///< Ids of a file of cells; empty: those of `cells`.
  std::vector<PreflightCheck> preflight;
  std::optional<Environment> environment;
  std::optional<ImportSource> imported;  ///< Absent when Assay measured the run itself.
};

/// How a server that is not ours has the model of a cell loaded, as it said during the run.
struct CellLoad {
  int64_t cell = 0;                         ///< Index into RunMeta::cells.
  int64_t at_ns = 0;                        ///< Since the run's start.
  std::optional<LaunchSettings> effective;  ///< As far as the server tells.
  std::vector<std::string> refused;         ///< Settings that it was asked for, and loaded without.
  std::optional<double> load_ms;            ///< Of a load that was asked for by itself.
  std::optional<int64_t> context_length;
  std::optional<int64_t> memory_bytes;
  std::optional<int64_t> vram_bytes;
};

/// What a server itself counted over the run, of all its clients.
struct ServerCounters {
  std::string url;
  std::optional<int64_t> prompt_tokens;
  std::optional<int64_t> output_tokens;
  std::optional<int64_t> prefix_queries{};  ///< Prompt tokens looked up in the prefix cache.
  std::optional<int64_t> prefix_hits{};     ///< Those of them that it had.
  std::vector<int64_t> legs{};              ///< The legs meanwhile; empty: the whole run.
  std::string model{};  ///< Of a server that counts each model by itself; else empty.
  int64_t load = 0;     ///< Which load of that model it counts from; is not kept.
};

/// A stretch in which no call was in flight on purpose: the machine was left to cool.
struct CoolingWait {
  int64_t from_ns = 0;  ///< Since the run's start, here and below.
  int64_t to_ns = 0;
  std::string gate;                     ///< `call`, `model` or `batch`
  std::optional<double> below_c;        ///< What it waited for; absent: for a time.
  std::optional<double> temperature_c;  ///< The hottest sensor at its end.
  bool cooled = true;                   ///< Not held up for as long as it may.
};

/// The ledger's last line. Absent after a crash.
struct RunEnd {
  std::string state;       ///< completed | cancelled | interrupted | failed
  std::string stopped_by;  ///< Why Assay itself interrupted it: `max_temp: …`; empty: it did not.
  std::string finished_at_utc;
  std::vector<double> load_avg_end;
  std::optional<double> wall_s;  ///< Absent when an imported file does not tell.
  std::optional<double> loop_lag_p99_ms;
  std::optional<double> loop_lag_max_ms;
  std::optional<double> in_flight_s;  ///< Seconds in flight, all calls together, as counted live.
  std::vector<ServerCounters> server_counters;  ///< Of servers that count; of one session alone.
  std::vector<ServerCounters> leg_counters;     ///< The same over each stage of the plan.
};

/// Everything a ledger holds, read back, and the samples of the machines beside it.
struct LedgerContent {
  RunMeta meta;
  std::vector<CallRecord> calls;  ///< In ledger order, attempts included.
  std::optional<RunEnd> end;
  std::vector<CoolingWait> waits;  ///< In order of time.
  std::vector<CellLoad> loads;     ///< In order of time; the cells of `meta` have taken them in.
  int64_t resumes = 0;
  int64_t torn_lines = 0;     ///< Cut lines at the end that were left out.
  int64_t unknown_lines = 0;  ///< Lines of a type this version does not know, and damaged ones.
  int64_t duplicates = 0;     ///< Final records of a planned call beyond its first.
  std::vector<std::string> damaged;  ///< What is wrong with damaged lines, by line; the first 100.
  std::vector<TelemetryStream> telemetry;  ///< Of telemetry.jsonl; empty where there is none.
};

template <>
struct EnumText<Arrivals> {
  static constexpr std::array kNames{std::pair{Arrivals::kConstant, std::string_view("constant")},
                                     std::pair{Arrivals::kPoisson, std::string_view("poisson")}};
};
template <>
struct EnumText<Prompt::Salt> {
  static constexpr std::array kNames{std::pair{Prompt::Salt::kNone, std::string_view("none")},
                                     std::pair{Prompt::Salt::kPerCall, std::string_view("call")},
                                     std::pair{Prompt::Salt::kPerLeg, std::string_view("leg")}};
};

}  // namespace assay
