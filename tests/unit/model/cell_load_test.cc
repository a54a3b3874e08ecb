#include "model/cell_load.h"

#include <gtest/gtest.h>

#include "model/json.h"

namespace assay {
namespace {

CellLoad sample() {
  CellLoad load;
  load.cell = 2;
  load.at_ns = 7;
  load.effective.emplace();
  load.effective->context_length = 2048;
  load.effective->flash_attention = "off";
  load.refused = {"kv_offload"};
  load.context_length = 2048;
  load.memory_bytes = 1'000;
  return load;
}

TEST(CellLoad, IsReadAsItWasWritten) {
  const std::string line = load_line(sample());
  EXPECT_EQ(line_type(line).value(), LineType::kLoad);
  const auto read = parse_load(line);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(load_line(*read), line);
  EXPECT_EQ(read->cell, 2);
  EXPECT_EQ(read->effective->flash_attention, "off");
  EXPECT_FALSE(read->vram_bytes);
}

TEST(CellLoad, WhatIsToldHoldsAndTheRestStays) {
  Cell cell;
  cell.context_length = 131'072;
  cell.vram_bytes = 5;
  cell.load_effective.emplace();
  cell.load_effective->batch_size = 512;
  EXPECT_FALSE(knows_load(cell, sample()));
  take_load(sample(), cell);
  EXPECT_EQ(cell.context_length, 2048);
  EXPECT_EQ(cell.memory_bytes, 1'000);
  EXPECT_EQ(cell.vram_bytes, 5);
  EXPECT_EQ(cell.load_effective->batch_size, 512);
  EXPECT_EQ(cell.load_effective->context_length, 2048);
  EXPECT_TRUE(knows_load(cell, sample()));
  CellLoad grown = sample();
  grown.memory_bytes = 2'000;
  EXPECT_FALSE(knows_load(cell, grown));
}

TEST(CellLoad, SaysWhatWasNotHeeded) {
  Cell cell;
  EXPECT_TRUE(not_as_asked(cell).empty());
  cell.load_requested.emplace();
  cell.load_requested->context_length = 4096;
  cell.load_requested->flash_attention = "auto";
  cell.load_requested->kv_offload = true;
  cell.load_requested->threads = 3;  // Nobody tells what became of it.
  take_load(sample(), cell);
  EXPECT_EQ(not_as_asked(cell),
            (std::vector<std::string>{"kv_offload was refused",
                                      "context_length is 2048 instead of 4096"}));
  cell.managed = true;
  EXPECT_TRUE(not_as_asked(cell).empty());
}

TEST(CellLoad, ALaterSettingLeavesTheHashesAsTheyWere) {
  CallSettings settings;
  settings.load.emplace();
  settings.load->threads = 2;
  const std::string before = settings_hash(settings);
  settings.load->kv_offload = false;
  EXPECT_NE(settings_hash(settings), before);
}

}  // namespace
}  // namespace assay
