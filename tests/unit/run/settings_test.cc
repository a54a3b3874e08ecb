#include <gtest/gtest.h>

#include "run/config.h"

namespace assay {
namespace {

Settings settings_of(const std::string& name, const std::string& origin) {
  return {{name, SettingValue{{"0"}, origin}}};
}

TEST(CheckSettings, AFaultOfAFileNamesItsLine) {
  RunSpec spec;
  spec.restarts = 0;
  const auto faults = check_settings(spec, settings_of("restarts", "assay.yaml:3"));
  EXPECT_EQ(faults, std::vector<std::string>{"assay.yaml:3: --restarts must be between 1 and 100"});
}

TEST(CheckSettings, AFaultOfTheCommandLineStaysAsItIs) {
  RunSpec spec;
  spec.restarts = 0;
  const std::vector<std::string> plain{"--restarts must be between 1 and 100"};
  EXPECT_EQ(check_settings(spec, settings_of("restarts", "--restarts")), plain);
  EXPECT_EQ(check_settings(spec, settings_of("retries", "assay.yaml:4")), plain);
  EXPECT_TRUE(check_settings(RunSpec(), settings_of("restarts", "assay.yaml:3")).empty());
}

TEST(CheckSettings, OptionsThatExcludeEachOtherAreAllFound) {
  RunSpec spec;
  spec.prompt = "hello";
  spec.suite = "smoke";
  Settings settings = settings_of("suite", "assay.yaml:2");
  settings["prompt"] = SettingValue{{"hello"}, "ASSAY_PROMPT"};
  EXPECT_EQ(check_settings(spec, settings),
            std::vector<std::string>{
                "ASSAY_PROMPT, assay.yaml:2: --prompt and --suite exclude each other"});
}

}  // namespace
}  // namespace assay
