#include "supervise/ladder.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

std::vector<int64_t> layers_of(const std::vector<LaunchSettings>& rungs) {
  std::vector<int64_t> layers;
  for (const LaunchSettings& rung : rungs) layers.push_back(rung.gpu_layers.value_or(-1));
  return layers;
}

TEST(OffloadLadder, WithoutAWishItStartsWithAllLayers) {
  const auto rungs = offload_ladder({}, 32);
  EXPECT_EQ(layers_of(rungs), (std::vector<int64_t>{33, 23, 16, 9, 0}));
  for (const LaunchSettings& rung : rungs) {
    EXPECT_EQ(rung.gpu_hidden, rung.gpu_layers == 0);
    EXPECT_FALSE(rung.gpu_offload);
  }
}

TEST(OffloadLadder, AWishIsTheFirstRungAndOnlyFewerLayersFollow) {
  LaunchSettings requested;
  requested.gpu_layers = 20;
  EXPECT_EQ(layers_of(offload_ladder(requested, 32)), (std::vector<int64_t>{20, 16, 9, 0}));
  requested.gpu_layers.reset();
  requested.gpu_offload = 0.5;
  EXPECT_EQ(layers_of(offload_ladder(requested, 32)), (std::vector<int64_t>{16, 9, 0}));
}

TEST(OffloadLadder, MoreLayersThanThereAreMeansAll) {
  LaunchSettings requested;
  requested.gpu_layers = 999;
  EXPECT_EQ(layers_of(offload_ladder(requested, 32)).front(), 33);
}

TEST(OffloadLadder, NoneOnTheGpuHasNothingBelow) {
  LaunchSettings requested;
  requested.gpu_layers = 0;
  EXPECT_EQ(layers_of(offload_ladder(requested, 32)), (std::vector<int64_t>{0}));
  EXPECT_FALSE(offload_ladder(requested, 32)[0].gpu_hidden);
  requested.gpu_layers.reset();
  requested.gpu_offload = 0;
  EXPECT_EQ(layers_of(offload_ladder(requested, std::nullopt)), (std::vector<int64_t>{0}));
}

TEST(OffloadLadder, AnUnknownNumberOfLayersLeavesAllOrNone) {
  EXPECT_EQ(layers_of(offload_ladder({}, std::nullopt)), (std::vector<int64_t>{999, 0}));
}

TEST(OffloadLadder, NoRungIsTriedTwice) {
  EXPECT_EQ(layers_of(offload_ladder({}, 1)), (std::vector<int64_t>{2, 1, 0}));
  EXPECT_EQ(layers_of(offload_ladder({}, 0)), (std::vector<int64_t>{1, 0}));
}

TEST(OffloadLadder, WhatElseWasAskedForStays) {
  LaunchSettings requested;
  requested.context_length = 4096;
  requested.cache_type_k = "q8_0";
  for (const LaunchSettings& rung : offload_ladder(requested, 8)) {
    EXPECT_EQ(rung.context_length, 4096);
    EXPECT_EQ(rung.cache_type_k, "q8_0");
  }
}

}  // namespace
}  // namespace assay
