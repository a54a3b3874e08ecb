#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "model/document_fields.h"

namespace assay {

// The facts that are no measurement. Each is a struct with
//   kType          its `type` in state.jsonl, which never changes,
//   key()          what it is about: the last fact of a key is true,
//   ends()         whether it is a tombstone: there is nothing to know of the key any more,
//   visit_members  the list of its members, which writing and reading come from.
// A new kind is such a struct and its name in `Fact`. Times are UTC, as people read them.

/// A run that others are compared with, under a name.
struct Baseline {
  static constexpr std::string_view kType = "baseline";
  std::string name;
  std::optional<std::string> run_id;  ///< Absent: the name means nothing any more.
  std::string set_at_utc;

  [[nodiscard]] std::string key() const { return name; }
  [[nodiscard]] bool ends() const { return !run_id; }
};

/// How far identical runs lie apart on a machine: what a difference has to exceed.
struct NoiseFloor {
  static constexpr std::string_view kType = "noise_floor";
  std::string host;
  std::string cell_id;
  std::string metric;
  double share = 0;   ///< Relative: 0.012 is 1.2 %.
  int64_t pairs = 0;  ///< Identical pairs that it comes from.
  std::string measured_at_utc;

  [[nodiscard]] std::tuple<std::string, std::string, std::string> key() const {
    return {host, cell_id, metric};
  }
  [[nodiscard]] bool ends() const { return false; }
};

/// A model file that a scan found, or no longer found.
struct SeenModel {
  static constexpr std::string_view kType = "model";
  std::string fingerprint;  ///< See registry/fingerprint.h.
  std::string place;        ///< A name of the table of places.
  std::string root;         ///< The scanned directory.
  std::string path;         ///< Of its first file, below the root.
  std::string name;
  int64_t bytes = 0;
  int64_t mtime_ns = 0;
  std::optional<std::string> digest;  ///< Of its content; absent until it was computed.
  bool present = false;
  std::string at_utc;

  bool operator==(const SeenModel&) const = default;

  [[nodiscard]] std::string key() const { return fingerprint; }
  [[nodiscard]] bool ends() const { return false; }
};

/// What a person decided about a model.
struct ModelFlags {
  static constexpr std::string_view kType = "model_flags";
  std::string fingerprint;
  bool enabled = false;
  bool benchmark = false;  ///< May be planned; says nothing while the model is not enabled.
  std::string at_utc;

  [[nodiscard]] std::string key() const { return fingerprint; }
  [[nodiscard]] bool ends() const { return false; }
};

/// Of a run or leg whose figures are not to be used: they are no known result.
inline constexpr std::string_view kInvalidMark = "invalid";

/// A person's remark on a run or on one of its legs.
struct Mark {
  static constexpr std::string_view kType = "mark";
  std::string run_id;
  std::optional<int64_t> leg;  ///< Index into RunMeta::legs; absent: the whole run.
  std::string mark;            ///< One word, such as `invalid`.
  std::string note;
  bool set = true;  ///< False takes the mark away.
  std::string at_utc;

  [[nodiscard]] std::tuple<std::string, int64_t, std::string> key() const {
    return {run_id, leg.value_or(-1), mark};
  }
  [[nodiscard]] bool ends() const { return !set; }
};

/// A run that others can see, so that it must not go.
struct Publication {
  static constexpr std::string_view kType = "published";
  std::string run_id;
  std::optional<std::string> where;  ///< Absent: it was withdrawn.
  std::string at_utc;

  [[nodiscard]] std::string key() const { return run_id; }
  [[nodiscard]] bool ends() const { return !where; }
};

/// A run that was deleted: no index shows it, also when its files are still there.
struct RemovedRun {
  static constexpr std::string_view kType = "run_removed";
  std::string run_id;
  std::string reason;
  std::string at_utc;

  [[nodiscard]] std::string key() const { return run_id; }
  [[nodiscard]] bool ends() const { return false; }
};

/// The last time that everything measured of a model was deleted.
struct ModelReset {
  static constexpr std::string_view kType = "model_reset";
  std::string fingerprint;
  std::vector<std::string> run_ids;  ///< Deleted by it.
  std::string at_utc;

  [[nodiscard]] std::string key() const { return fingerprint; }
  [[nodiscard]] bool ends() const { return false; }
};

/// The one list of kinds.
using Fact = std::variant<Baseline, NoiseFloor, SeenModel, ModelFlags, Mark, Publication,
                          RemovedRun, ModelReset>;

template <Of<Baseline> S, class Visit>
void visit_members(S& b, Visit&& visit) {
  visit("name", b.name);
  visit("run_id", b.run_id);
  visit("at", b.set_at_utc);
}

template <Of<NoiseFloor> S, class Visit>
void visit_members(S& f, Visit&& visit) {
  visit("host", f.host);
  visit("cell_id", f.cell_id);
  visit("metric", f.metric);
  visit("share", f.share);
  visit("pairs", f.pairs);
  visit("at", f.measured_at_utc);
}

template <Of<SeenModel> S, class Visit>
void visit_members(S& m, Visit&& visit) {
  visit("fingerprint", m.fingerprint);
  visit("place", m.place);
  visit("root", m.root);
  visit("path", m.path);
  visit("name", m.name);
  visit("bytes", m.bytes);
  visit("mtime_ns", m.mtime_ns);
  visit("digest", m.digest);
  visit("present", m.present);
  visit("at", m.at_utc);
}

template <Of<ModelFlags> S, class Visit>
void visit_members(S& f, Visit&& visit) {
  visit("fingerprint", f.fingerprint);
  visit("enabled", f.enabled);
  visit("benchmark", f.benchmark);
  visit("at", f.at_utc);
}

template <Of<Mark> S, class Visit>
void visit_members(S& m, Visit&& visit) {
  visit("run_id", m.run_id);
  visit("leg", m.leg);
  visit("mark", m.mark);
  visit("note", m.note);
  visit("set", m.set);
  visit("at", m.at_utc);
}

template <Of<Publication> S, class Visit>
void visit_members(S& p, Visit&& visit) {
  visit("run_id", p.run_id);
  visit("where", p.where);
  visit("at", p.at_utc);
}

template <Of<RemovedRun> S, class Visit>
void visit_members(S& r, Visit&& visit) {
  visit("run_id", r.run_id);
  visit("reason", r.reason);
  visit("at", r.at_utc);
}

template <Of<ModelReset> S, class Visit>
void visit_members(S& r, Visit&& visit) {
  visit("fingerprint", r.fingerprint);
  visit("run_ids", r.run_ids);
  visit("at", r.at_utc);
}

}  // namespace assay
