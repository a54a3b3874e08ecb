#include "store/telemetry_file.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "store/telemetry_relay.h"
#include "store/telemetry_row.h"
#include "unit/store/store_test_support.h"

namespace assay {
namespace {

TelemetryStream about_two_cards() {
  TelemetryStream about;
  about.node = "local";
  about.cells = {"local:llamacpp:m"};
  about.rate_hz = 2;
  about.cores = 2;
  about.gpus = 2;
  about.missing = {{"cpu_energy_j", "needs rights"}};
  about.facts = {{"governor", "powersave"}};
  return about;
}

TelemetrySample sample_at(int64_t ms) {
  TelemetrySample sample;
  sample.at_ns = ms * 1'000'000;
  sample.cpu_percent = 12.34;
  sample.ram_used_bytes = 8e9;
  sample.cores = {{99.6, 3400}, {}};
  sample.gpus.resize(2);
  sample.gpus[1].power_w = 59.876;
  return sample;
}

std::vector<TelemetryStream> parsed(const std::vector<std::string>& lines) {
  TelemetryParser parser;
  for (const std::string& line : lines) parser.add(line);
  return parser.take();
}

TEST(TelemetryFile, WhatIsWrittenIsReadBack) {
  const TelemetryStream about = about_two_cards();
  const auto streams =
      parsed({telemetry_header_line(about, 0), telemetry_row_line(about, sample_at(1000), 0),
              telemetry_row_line(about, sample_at(1500), 0)});
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].node, "local");
  EXPECT_EQ(streams[0].cells, about.cells);
  EXPECT_EQ(streams[0].rate_hz, 2);
  EXPECT_EQ(streams[0].missing, about.missing);
  EXPECT_EQ(streams[0].facts, about.facts);
  ASSERT_EQ(streams[0].samples.size(), 2U);
  const TelemetrySample& sample = streams[0].samples[1];
  EXPECT_EQ(sample.at_ns, 1'500'000'000);
  EXPECT_DOUBLE_EQ(*sample.cpu_percent, 12.3);
  EXPECT_DOUBLE_EQ(*sample.ram_used_bytes, 8e9);
  EXPECT_FALSE(sample.cpu_mhz);
  ASSERT_EQ(sample.gpus.size(), 2U);
  EXPECT_DOUBLE_EQ(*sample.gpus[1].power_w, 59.88);
  EXPECT_FALSE(sample.gpus[0].power_w);
}

TEST(TelemetryFile, ARowIsShort) {
  EXPECT_LT(telemetry_row_line(about_two_cards(), sample_at(123456), 0).size(), 300U);
}

TEST(TelemetryFile, CutAndDamagedLinesArePassedOver) {
  const TelemetryStream about = about_two_cards();
  const std::string row = telemetry_row_line(about, sample_at(1000), 0);
  const auto streams = parsed({row, telemetry_header_line(about, 0), row.substr(0, row.size() / 2),
                               "[0,1]", "[9" + row.substr(2), "", "{", "[]", "[0,nan]", "null", row,
                               row, telemetry_row_line(about, sample_at(500), 0)});
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].samples.size(), 1U) << "once, and never back in time";
}

TEST(TelemetryFile, AResumedRunContinuesItsStream) {
  TelemetryStream about = about_two_cards();
  const std::string first = telemetry_header_line(about, 0);
  about.facts["governor"] = "performance";
  const auto streams = parsed(
      {first, telemetry_row_line(about, sample_at(1000), 0),
       telemetry_row_line(about, sample_at(2000), 0), telemetry_row_line(about, sample_at(3000), 0),
       telemetry_header_line(about, 0), telemetry_row_line(about, sample_at(2400), 0),
       telemetry_row_line(about, sample_at(2900), 0)});
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].facts.at("governor"), "performance");
  // What was sampled of calls that were done again is gone.
  std::vector<int64_t> ms;
  for (const TelemetrySample& sample : streams[0].samples) ms.push_back(sample.at_ns / 1'000'000);
  EXPECT_EQ(ms, (std::vector<int64_t>{1000, 2400, 2900}));
  EXPECT_TRUE(streams[0].samples[1].begins);
  EXPECT_FALSE(streams[0].samples[2].begins);
}

TEST(TelemetryFile, WhatCameAfterTheHeaderHasNoReasonAnyMore) {
  TelemetryStream about = about_two_cards();
  about.missing["engine_memory_bytes"] = "no engine was started here";
  TelemetrySample sample = sample_at(1000);
  sample.engine_memory_bytes = 1e9;
  const auto streams =
      parsed({telemetry_header_line(about, 0), telemetry_row_line(about, sample, 0)});
  EXPECT_FALSE(streams[0].missing.contains("engine_memory_bytes"));
}

TEST(TelemetryFile, ColumnsOfAnotherVersionAreSkipped) {
  const auto streams =
      parsed({R"({"type":"telemetry","stream":3,"node":"box","columns":["new_thing","cpu_mhz",7]})",
              "[3,10.5,1,2400,3]"});
  ASSERT_EQ(streams.size(), 1U);
  ASSERT_EQ(streams[0].samples.size(), 1U);
  EXPECT_DOUBLE_EQ(*streams[0].samples[0].cpu_mhz, 2400);
}

TEST(TelemetryFile, ALastLineWithoutItsEndIsCut) {
  const TempDir dir;
  const TelemetryStream about = about_two_cards();
  const auto path = dir.path() / "telemetry.jsonl";
  {
    std::ofstream file(path);
    file << telemetry_header_line(about, 0) << "\n"
         << telemetry_row_line(about, sample_at(1000), 0) << "\n"
         << telemetry_row_line(about, sample_at(2000), 0);
  }
  ASSERT_EQ(read_telemetry(path).size(), 1U);
  EXPECT_EQ(read_telemetry(path)[0].samples.size(), 1U);
  EXPECT_TRUE(read_telemetry(dir.path() / "none").empty());
}

TEST(TelemetryRoom, ALongRunIsThinnedThenEnds) {
  TelemetryRoom room;
  constexpr size_t kLine = 1 << 10;
  size_t kept = 0;
  size_t seen = 0;
  size_t last = 0;
  for (; seen < 10 * kMaxTelemetryBytes / kLine; ++seen) {
    if (!room.take(kLine, 0)) continue;
    ++kept;
    last = seen;
  }
  EXPECT_EQ(kept, kMaxTelemetryBytes / kLine);
  EXPECT_GT(last, 5 * kMaxTelemetryBytes / kLine) << "the second half lasts ten times as long";
  EXPECT_FALSE(TelemetryRoom(kMaxTelemetryBytes).take(1, 0)) << "an earlier session filled it";
}

TEST(TelemetryRoom, EveryMachineIsThinnedByItself) {
  TelemetryRoom room(kMaxTelemetryBytes / 2);
  std::array<int, 2> kept{};
  for (int i = 0; i < 100; ++i) {
    for (const size_t stream : {0U, 1U}) {
      kept.at(stream) += room.take(64, static_cast<int64_t>(stream)) ? 1 : 0;
    }
  }
  EXPECT_EQ(kept[0], 10);
  EXPECT_EQ(kept[1], 10);
}

TEST(TelemetryRelay, LinesOfAnotherMachineAreMadeTheRuns) {
  const TelemetryStream theirs = about_two_cards();
  TelemetryStream as;
  as.node = "box";
  as.cells = {"box:ollama:m"};
  as.clock_bound_ms = 0.5;
  size_t columns = 0;
  const auto header = relayed_header(telemetry_header_line(theirs, 0), as, 2, columns);
  ASSERT_TRUE(header);
  const auto row =
      relayed_row(telemetry_row_line(theirs, sample_at(90'000), 0), columns, 2, -60'000);
  ASSERT_TRUE(row);
  const auto streams = parsed({*header, *row});
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].node, "box");
  EXPECT_EQ(streams[0].cells, as.cells);
  EXPECT_EQ(streams[0].clock_bound_ms, 0.5);
  ASSERT_EQ(streams[0].samples.size(), 1U);
  EXPECT_EQ(streams[0].samples[0].at_ns, 30'000'000'000);
  EXPECT_DOUBLE_EQ(*streams[0].samples[0].gpus[1].power_w, 59.88);
}

TEST(TelemetryRelay, WhatIsNoLineOfItsIsDropped) {
  size_t columns = 3;
  for (const char* line : {"", "hello", "[1,2", "[0,1,2,3]", "[0,1,2,3,4,5]", R"([0,"x",1,2,3])"}) {
    EXPECT_FALSE(relayed_row(line, columns, 1, 0)) << line;
    EXPECT_FALSE(relayed_header(line, {}, 1, columns)) << line;
    EXPECT_FALSE(parse_clock_line(line)) << line;
  }
  EXPECT_TRUE(relayed_row("[0,1,2,3,null]", columns, 1, 0));
}

TEST(TelemetryRelay, ClockAnswersAreReadBack) {
  const auto answer = parse_clock_line(clock_line({7, 123'456'789'012}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, 7);
  EXPECT_EQ(answer->at_ns, 123'456'789'012);
  EXPECT_FALSE(parse_clock_line(R"({"type":"clock","id":1,"at_ns":-5})"));
}

}  // namespace
}  // namespace assay
