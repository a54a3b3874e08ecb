#pragma once

#include <string>
#include <vector>

namespace assay {

/// A linear axis; places are percents of its width, so that plots fit any page without script.
struct Axis {
  double low = 0;
  double high = 1;

  [[nodiscard]] double percent(double value) const {
    return high > low ? 100 * (value - low) / (high - low) : 50;
  }
};

/// From zero to a little beyond `highest`.
Axis axis_from_zero(double highest);
/// Around the values, with some room on both sides; never below zero when `lowest` is not.
Axis axis_around(double lowest, double highest);

struct Tick {
  double at = 0;
  std::string text;
};
/// Round values within the axis, at most `most` of them.
std::vector<Tick> ticks_of(const Axis& axis, int most);

/// The axis as a line at height `y` with its numbers below.
std::string axis_svg(const Axis& axis, double y, int most);

}  // namespace assay
