#include "model/load_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/json.h"
#include "model/options.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(LaunchSettings, WhatIsInRangeIsNoFault) {
  LaunchSettings settings;
  settings.threads = 8;
  settings.context_length = 131072;
  settings.parallel = 4;
  settings.gpu_layers = 0;
  settings.cache_type_k = "q8_0";
  settings.flash_attention = "auto";
  EXPECT_THAT(check_load_settings(settings), IsEmpty());
  EXPECT_THAT(check_load_settings({}), IsEmpty());
}

TEST(LaunchSettings, EveryFaultIsNamed) {
  LaunchSettings settings;
  settings.threads = 1025;
  settings.parallel = 0;
  settings.gpu_layers = -1;
  settings.gpu_offload = 1.01;
  settings.cache_type_v = "q9";
  EXPECT_THAT(check_load_settings(settings),
              ElementsAre(HasSubstr("--threads"), HasSubstr("--parallel"),
                          HasSubstr("--gpu-layers"), HasSubstr("--cache-type-v"),
                          HasSubstr("--gpu-offload"), HasSubstr("exclude each other")));
}

TEST(LaunchSettings, ZeroThreadsMeansAsManyAsSuit) {
  RunSpec spec;
  EXPECT_EQ(load_settings_of(spec), LaunchSettings());
  spec.threads = 3;
  EXPECT_EQ(load_settings_of(spec).threads, 3);
}

TEST(SettingsHash, AFallBackChangesIt) {
  const CallSettings call;
  LaunchSettings full;
  full.gpu_layers = 33;
  LaunchSettings fallen = full;
  fallen.gpu_layers = 0;
  LaunchSettings hidden = fallen;
  hidden.gpu_hidden = true;
  EXPECT_NE(settings_hash(call, full), settings_hash(call, fallen));
  EXPECT_NE(settings_hash(call, fallen), settings_hash(call, hidden));
  EXPECT_EQ(settings_hash(call, full), settings_hash(call, full));
}

TEST(Ledger, KeepsHowAModelWasLoaded) {
  RunMeta meta;
  Cell cell;
  cell.id = "local:llamacpp:m";
  cell.launcher = "llama-server";
  cell.load_requested.emplace().context_length = 4096;
  cell.load_effective = cell.load_requested;
  cell.load_effective->gpu_layers = 7;
  cell.load_effective->mmap = false;
  LoadAttempt failed;
  failed.outcome = LoadOutcome::kGpuOom;
  failed.error = "exit code 1";
  failed.log_tail = "a\nb";
  cell.load_attempts = {failed, LoadAttempt()};
  meta.cells = {cell};
  const auto read = parse_meta(meta_line(meta));
  ASSERT_TRUE(read);
  const Cell& back = read->cells[0];
  EXPECT_EQ(back.launcher, "llama-server");
  EXPECT_EQ(back.load_requested, cell.load_requested);
  EXPECT_EQ(back.load_effective, cell.load_effective);
  ASSERT_EQ(back.load_attempts.size(), 2U);
  EXPECT_EQ(back.load_attempts[0].outcome, LoadOutcome::kGpuOom);
  EXPECT_EQ(back.load_attempts[0].log_tail, "a\nb");
  EXPECT_EQ(back.load_attempts[1].outcome, LoadOutcome::kOk);
}

}  // namespace
}  // namespace assay
