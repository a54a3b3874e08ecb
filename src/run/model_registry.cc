#include "run/model_registry.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "telemetry/sensor_file.h"

namespace assay {
namespace {

SeenModel seen_now(const RegisteredModel& model, const SeenModel* before,
                   std::string_view now_utc) {
  SeenModel seen;
  seen.fingerprint = model.fingerprint;
  seen.place = model.listed.place;
  seen.root = to_valid_utf8(model.listed.root.string());
  seen.path = to_valid_utf8(model.listed.path);
  seen.name = to_valid_utf8(model.listed.name);
  seen.bytes = model.bytes;
  seen.mtime_ns = model.mtime_ns;
  seen.digest = model.digest;
  seen.present = model.present;
  seen.at_utc = now_utc;
  const bool unchanged =
      before != nullptr && before->bytes == seen.bytes && before->mtime_ns == seen.mtime_ns;
  if (!seen.digest && unchanged) seen.digest = before->digest;
  return seen;
}

bool says_the_same(SeenModel a, const SeenModel& b) {
  a.at_utc = b.at_utc;
  return a == b;
}

/// What is gone loses enabled; whether it may be benchmarked is kept for its return.
void lose_enabled(const State& state, const std::string& fingerprint, std::string_view now_utc,
                  std::vector<Fact>& facts) {
  const auto* flags = state.find<ModelFlags>(fingerprint);
  if (flags == nullptr || !flags->enabled) return;
  facts.emplace_back(ModelFlags{fingerprint, false, flags->benchmark, std::string(now_utc)});
}

/// Directories of the scan by their names in the state; whether each was scanned whole.
std::map<std::string, bool> roots_of(const Scan& scan) {
  std::map<std::string, bool> roots;
  for (const ScannedRoot& root : scan.roots) {
    roots[to_valid_utf8(root.path.string())] = root.scanned;
  }
  return roots;
}

std::set<std::string> fingerprints_of(const Scan& scan) {
  std::set<std::string> found;
  for (const RegisteredModel& model : scan.models) found.insert(model.fingerprint);
  return found;
}

RegisteredModel missing_model(const SeenModel& seen, bool scanned) {
  RegisteredModel model;
  model.listed.place = seen.place;
  model.listed.root = seen.root;
  model.listed.path = seen.path;
  model.listed.name = seen.name;
  model.fingerprint = seen.fingerprint;
  model.state = ModelState::kMissing;
  model.reason = scanned ? fmt::format("there is no file {} any more", seen.path)
                         : "its directory could not be scanned";
  model.bytes = seen.bytes;
  model.mtime_ns = seen.mtime_ns;
  model.digest = seen.digest;
  return model;
}

}  // namespace

std::vector<Fact> facts_of_scan(const Scan& scan, const State& state, std::string_view now_utc) {
  std::vector<Fact> facts;
  for (const RegisteredModel& model : scan.models) {
    if (model.state == ModelState::kShadowed) continue;
    const auto* before = state.find<SeenModel>(model.fingerprint);
    SeenModel seen = seen_now(model, before, now_utc);
    if (before == nullptr || !says_the_same(seen, *before)) facts.emplace_back(std::move(seen));
    if (!model.present) lose_enabled(state, model.fingerprint, now_utc, facts);
  }
  const auto roots = roots_of(scan);
  const auto found = fingerprints_of(scan);
  for (const auto& [fingerprint, before] : state.all<SeenModel>()) {
    const auto root = roots.find(before.root);
    if (root == roots.end() || !root->second || found.contains(fingerprint)) continue;
    if (before.present) {
      SeenModel gone = before;
      gone.present = false;
      gone.at_utc = now_utc;
      facts.emplace_back(std::move(gone));
    }
    lose_enabled(state, fingerprint, now_utc, facts);
  }
  return facts;
}

void apply_state(const State& state, Scan& scan) {
  const auto roots = roots_of(scan);
  const auto found = fingerprints_of(scan);
  for (const auto& [fingerprint, seen] : state.all<SeenModel>()) {
    const auto root = roots.find(seen.root);
    if (root == roots.end() || found.contains(fingerprint)) continue;
    scan.models.push_back(missing_model(seen, root->second));
  }
  for (RegisteredModel& model : scan.models) {
    const auto* seen = state.find<SeenModel>(model.fingerprint);
    if (seen != nullptr && !model.digest && seen->bytes == model.bytes &&
        seen->mtime_ns == model.mtime_ns && model.state == ModelState::kWhole) {
      model.digest = seen->digest;
    }
    const auto* flags = state.find<ModelFlags>(model.fingerprint);
    if (flags == nullptr || model.state == ModelState::kShadowed) continue;
    model.enabled = flags->enabled && model.present;
    model.benchmark = flags->benchmark;
  }
}

Result<Scan> read_registry(const std::filesystem::path& data_dir, const Surroundings& where,
                           const DigestCache& cache, const ScanProgress& progress) {
  auto state = read_state(data_dir);
  if (!state) return fail(state.error());
  Scan scan = scan_models(where, cache, progress);
  const auto facts = facts_of_scan(scan, *state, utc_text(wall_now_ns()));
  if (!facts.empty()) {
    if (auto added = add_to_state(data_dir, facts); !added) return fail(added.error());
    state = read_state(data_dir);
    if (!state) return fail(state.error());
  }
  apply_state(*state, scan);
  return scan;
}

std::vector<MemoryPool> memory_pools(const EnvironmentSource& source) {
  std::vector<MemoryPool> pools;
  if (const auto bytes = available_memory(source)) pools.push_back({"memory", *bytes});
  return pools;
}

std::vector<MemoryPool> gpu_pools(const MachineRoots& roots) {
  Machine machine(roots, mono_now_ns());
  const TelemetrySample sample = machine.sample(mono_now_ns(), {});
  const auto& facts = machine.about().facts;
  std::vector<MemoryPool> pools;
  for (size_t i = 0; i < sample.gpus.size(); ++i) {
    const auto total = facts.find(fmt::format("gpu{}_memory_bytes", i));
    const auto& used = sample.gpus[i].memory_used_bytes;
    if (total == facts.end() || !used) continue;
    const auto bytes = number_in(total->second);
    if (!bytes || *bytes <= *used) continue;
    pools.push_back({fmt::format("GPU {}", i), static_cast<int64_t>(*bytes - *used)});
  }
  return pools;
}

}  // namespace assay
