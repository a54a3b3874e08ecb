#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/clock.h"

namespace assay {

/// The prompts a model has seen, as the hashes of all their beginnings: finds the longest beginning
/// that some earlier prompt shares, in time linear in the prompt.
class PrefixCache {
 public:
  /// Tokens at the start of `prompt` that an earlier one had too, then remembers `prompt`. At most
  /// all but one: the last token is always evaluated, as in llama.cpp.
  int64_t match_and_add(const std::vector<std::string_view>& prompt);
  void clear() { beginnings_.clear(); }

 private:
  std::unordered_set<uint64_t> beginnings_;
};

/// How a model is to be loaded. Absent: as the engine likes.
struct LoadedAs {
  std::optional<int64_t> context_length;
  std::optional<int64_t> gpu_layers;
  std::optional<int64_t> batch_size;
  std::optional<bool> flash_attention;
  std::optional<bool> kv_offload;

  bool operator==(const LoadedAs&) const = default;
};

/// What the mock engine remembers about its models. Lives on the server's thread.
class ModelTable {
 public:
  /// How long a call that starts at `start` waits for the load: all of `load_time` for the first
  /// one, what is left for those that come while it lasts.
  Nanos load_wait(const std::string& model, MonoNs start, Nanos load_time);

  /// The next call loads again and finds no cached prompt.
  void unload(const std::string& model);

  /// Of the load that comes next, or of the one that is there: a load with other settings begins
  /// with an unload.
  void load_as(const std::string& model, const LoadedAs& settings);
  [[nodiscard]] LoadedAs loaded_as(const std::string& model) const;

  PrefixCache& prefixes(const std::string& model) { return models_[model].prefixes; }

  /// Counts the answers of a model, from 0: decides the gaps, together with the seed.
  int64_t next_answer(const std::string& model) { return models_[model].answers++; }

  [[nodiscard]] std::vector<std::string> loaded() const;
  /// When the model's load is or was over; absent when nobody asked for it.
  [[nodiscard]] std::optional<MonoNs> loaded_at(const std::string& model) const;

  /// False when so many names are known that no further one is taken.
  [[nodiscard]] bool admits(const std::string& model) const;

 private:
  struct Model {
    std::optional<MonoNs> loaded_at;
    LoadedAs loaded_as;
    PrefixCache prefixes;
    int64_t answers = 0;
  };
  std::map<std::string, Model> models_;
};

}  // namespace assay
