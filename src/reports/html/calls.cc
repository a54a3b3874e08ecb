#include "reports/html/calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/text.h"
#include "reports/html/axis.h"
#include "reports/html/text.h"

namespace assay {
namespace {

constexpr double kRow = 14;
constexpr int64_t kWide = 1000;
constexpr int64_t kMarkWidth = 2;
constexpr double kWordsRoom = 1.7;  ///< Lengthens the scale where words stand behind bars.
constexpr size_t kLeastCalls = 3;
constexpr size_t kLaterTroubles = 8;
constexpr std::array kPlaces{500, 250, 125};  ///< Finest first.
constexpr int kTicks = 7;
constexpr size_t kReason = 48;

using Calls = std::vector<const CallRecord*>;

/// In the order of the plan.
Calls calls_of(const ReportModel& model, const LegResult& leg) {
  Calls calls;
  for (const size_t index : leg.calls) calls.push_back(&model.calls[index]);
  std::stable_sort(calls.begin(), calls.end(), [](const CallRecord* a, const CallRecord* b) {
    return a->run_idx < b->run_idx;
  });
  return calls;
}

std::optional<double> since_sent_ms(const CallRecord& r, const Instants::At& at) {
  if (!r.at.sent || !at) return std::nullopt;
  return static_cast<double>(*at - *r.at.sent) / 1e6;
}

/// Milliseconds from sent to the last thing known of the call.
double length_ms(const CallRecord& r) {
  double longest = 0;
  for (const auto& at : {r.at.first_event, r.at.first_text, r.at.last_text, r.at.done}) {
    longest = std::max(longest, since_sent_ms(r, at).value_or(0));
  }
  return longest;
}

/// Why a call is not ok.
std::string reason_of(const CallRecord& r) {
  constexpr std::string_view kMark = "skipped: ";
  std::string_view why = r.error ? std::string_view(*r.error) : std::string_view("no reason");
  if (why.starts_with(kMark)) why.remove_prefix(kMark.size());
  return printable(why, kReason);
}

std::string title_of(const CallRecord& r) {
  if (r.outcome != Outcome::kOk) return fmt::format("{}: {}", to_text(r.outcome), reason_of(r));
  const auto first = since_sent_ms(r, r.at.first_text);
  const auto last = since_sent_ms(r, r.at.last_text);
  return fmt::format("first text {} ms, last {} ms, {} events",
                     metric_text(*find_metric("ttft_ms"), first),
                     metric_text(*find_metric("e2e_ms"), last), r.text_events);
}

/// Dashes where text came. The scale has `places` of them; marks in neighbouring places run
/// together, so that their number is bounded and every longer pause is still seen.
std::string marks_path(const CallRecord& r, double scale_ms, int places) {
  const auto events = derive::text_events(r.tokens);
  if (!events) return {};
  const int64_t step = kWide / places;
  std::vector<int64_t> taken;
  for (const derive::TextEvent& event : *events) {
    const auto place =
        static_cast<int64_t>(static_cast<double>(event.at_us) / 1e3 / scale_ms * places);
    if (taken.empty() || place > taken.back()) taken.push_back(place);
  }
  std::string path;
  int64_t pen = 0;  // Where the last dash ended: moves from there are short to write.
  for (size_t i = 0; i < taken.size();) {
    const size_t begin = i++;
    while (i < taken.size() && taken[i] == taken[i - 1] + 1) ++i;
    const int64_t from = taken[begin] * step;
    const int64_t length = (taken[i - 1] - taken[begin]) * step + kMarkWidth;
    path += fmt::format("{}{} 0h{}", path.empty() ? 'M' : 'm', from - pen, length);
    pen = from + length;
  }
  return path;
}

std::string bar(std::string_view kind, double from, double to) {
  return fmt::format(R"(<path class="{}" d="M{} 0H{}"/>)", kind, short_number(from),
                     short_number(std::max(to, from + 1)));
}

/// The call's bars in a box of 1000 across; its text stands beside them, undistorted.
std::string bars_of(const CallRecord& r, double scale_ms, double y, int places) {
  const auto place = [&](double ms) { return static_cast<double>(kWide) * ms / scale_ms; };
  const auto first = since_sent_ms(r, r.at.first_text);
  const auto last = since_sent_ms(r, r.at.last_text);
  const double end = place(length_ms(r));
  std::string out = fmt::format(R"-(<g transform="translate(0 {})"><title>{} {}</title>)-",
                                short_number(y), r.run_idx + 1, html_text(title_of(r)));
  if (r.at.sent) out += bar("w", 0, first ? place(*first) : end);
  if (first && last) {
    out += bar("s", place(*first), place(*last));
    const std::string marks = marks_path(r, scale_ms, places);
    if (!marks.empty()) out += fmt::format(R"(<path class="t" d="{}"/>)", marks);
  }
  return out + "</g>";
}

/// What is drawn of a leg's calls.
struct Drawing {
  Calls calls;
  size_t later = 0;  ///< Of them: troubled ones beyond the first.
  double longest_ms = 0;
  Axis axis;
  std::string bars;
};

/// The first `count` calls, and of the others the first that gave no text.
Drawing draw(const Calls& all, size_t count, int places) {
  Drawing drawing;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i >= count && drawing.later == kLaterTroubles) break;
    const bool later = i >= count && all[i]->outcome != Outcome::kOk;
    if (i < count || later) drawing.calls.push_back(all[i]);
    drawing.later += later ? 1 : 0;
  }
  bool words = false;
  for (const CallRecord* call : drawing.calls) {
    drawing.longest_ms = std::max(drawing.longest_ms, length_ms(*call));
    words |= call->outcome != Outcome::kOk;
  }
  drawing.axis = axis_from_zero(std::max(drawing.longest_ms, 1e-3) * (words ? kWordsRoom : 1));
  for (size_t i = 0; i < drawing.calls.size(); ++i) {
    drawing.bars += bars_of(*drawing.calls[i], drawing.axis.high,
                            kRow * (static_cast<double>(i) + 0.5), places);
  }
  return drawing;
}

/// The first that fits: coarser marks come before fewer calls.
Drawing fitted(const Calls& all, const CallsLimits& limits) {
  size_t count = std::min(all.size(), limits.calls);
  for (;;) {
    for (const int places : kPlaces) {
      Drawing drawing = draw(all, count, places);
      if (drawing.bars.size() <= limits.bytes) return drawing;
    }
    if (count <= kLeastCalls) return draw(all, count, kPlaces.back());
    count = std::max(count / 2, kLeastCalls);
  }
}

/// The calls' numbers, and why a call gave no text.
std::string words_of(const Drawing& drawing) {
  std::string out = "<g class=\"e\">";
  std::string troubles;
  for (size_t i = 0; i < drawing.calls.size(); ++i) {
    const CallRecord& call = *drawing.calls[i];
    const std::string y = short_number(kRow * (static_cast<double>(i) + 0.5) + 4);
    out += fmt::format(R"(<text x="-6" y="{}">{}</text>)", y, call.run_idx + 1);
    if (call.outcome == Outcome::kOk) continue;
    troubles +=
        fmt::format(R"(<text class="bad" x="{}%" dx="5" y="{}">✕ {}<tspan>: {}</tspan></text>)",
                    short_number(drawing.axis.percent(length_ms(call))), y, to_text(call.outcome),
                    html_text(reason_of(call)));
  }
  return out + "</g>" + troubles;
}

}  // namespace

std::string calls_plot(const ReportModel& model, const LegResult& leg, const CallsLimits& limits) {
  const Calls all = calls_of(model, leg);
  if (all.empty()) return {};
  const Drawing drawing = fitted(all, limits);
  const double height = kRow * static_cast<double>(drawing.calls.size());
  std::string title = "Calls, each from the moment it was sent, ms";
  if (static_cast<int64_t>(drawing.calls.size()) < leg.n) {
    title += fmt::format(" · first {} of {} calls drawn", drawing.calls.size() - drawing.later,
                         grouped(static_cast<double>(leg.n), 0));
    if (drawing.later > 0) title += fmt::format(", and {} later without text", drawing.later);
  }
  return fmt::format(
      "<figure class=\"time\"><figcaption>{0}<small><span><i class=\"kw\"></i>waiting</span> "
      "<span><i class=\"ks\"></i>text</span> <span><i class=\"kt\"></i>text came</span></small>"
      "</figcaption>"
      "<svg class=\"plot\" width=\"100%\" height=\"{1}\" role=\"img\" aria-label=\"{2} calls: "
      "{3} ok, {4} failed, {5} skipped; the longest that is drawn took {6} ms\">"
      "<svg width=\"100%\" height=\"{7}\" viewBox=\"0 0 1000 {7}\" preserveAspectRatio=\"none\">"
      "{8}</svg>{9}{10}</svg></figure>\n",
      html_text(title), short_number(height + 20), leg.n, leg.ok, leg.failed, leg.skipped,
      metric_text(*find_metric("e2e_ms"), drawing.longest_ms), short_number(height), drawing.bars,
      words_of(drawing), axis_svg(drawing.axis, height, kTicks));
}

}  // namespace assay
