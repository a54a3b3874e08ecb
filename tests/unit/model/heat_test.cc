#include "model/heat.h"

#include <gtest/gtest.h>

#include "model/options.h"

namespace assay {
namespace {

TEST(Heat, BandsAndWordsChangeAtTheirLimits) {
  const HeatBands bands;
  EXPECT_EQ(heat_band_of(49.9, bands), 0U);
  EXPECT_EQ(heat_band_of(50, bands), 1U);
  EXPECT_EQ(heat_band_of(84.9, bands), 2U);
  EXPECT_EQ(heat_band_of(95, bands), 4U);
  EXPECT_EQ(warmth_of(49.9, bands), Warmth::kCool);
  EXPECT_EQ(warmth_of(50, bands), Warmth::kWarm);
  EXPECT_EQ(warmth_of(84.9, bands), Warmth::kWarm);
  EXPECT_EQ(warmth_of(85, bands), Warmth::kHot);
  EXPECT_EQ(heat_band_text(0, bands), "<50");
  EXPECT_EQ(heat_band_text(2, bands), "70-85");
  EXPECT_EQ(heat_band_text(4, bands), ">=95");
}

TEST(Heat, BandsAreFourAscendingTemperatures) {
  const auto bands = parse_heat_bands("40, 60, 75.5, 90C");
  ASSERT_TRUE(bands);
  EXPECT_DOUBLE_EQ(bands->limits_c[2], 75.5);
  EXPECT_EQ(warmth_of(76, *bands), Warmth::kHot);
  for (const char* text :
       {"", "50,70,85", "50,70,85,95,99", "50,70,70,95", "50,70,85,200", "a,b,c,d"}) {
    EXPECT_FALSE(parse_heat_bands(text)) << text;
  }
}

TEST(Heat, ARunKeepsItsBands) {
  RunSpec spec;
  spec.heat_bands = "30,40,50,60";
  RunMeta meta;
  meta.options_json = changed_options_json(spec);
  EXPECT_DOUBLE_EQ(heat_bands_of(meta).limits_c[3], 60);
  EXPECT_DOUBLE_EQ(heat_bands_of(RunMeta()).limits_c[3], 95);
}

TEST(Heat, TemperaturesAndPowersHaveTheirUnits) {
  EXPECT_DOUBLE_EQ(*parse_celsius("60C"), 60);
  EXPECT_DOUBLE_EQ(*parse_celsius(" 60.5 °C "), 60.5);
  EXPECT_DOUBLE_EQ(*parse_watts("300W"), 300);
  for (const char* text : {"60", "C", "-5C", "0C", "400C", "60s", "60C C"}) {
    EXPECT_FALSE(parse_celsius(text)) << text;
  }
  for (const char* text : {"300", "W", "0W", "-1W", "300C"})
    EXPECT_FALSE(parse_watts(text)) << text;
}

TEST(Heat, TheHottestSensorSpeaksAndAllPowerCounts) {
  TelemetrySample sample;
  EXPECT_FALSE(hottest_of(sample));
  EXPECT_FALSE(power_of(sample));
  sample.cpu_temperature_c = 60;
  sample.cpu_power_w = 40;
  sample.gpus.resize(3);
  sample.gpus[1].temperature_c = 71;
  sample.gpus[1].power_w = 100;
  sample.gpus[2].temperature_c = 70;
  const auto hottest = hottest_of(sample);
  ASSERT_TRUE(hottest);
  EXPECT_EQ(hottest->sensor, "GPU 1");
  EXPECT_DOUBLE_EQ(hottest->celsius, 71);
  EXPECT_DOUBLE_EQ(*power_of(sample), 140);
}

}  // namespace
}  // namespace assay
