#pragma once

#include <string>
#include <string_view>

#include "base/function_ref.h"

namespace assay {

/// Tells reasoning in `<think>` tags from visible text, with the tags split anywhere. A tag opens
/// reasoning only before the first visible byte, so that an answer may speak about tags. Tags count
/// as reasoning.
class ThinkSplitter {
 public:
  enum class Part : uint8_t { kReasoning, kVisible };
  /// `early` is set when the piece's first byte came with an earlier feed.
  using OnPart = FunctionRef<void(Part part, std::string_view piece, bool early)>;

  void feed(std::string_view text, OnPart on_part) {
    const bool carried = !held_.empty();
    std::string joined;
    if (carried) {
      joined.swap(held_);
      joined.append(text);
      text = joined;
    }
    bool early = carried;
    const auto give = [&](Part part, size_t length) {
      if (length > 0) on_part(part, text.substr(0, length), early);
      text.remove_prefix(length);
      if (length > 0) early = false;
    };
    while (!text.empty()) {
      if (state_ == State::kVisible) return give(Part::kVisible, text.size());
      if (state_ == State::kStart) {
        const size_t mark = text.find_first_not_of(" \t\r\n");
        if (mark == std::string_view::npos) return give(Part::kVisible, text.size());
        give(Part::kVisible, mark);
        const Match match = match_tag(text, kOpen);
        if (match == Match::kMaybe) return hold(text);
        state_ = match == Match::kYes ? State::kReasoning : State::kVisible;
        if (match == Match::kYes) give(Part::kReasoning, kOpen.size());
        continue;
      }
      size_t close = text.find('<');
      while (close != std::string_view::npos &&
             match_tag(text.substr(close), kClose) == Match::kNo) {
        close = text.find('<', close + 1);
      }
      if (close == std::string_view::npos) return give(Part::kReasoning, text.size());
      give(Part::kReasoning, close);
      if (match_tag(text, kClose) == Match::kMaybe) return hold(text);
      give(Part::kReasoning, kClose.size());
      state_ = State::kVisible;
    }
  }

  /// Whether the start of a possible tag waits for its rest.
  [[nodiscard]] bool holding() const { return !held_.empty(); }

  /// The stream ended: a tag that never completed is text of its kind.
  void finish(OnPart on_part) {
    if (held_.empty()) return;
    const Part part = state_ == State::kReasoning ? Part::kReasoning : Part::kVisible;
    on_part(part, held_, true);
    held_.clear();
  }

 private:
  enum class State : uint8_t { kStart, kReasoning, kVisible };
  enum class Match : uint8_t { kNo, kMaybe, kYes };
  static constexpr std::string_view kOpen = "<think>";
  static constexpr std::string_view kClose = "</think>";

  static Match match_tag(std::string_view text, std::string_view tag) {
    if (text.substr(0, tag.size()) == tag) return Match::kYes;
    return tag.substr(0, text.size()) == text ? Match::kMaybe : Match::kNo;
  }
  void hold(std::string_view text) {
    std::string kept(text);  // `text` may lie in what `held_` was.
    held_.swap(kept);
  }

  State state_ = State::kStart;
  std::string held_;
};

}  // namespace assay
