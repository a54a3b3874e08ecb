#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/facts.h"

namespace assay {

/// The facts of one kind that are true, by their key.
template <class F>
using FactTable = std::map<decltype(std::declval<const F&>().key()), F, std::less<>>;

template <class Kinds>
struct TablesOf;
template <class... F>
struct TablesOf<std::variant<F...>> {
  using Type = std::tuple<FactTable<F>...>;
};

/// Everything a data directory knows that is no measurement.
struct State {
  TablesOf<Fact>::Type tables;  ///< One of each kind of fact.
  int64_t damaged_lines = 0;    ///< Left out; a cut last line is not counted.

  template <class F>
  [[nodiscard]] const FactTable<F>& all() const {
    return std::get<FactTable<F>>(tables);
  }
  /// Null when nothing is known of the key.
  template <class F, class Key>
  [[nodiscard]] const F* find(const Key& key) const {
    const auto found = all<F>().find(key);
    return found == all<F>().end() ? nullptr : &found->second;
  }
};

/// Facts are lines of `<data>/state.jsonl`, and the last one of a key is true. Lines of a type
/// that this version does not know are kept and skipped. No file is an empty state.
Result<State> read_state(const std::filesystem::path& data_dir);

/// Appends facts under the file's lock and returns when they are on the disk, all or none. Waits up
/// to five seconds for another process; then kConflict.
Result<void> add_to_state(const std::filesystem::path& data_dir, const std::vector<Fact>& facts);

}  // namespace assay
