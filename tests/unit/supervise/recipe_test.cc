#include "supervise/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supervise/engine_environment.h"
#include "supervise/managed_engine.h"

namespace assay {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

LaunchRequest request_for(const std::string& alias) {
  LaunchRequest request;
  request.gguf = "/models/some file.gguf";
  request.alias = alias;
  return request;
}

TEST(Recipes, AProgramDecidesWhichOneItIs) {
  EXPECT_EQ(recipe_for("").name, "bundled");
  EXPECT_EQ(recipe_for("/opt/llama-server").name, "llama-server");
}

TEST(Recipes, WhatWasNotAskedForIsNotPassed) {
  EXPECT_THAT(llama_server_recipe().arguments(request_for("a"), {}, 4000),
              ElementsAre("--model", "/models/some file.gguf", "--host", "127.0.0.1", "--port",
                          "4000", "--alias", "a", "--parallel", "1"));
  EXPECT_THAT(bundled_recipe().arguments(request_for("a"), {}, 4000),
              ElementsAre("--gguf", "/models/some file.gguf", "--port", "4000", "--alias=a"));
}

TEST(Recipes, ANameThatLooksLikeAnOptionStaysAName) {
  EXPECT_THAT(bundled_recipe().arguments(request_for("--exit"), {}, 1), Contains("--alias=--exit"));
}

TEST(Recipes, LlamaServerDividesItsContextAmongTheSlots) {
  LaunchSettings settings;
  settings.context_length = 1000;
  settings.parallel = 4;
  EXPECT_THAT(llama_server_recipe().arguments(request_for("a"), settings, 1), Contains("4000"));
  EXPECT_THAT(bundled_recipe().arguments(request_for("a"), settings, 1), Contains("1000"));
}

TEST(Recipes, WhatOneDoesNotTakeIsNamedAsAnOption) {
  LaunchSettings settings;
  settings.gpu_layers = 1;
  settings.ubatch_size = 2;
  settings.threads = 3;
  EXPECT_THAT(not_supported(bundled_recipe(), settings),
              ElementsAre("--gpu-layers", "--ubatch-size"));
  EXPECT_THAT(not_supported(llama_server_recipe(), settings), IsEmpty());
}

TEST(Recipes, TheKeyIsInTheEnvironmentAlone) {
  const auto list = engine_environment(llama_server_recipe(), Secret("abc"), false);
  EXPECT_THAT(list, Contains("LLAMA_API_KEY=abc"));
}

TEST(Recipes, AHiddenGpuIsHiddenFromEveryDriver) {
  const auto hidden = engine_environment(llama_server_recipe(), Secret("k"), true);
  for (const char* name : {"CUDA_VISIBLE_DEVICES=", "HIP_VISIBLE_DEVICES=", "ROCR_VISIBLE_DEVICES=",
                           "GGML_VK_VISIBLE_DEVICES=", "ONEAPI_DEVICE_SELECTOR=*:cpu"}) {
    EXPECT_THAT(hidden, Contains(name));
  }
  EXPECT_THAT(engine_environment(llama_server_recipe(), Secret("k"), false),
              Not(Contains("GGML_VK_VISIBLE_DEVICES=")));
}

TEST(LoadError, NamesTheModelTheKindAndTheReason) {
  LoadAttempt attempt;
  attempt.outcome = LoadOutcome::kStartupTimeout;
  attempt.error = "not ready within 180s";
  const Error error = load_error(request_for("llama"), attempt);
  EXPECT_EQ(error.code, Errc::kTimeout);
  EXPECT_EQ(error.message, "llama could not be loaded: startup_timeout: not ready within 180s");
  attempt.outcome = LoadOutcome::kCancelled;
  EXPECT_EQ(load_error(request_for("llama"), attempt).code, Errc::kCancelled);
}

}  // namespace
}  // namespace assay
